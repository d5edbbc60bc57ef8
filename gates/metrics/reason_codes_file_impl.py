"""Reading a reason-code file: JSON, YAML or CSV, by content. Only in the child process.

JSON and YAML: `{"codes": [{"code": "R01", "words": "…", "features": ["income"]}], "features": {"income": "your income"}}`, or
the list
of codes alone. CSV: columns `code`, `words`, `features` (names with `;` between them). `features` at the top gives features
names that
people outside know; it is optional.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from governance.policy.errors import PackError
from governance.policy.yaml_text import read_yaml

MOST_BYTES = 400_000
MOST_CODES = 500
_EXAMPLE = 'Write {"codes": [{"code": "R01", "words": "Your income is low for the amount", "features": ["income"]}]}.'


@dataclass(frozen=True)
class ReasonCode:
    """One reason as the person gets it: `words` behind which `features` stand."""

    code: str
    words: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class ReasonCodes:
    """The list, with the plain names of features where the file gives some."""

    codes: tuple[ReasonCode, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, feature: str) -> ReasonCode | None:
        """The first code that a feature stands behind; one-hot columns belong to their feature."""
        exact = next((code for code in self.codes if feature in code.features), None)
        return exact or next((code for code in self.codes if any(stands_for(feature, name) for name in code.features)), None)

    def called(self, feature: str) -> str:
        """A feature in words: the file's name for it, else its own name with blanks."""
        given = self.names.get(feature) or next((words for name, words in self.names.items() if stands_for(feature, name)), "")
        return given or feature.replace("__", " ").replace("_", " ").strip()


def stands_for(feature: str, name: str) -> bool:
    """Whether `feature` is `name` itself or one of its one-hot columns (`home_own`, `home=own`)."""
    return feature == name or (bool(name) and feature.startswith((f"{name}_", f"{name}=", f"{name}__")))


def read(evidence: EvidenceInput) -> ReasonCodes:
    """The reason codes of a file. EvidenceProblem says which entry is wrong and how to write it."""
    try:
        data = Path(evidence.path).read_bytes()
    except OSError as error:
        raise EvidenceProblem(
            file=evidence.name, expected="a stored file", found="nothing in the evidence store", way_out="Upload the file again."
        ) from error
    if len(data) > MOST_BYTES:
        raise _odd(evidence, f"at most {MOST_BYTES // 1000} kB", f"{len(data) // 1000} kB", "Upload the codes alone.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _odd(evidence, "text in UTF-8", "other bytes", "Save the file as UTF-8.") from error
    document = _document(evidence, text)
    rows = document.get("codes") if isinstance(document, Mapping) else document
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise _odd(evidence, "a list of codes", "none", _EXAMPLE)
    if len(rows) > MOST_CODES:
        raise _odd(evidence, f"at most {MOST_CODES} codes", f"{len(rows):,}", "Leave out codes that nobody is given.")
    names = document.get("features") if isinstance(document, Mapping) else None
    if names is not None and not isinstance(names, Mapping):
        raise _odd(
            evidence, "“features” as names with their words", type(names).__name__, '{"features": {"income": "your income"}}'
        )
    codes = tuple(_code(evidence, number, row) for number, row in enumerate(rows, start=1))
    return ReasonCodes(codes, {str(name): _plain(words) for name, words in (names or {}).items() if _plain(words)})


def _document(evidence: EvidenceInput, text: str) -> Any:
    start = text.lstrip()
    if start[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _odd(evidence, "whole JSON", str(error)[:120], _EXAMPLE) from error
    head = start.splitlines()[0] if start else ""
    if "code" in [cell.strip().lower() for cell in head.replace(";", ",").split(",")] and ":" not in head:
        return _table(text.lstrip())
    try:
        return read_yaml(text, "The reason-code file")
    except PackError as error:
        raise _odd(evidence, "JSON, YAML or CSV", str(error)[:200], _EXAMPLE) from error


def _table(text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text))
    rows = []
    for row in reader:
        known = {str(name).strip().lower(): value for name, value in row.items() if name is not None}
        listed = str(known.get("features") or known.get("feature") or "")
        features = [part.strip() for part in listed.replace("|", ";").split(";") if part.strip()]
        rows.append({"code": known.get("code"), "words": known.get("words") or known.get("text"), "features": features})
        if len(rows) > MOST_CODES:
            break
    return rows


def _code(evidence: EvidenceInput, number: int, row: Any) -> ReasonCode:
    if not isinstance(row, Mapping):
        raise _odd(evidence, f"code {number} with code, words and features", type(row).__name__, _EXAMPLE)
    features = row.get("features", row.get("feature", ()))
    features = [features] if isinstance(features, str) else features
    code = _plain(row.get("code"))
    if not code:
        raise _odd(evidence, f"a name for code {number}", "none", _EXAMPLE)
    if not isinstance(features, Sequence) or not all(isinstance(name, str) for name in features):
        raise _odd(evidence, f"names of features at {code[:40]}", type(features).__name__, _EXAMPLE)
    return ReasonCode(code[:40], _plain(row.get("words"))[:400], tuple(name.strip() for name in features if name.strip()))


def _plain(value: Any) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _odd(evidence: EvidenceInput, expected: str, found: str, way_out: str) -> EvidenceProblem:
    return EvidenceProblem(file=evidence.name, expected=expected, found=found, way_out=way_out)
