"""`guiderail.yaml`: what is submitted, beside the model."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guiderail_client.exits import INVALID, Problem

NAME = "guiderail.yaml"
_KNOWN = ("server", "system", "kind", "version", "environment", "sources", "answers", "evidence")
_SOURCE = ("path", "name")
_EVIDENCE = ("role", "path", "columns", "format")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class SourceFile:
    """A metadata file: sent as text."""

    path: Path
    name: str


@dataclass(frozen=True)
class EvidenceFile:
    """A file of evidence in its role."""

    role: str
    path: Path
    columns: dict[str, Any] = field(default_factory=dict)
    format: str = ""


@dataclass(frozen=True)
class Project:
    """One submission as its file describes it."""

    file: Path
    system: str
    version: str
    environment: str
    kind: str
    server: str
    sources: tuple[SourceFile, ...]
    answers: dict[str, Any]
    evidence: tuple[EvidenceFile, ...]


def read_project(path: Path, *, files: bool = True, **instead: str) -> Project:
    """Read and check it; `${NAME}` stands for an environment variable. `instead` replaces single values.
    Without `files`, sources and evidence are left out: a deploy job has the file, not what it names.

    Raises `Problem` (exit code 2) naming the key and what was expected.
    """
    import yaml  # noqa: PLC0415 (commands that need no file start without it)

    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(INVALID, f"There is no {path}. Write one with: guiderail init") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Problem(INVALID, f"{path} cannot be read: {error}") from error
    if not isinstance(raw, dict):
        raise Problem(INVALID, f"{path} holds no settings. Write it anew with: guiderail init --force")
    _only(raw, _KNOWN, str(path), "")
    values = {**raw, **{key: value for key, value in instead.items() if value}}
    base = path.parent
    listed = {key: _list(path, values, key) if files else [] for key in ("sources", "evidence")}
    sources = tuple(_source(base, path, index, item) for index, item in enumerate(listed["sources"]))
    evidence = tuple(_evidence(base, path, index, item) for index, item in enumerate(listed["evidence"]))
    answers = values.get("answers") or {}
    if not isinstance(answers, dict):
        raise Problem(INVALID, f"{path}: answers is a table of question and answer, such as “decision.domain: credit”.")
    return Project(
        file=path,
        system=_text(path, values, "system"),
        version=_text(path, values, "version"),
        environment=_text(path, values, "environment", "production"),
        kind=_text(path, values, "kind", "ml_model"),
        server=_text(path, values, "server", "-").removeprefix("-"),
        sources=sources,
        answers=answers,
        evidence=evidence,
    )


def _text(path: Path, values: dict[str, Any], key: str, default: str = "") -> str:
    value = values.get(key, default)
    if isinstance(value, float | int) and not isinstance(value, bool):
        raise Problem(INVALID, f'{path}: {key} is read as a number ({value}). Put it in quotes: {key}: "{value}"')
    if not isinstance(value, str) or not value.strip():
        raise Problem(INVALID, f"{path}: {key} is missing. Add a line such as: {key}: {_EXAMPLES.get(key, 'text')}")
    return filled(path, key, value.strip())


_EXAMPLES = {"system": "credit-default", "version": '"2.3.0"'}


def filled(path: Path, key: str, text: str) -> str:
    """The text with `${NAME}` replaced. Raises when a variable is not set: an empty version must not go in unnoticed."""

    def value(found: re.Match[str]) -> str:
        given = os.environ.get(found[1], "")
        if not given:
            raise Problem(INVALID, f"{path}: {key} needs the environment variable {found[1]}, which is not set.")
        return given

    return _VARIABLE.sub(value, text)


def _list(path: Path, values: dict[str, Any], key: str) -> list[Any]:
    found = values.get(key) or []
    if not isinstance(found, list):
        raise Problem(INVALID, f"{path}: {key} is a list; start each line with “- ”.")
    return found


def _source(base: Path, path: Path, index: int, item: Any) -> SourceFile:
    where = f"sources[{index}]"
    if isinstance(item, str):
        item = {"path": item}
    if not isinstance(item, dict):
        raise Problem(INVALID, f"{path}: {where} is a path, or path and name.")
    _only(item, _SOURCE, str(path), where)
    given = _text(path, item, "path")
    return SourceFile(_there(base, path, where, given), str(item.get("name") or Path(given).name))


def _evidence(base: Path, path: Path, index: int, item: Any) -> EvidenceFile:
    where = f"evidence[{index}]"
    if not isinstance(item, dict):
        raise Problem(INVALID, f"{path}: {where} has a role and a path.")
    _only(item, _EVIDENCE, str(path), where)
    columns = item.get("columns") or {}
    if not isinstance(columns, dict):
        raise Problem(INVALID, f"{path}: {where}.columns says which column is what, such as “label: defaulted”.")
    return EvidenceFile(
        role=_text(path, item, "role"),
        path=_there(base, path, where, _text(path, item, "path")),
        columns=columns,
        format=str(item.get("format") or ""),
    )


def _there(base: Path, path: Path, where: str, given: str) -> Path:
    found = base / given
    if not found.is_file():
        raise Problem(INVALID, f"{path}: {where} names {given}, and there is no such file beside {path.name}.")
    return found


def _only(raw: dict[Any, Any], known: tuple[str, ...], path: str, where: str) -> None:
    for key in raw:
        if key in ("track", "tier", "risk_tier"):
            raise Problem(INVALID, f"{path}: {key} is decided by the policy from facts; nobody sends it. Take the line out.")
        if key not in known:
            at = f"{where}." if where else ""
            raise Problem(INVALID, f"{path}: {at}{key} is not known. Known are: {', '.join(known)}.")
