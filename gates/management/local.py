"""`gates run` on local files: what is given on the command line, and the answer as people read it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gates.services.local_runs import LocalFile, LocalRun
from gates.spec import Measure
from governance.domain.errors import InvalidInput
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, EvidenceRole, Track
from governance.policy import Pack, load_pack
from governance.prefill.reading import read_source
from governance.services.packs import PACKS

SHORT = {
    "candidate": EvidenceRole.CANDIDATE_PREDICTIONS,
    "baseline": EvidenceRole.BASELINE_PREDICTIONS,
    "reference": EvidenceRole.REFERENCE_SAMPLE,
    "current": EvidenceRole.CURRENT_SAMPLE,
    "model": EvidenceRole.CANDIDATE_MODEL,
    "baseline-model": EvidenceRole.BASELINE_MODEL,
    "explain": EvidenceRole.EXPLANATION_SAMPLE,
    "quality": EvidenceRole.DATA_QUALITY_REPORT,
}
_LISTS = frozenset({"sensitive", "features"})
_SHOWN = 40


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of `gates run CODE`."""
    for word, role in SHORT.items():
        parser.add_argument(f"--{word}", type=Path, metavar="FILE", help=f"the file in the role {role.value}")
    parser.add_argument("--evidence", action="append", default=[], metavar="ROLE=FILE", help="a file in any other role")
    parser.add_argument("--folder", type=Path, help="a folder that `manage.py simulate` wrote: all its files in their roles")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="[ROLE:]WHAT=COLUMN",
        help="label=y, score=p, prediction=d, id=key, sensitive=sex,age_band, features=a,b; without a role: of the predictions",
    )
    parser.add_argument(
        "--metadata", action="append", type=Path, default=[], metavar="FILE", help="a metadata file to read facts from"
    )
    parser.add_argument("--fact", action="append", default=[], metavar="NAME=VALUE", help="a fact, as JSON or plain words")
    parser.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="a collector's number instead of the pack's"
    )
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=VALUE", help="a limit of the gate instead of the pack's"
    )
    parser.add_argument(
        "--track", choices=[track.value for track in Track], default=Track.RED.value, help="red unless told otherwise"
    )
    parser.add_argument(
        "--pack", type=Path, metavar="FILE", help="the policy pack to take limits from; else the shipped one that uses the gate"
    )


def files_of(options: Mapping[str, Any]) -> list[LocalFile]:
    """The files given, each role once; what is named singly replaces what the folder holds. Raises `InvalidInput`."""
    found = {file.role: file for file in _folder(options["folder"])} if options["folder"] else {}
    columns = _columns(options["column"])
    paths = {role.value: options[word.replace("-", "_")] for word, role in SHORT.items() if options[word.replace("-", "_")]}
    for text in options["evidence"]:
        role, path = _pair(text, "--evidence")
        if role not in EvidenceRole._value2member_map_:
            raise InvalidInput(f"--evidence {text}: there is no role “{role}”. Roles: {', '.join(EvidenceRole)}.")
        paths[role] = Path(path)
    for role, path in paths.items():
        found[role] = LocalFile(role, path)
    general = {what: names for (role, what), names in columns.items() if not role}
    answer = []
    for role, file in found.items():
        usual = general if role.endswith("_predictions") else {}
        own = {what: names for (where, what), names in columns.items() if where == role}
        answer.append(LocalFile(role, file.path, {**file.columns, **usual, **own}, file.format))
    return answer


def facts_of(options: Mapping[str, Any]) -> tuple[FactSet, list[str]]:
    """Facts from metadata files and the command line, and what is wrong with the files."""
    facts: list[Fact] = []
    problems: list[str] = []
    metadata = [*(_metadata(options["folder"]) if options["folder"] else ()), *options["metadata"]]
    for path in metadata:
        if not path.is_file():
            raise InvalidInput(f"There is no file {path}.")
        reading = read_source(path.name, path.read_bytes())
        facts += reading.facts
        problems += [f"{path.name}: {problem.detail}" for problem in reading.problems]
    for text in options["fact"]:
        name, value = _pair(text, "--fact")
        facts.append(Fact(name, _value(value), Assurance.DECLARED, "command line"))
    return FactSet.of(facts), problems


