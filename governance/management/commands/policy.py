"""`manage.py policy load`: install packs; `policy import PATH`: a folder, file or git revision as drafts; `policy schema`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.domain.errors import DomainError
from governance.models import PolicyPack
from governance.policy.json_schema import pack_schema
from governance.policy.lessons import lesson_schema
from governance.selectors.access import SYSTEM
from governance.services.packs import PACKS, install_pack_file
from governance.services.policy_drafts import import_draft

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {"pack.schema.json": pack_schema, "lesson.schema.json": lesson_schema}


class Command(BaseCommand):
    help = (
        "load: install the shipped packs, or the files named; the first of a kind comes into force, a newer one becomes a draft. "
        "import: the packs of a folder, of a file, or of a folder in a git repository at a revision (PATH@REVISION), as drafts. "
        "schema: write the schemas of packs and lessons to docs/ for editors (--check: say whether they are as the code says)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["load", "import", "schema"])
        parser.add_argument("files", nargs="*")
        parser.add_argument("--why", default="", help="why the policy has to change (import)")
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the schema differs (schema)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["action"] == "schema":
                self._schema(check=options["check"])
            elif options["action"] == "import":
                self._import(options["files"], options["why"])
            else:
                self._load([Path(name) for name in options["files"]] or sorted(PACKS.glob("*.yaml")))
        except DomainError as exc:
            raise CommandError(exc.detail) from exc

    def _load(self, paths: list[Path]) -> None:
        for path in paths:
            row = install_pack_file(caller=SYSTEM, path=path)
            if isinstance(row, PolicyPack):
                state = "is in force or scheduled" if row.active_from else "waits for its ruling"
                self.stdout.write(f"{row.name} {row.version} {state} ({row.digest[:19]}…)")
            else:
                self.stdout.write(f"{path.name} is draft {row.pk}: another version is in force. A policy author proposes it.")

    def _import(self, places: list[str], why: str) -> None:
        if not places or not why.strip():
            raise CommandError('Name a folder, a file or FOLDER@REVISION, and say why: --why "…".')
        for place in places:
            for name, source, questionnaire in _packs_at(place):
                draft = import_draft(
                    caller=SYSTEM, source=source, questionnaire=questionnaire, why=why, origin=f"{place}: {name}"
                )
                self.stdout.write(f"{name} is draft {draft.pk}. A policy author back-tests and proposes it.")

    def _schema(self, *, check: bool) -> None:
        for name, schema in SCHEMAS.items():
            file = DOCS / name
            text = json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            if not check:
                file.write_text(text, encoding="utf-8")
                self.stdout.write(f"Wrote {name}.")
            elif not file.exists() or file.read_text(encoding="utf-8") != text:
                raise CommandError(f"docs/{name} is not what the code says. Run: manage.py policy schema")
            else:
                self.stdout.write(f"docs/{name} is as the code says.")


def _packs_at(place: str) -> Iterator[tuple[str, str, str]]:
    """(file name, pack, questionnaire) of every pack at a place."""
    path = Path(place)
    if path.is_file():
        beside = path.parent / "questionnaires" / path.name
        yield path.name, path.read_text(encoding="utf-8"), beside.read_text(encoding="utf-8") if beside.exists() else ""
    elif path.is_dir():
        for file in sorted(path.glob("*.yaml")):
            yield from _packs_at(str(file))
    elif "@" in place:
        folder, _, revision = place.rpartition("@")
        yield from _packs_in_git(Path(folder), revision)
    else:
        raise CommandError(f"There is nothing at {place}.")


def _packs_in_git(folder: Path, revision: str) -> Iterator[tuple[str, str, str]]:
    names = _git(folder, "ls-tree", "--name-only", revision, "./").splitlines()
    for name in sorted(name for name in names if name.endswith(".yaml")):
        source = _git(folder, "show", f"{revision}:./{name}")
        has_questions = (
            f"questionnaires/{name}" in _git(folder, "ls-tree", "--name-only", revision, "./questionnaires/").splitlines()
        )
        yield name, source, _git(folder, "show", f"{revision}:./questionnaires/{name}") if has_questions else ""


def _git(folder: Path, *words: str) -> str:
    if any(word.startswith("-") for word in words[1:] if word != "--name-only"):
        raise CommandError("A revision does not begin with a dash.")
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as exc:
        detail = getattr(exc, "stderr", "") or str(exc)
        raise CommandError(f"git does not give {' '.join(words[-1:])} in {folder}: {detail.strip()[:200]}") from exc
    return done.stdout
