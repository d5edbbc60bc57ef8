"""`manage.py gates list | explain CODE | run CODE | run S-1042 | status S-1042 | docs`: catalogue and runs from a terminal.

`run CODE` tries one gate on local files, without a database. Exit codes: 0 nothing stands in the way; 1 the gate failed or could
not be assessed; 2 the command cannot be understood.
"""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gates import registry
from gates.management import local
from gates.models import GateRun
from gates.registry import Gate
from gates.selectors.catalogue import catalogue, summary, work
from gates.selectors.runs import progress
from gates.services import running
from gates.services.local_runs import run_locally
from gates.spec import HEADINGS
from governance.domain.errors import DomainError
from governance.domain.vocabulary import Role, RunStatus, Track
from governance.models import Submission


class Command(BaseCommand):
    """The gates from a terminal."""

    requires_system_checks = ()  # trying a gate needs neither pages nor a database
    help = "List and explain gates, try one on local files, run a submission's queued checks here, show how far they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="every gate with its code")
        listing.add_argument("--json", action="store_true", dest="as_json")
        explain = actions.add_parser("explain", help="the documentation of one gate and what it says to its examples")
        explain.add_argument("code")
        explain.add_argument("--json", action="store_true", dest="as_json")
        docs = actions.add_parser("docs", help="write one page per gate; --check only compares")
        docs.add_argument("--folder", type=Path, default=Path("docs/gates"))
        docs.add_argument("--check", action="store_true")
        run = actions.add_parser(
            "run",
            help="try a gate on local files without a database; or run the queued checks of a submission here, not in a worker",
            description="Exit code 0: nothing stands in the way. 1: the gate failed or could not be assessed. 2: not understood.",
        )
        run.add_argument("what", metavar="CODE|S-1042", help="a gate's code, or a submission's number")
        run.add_argument("--json", action="store_true", dest="as_json", help="everything as JSON")
        local.add_arguments(run)
        status = actions.add_parser("status", help="how far the checks of a submission are")
        status.add_argument("submission")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except DomainError as exc:
            raise CommandError(exc.detail, returncode=2) from exc

    def _list(self, options: dict[str, Any]) -> None:
        if options["as_json"]:
            self._json([{**summary(gate), **_origin(gate)} for gate in catalogue()])
            return
        for gate in catalogue():
            origin = f"  ({gate.plugin})" if gate.plugin else ""
            self.stdout.write(f"{gate.code}  {gate.name:<34} {gate.title}{origin}")
        for problem in registry.problems():
            self.stderr.write(f"Left out: {problem}")

    def _explain(self, options: dict[str, Any]) -> None:
        gate = registry.gates().get(options["code"].upper())
        if gate is None:
            raise CommandError(f"There is no gate {options['code']}. `manage.py gates list` shows them all.", returncode=2)
        if options["as_json"]:
            more = {"limits": dict(gate.limits), "documentation": dict(gate.docs), "collectors": list(gate.collectors)}
            self._json({**summary(gate), **_origin(gate), **more})
            return
        self.stdout.write(page_of(gate))
        if gate.plugin:
            self.stdout.write(f"From {gate.plugin}, digest {gate.plugin.digest}.")

    def _json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str))

    def _docs(self, options: dict[str, Any]) -> None:
        folder: Path = options["folder"]
        own = [gate for gate in catalogue() if gate.plugin is None]
        pages = {f"{gate.code}.md": page_of(gate) for gate in own}
        pages["README.md"] = index_of(own)
        found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")} if folder.is_dir() else {}
        if options["check"]:
            stale = sorted(name for name in {*pages, *found} if pages.get(name) != found.get(name))
            if stale:
                raise CommandError(
                    f"{folder}: {', '.join(stale)} differ from the catalogue. Run `manage.py gates docs` and commit."
                )
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name in found.keys() - pages.keys():
            (folder / name).unlink()
        for name, text in pages.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.stdout.write(f"{len(pages)} pages in {folder}")

    def _run(self, options: dict[str, Any]) -> None:
        if re.fullmatch(r"(?i)G[A-Z]\d{3}", options["what"]):
            self._try(options)
        else:
            self._run_queued(options)

    def _try(self, options: dict[str, Any]) -> None:
        facts, problems = local.facts_of(options)
        run = run_locally(
            options["what"],
            files=local.files_of(options),
            facts=facts,
            pack=local.pack_for(options["what"], options["pack"]),
            track=Track(options["track"]),
            limits=local.numbers_of(options["limit"], "--limit"),
            settings=local.numbers_of(options["setting"], "--setting"),
        )
        if options["as_json"]:
            self._json({**run.to_json(), "not_read": problems})
        else:
            self.stdout.write("\n".join(local.in_words(run, problems)))
        if run.exit_code:
            sys.exit(run.exit_code)

    def _run_queued(self, options: dict[str, Any]) -> None:
        submission = self._submission(options["what"])
        taken = running.run_light(submission.pk, worker="terminal")
        heavy = GateRun.objects.filter(submission=submission, heavy=True, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
        for pk in heavy.order_by("id").values_list("pk", flat=True):
            taken += running.run_heavy(pk, worker="terminal")
        self.stdout.write(f"{taken} checks taken.")
        self._status({**options, "submission": options["what"]})

    def _status(self, options: dict[str, Any]) -> None:
        found = progress(self._submission(options["submission"]))
        self.stdout.write(found.says)
        if found.worker_missing:
            self.stdout.write(found.worker_missing.capitalize())
        for run in found.runs:
            self.stdout.write(f"{run.status:<10} {run.title}: {run.says} {run.expects}".rstrip())

    def _submission(self, text: str) -> Submission:
        number = text.upper().removeprefix("S-")
        row = Submission.objects.filter(pk=number).first() if number.isdecimal() else None
        if row is None:
            raise CommandError(f"There is no submission {text}. Write it as S-1042 or 1042.", returncode=2)
        return row


def _origin(gate: Gate) -> dict[str, Any]:
    return {"plugin": gate.plugin.to_json() if gate.plugin else None}


def page_of(gate: Gate) -> str:
    """A gate's page in Markdown: its docstring, its limits, and what it says to its examples."""
    lines = [f"# {gate.title} ({gate.code})", "", f"`{gate.name}`. {gate.risk}", ""]
    for heading in HEADINGS:
        lines += [f"## {heading}", "", gate.docs.get(heading, ""), ""]
    limits = [f"- `{name}`: {value}" for name, value in gate.limits.items()] or ["None."]
    lines += ["## Limits of its own", "", "The policy pack may set others.", "", *limits, ""]
    rows = [f"| {worked.name} | {worked.result.verdict} | {_cell(worked.result.says)} |" for worked in work(gate)]
    lines += ["## Worked examples", "", "| Case | Verdict | What it says |", "|---|---|---|", *rows, ""]
    lines += [
        f"Read by: {Role(gate.read_by).label}. Kinds: {', '.join(sorted(gate.kinds))}.",
        f"Measured by: {', '.join(gate.collectors)}.",
        "",
    ]
    return "\n".join(lines)


def index_of(gates: list[Gate]) -> str:
    """The list of all pages."""
    rows = [f"| [{gate.code}]({gate.code}.md) | {gate.title} | {_cell(gate.risk)} |" for gate in gates]
    head = ["# Gates", "", "Written by `manage.py gates docs` from `gates/catalog/`; change the gate, not this page.", ""]
    return "\n".join([*head, "| Code | Gate | What goes wrong without it |", "|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