def pack_for(code: str, path: Path | None) -> Pack:
    """The pack in the file given; else the shipped one that uses the gate, that for models first."""
    if path is not None:
        return pack_at(path)
    files = sorted(PACKS.glob("*.yaml"), key=lambda file: (file.stem != "ml_model", file.stem))
    packs = [pack_at(file) for file in files]
    return next((pack for pack in packs if any(use.gate == code.upper() for use in pack.gates)), packs[0])


def pack_at(path: Path) -> Pack:
    """The pack in a file, with its questionnaire beside it."""
    if not path.is_file():
        raise InvalidInput(f"There is no policy pack {path}.")
    questions = path.parent / "questionnaires" / path.name
    return load_pack(path.read_text(encoding="utf-8"), questions.read_text(encoding="utf-8") if questions.is_file() else None)


def numbers_of(texts: Iterable[str], option: str) -> dict[str, Any]:
    """NAME=VALUE pairs."""
    return {name: _value(value) for name, value in (_pair(text, option) for text in texts)}


def in_words(run: LocalRun, problems: Iterable[str]) -> Iterator[str]:
    """The answer, line by line."""
    result = run.result
    yield f"{run.gate.code} {run.gate.title}: {result.verdict.value.replace('_', ' ').upper()}"
    yield f"  {result.says}"
    if result.fix:
        yield f"  What to do: {result.fix}"
    for note in result.notes:
        yield f"  {note}"
    if run.limits:
        yield f"  Limits on the {run.track.value} track: " + ", ".join(f"{name} {value}" for name, value in run.limits.items())
    for ran in run.ran:
        yield f"\n{ran.collector}: {ran.reason or f'measured in {ran.seconds:.1f} s'}"
        collected = run.collected.get(ran.collector)
        if collected is not None:
            # what the gate reads stands first
            yield from _table(sorted(collected.measures, key=lambda row: row.metric not in run.gate.needs))
            yield from (f"  {note}" for note in collected.notes)
    for problem in problems:
        yield f"\nNot read: {problem}"


def _table(rows: Iterable[Measure]) -> Iterator[str]:
    measures = list(rows)
    cells = [(_named(row), _shown(row), "" if row.n is None else f"{row.n:,} rows") for row in measures[:_SHOWN]]
    wide = max((len(name) for name, _, _ in cells), default=0)
    for name, value, rows_of in cells:
        yield f"  {name:<{wide}}  {value}  {rows_of}".rstrip()
    if len(measures) > _SHOWN:
        yield f"  … and {len(measures) - _SHOWN} more measurements (--json has them all)"


def _named(row: Measure) -> str:
    return f"{row.metric} [{row.group}]" if row.group else row.metric


def _shown(row: Measure) -> str:
    if row.value is None:
        return row.text or row.reason or "not known"
    interval = f" ({row.low:.4g} to {row.high:.4g})" if row.low is not None and row.high is not None else ""
    return f"{row.value:.4g}{interval}"


def _folder(folder: Path) -> Iterator[LocalFile]:
    body = _submission(folder)
    for item in body.get("evidence", []):
        yield LocalFile(item["role"], folder / item["file"], item.get("columns", {}), item.get("format", ""))


def _metadata(folder: Path) -> list[Path]:
    return [folder / source["name"] for source in _submission(folder).get("sources", [])]


def _submission(folder: Path) -> dict[str, Any]:
    file = folder / "submission.json"
    if not file.is_file():
        raise InvalidInput(f"{folder} holds no submission.json. Write it with `manage.py simulate {folder}`.")
    body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return body


def _columns(texts: Iterable[str]) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for text in texts:
        left, names = _pair(text, "--column")
        role, _, what = left.rpartition(":")
        found[role, what] = [name.strip() for name in names.split(",")] if what in _LISTS else names
    return found


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise InvalidInput(f"{option} {text}: expected NAME=VALUE.")
    return name.strip(), value.strip()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
