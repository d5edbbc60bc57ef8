"""A JSON report of another tool as plain values: bounded, UTF-8, one object; everything else is an EvidenceProblem."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.caps import bytes_in_words

MOST_BYTES = 32 * 1024**2


def read_json_report(evidence: EvidenceInput, *, expected: str, way_out: str, most_bytes: int = MOST_BYTES) -> Any:
    """The parsed document. Raises EvidenceProblem when it is empty, too large, no UTF-8, no JSON, or nested without end."""
    words = read_report_text(evidence, expected=expected, way_out=way_out, most_bytes=most_bytes)
    try:
        return json.loads(words, parse_constant=_refuse_constant, parse_int=_integer)
    except RecursionError as error:
        raise EvidenceProblem(
            file=evidence.name, expected=expected, found="JSON that nests without end", way_out=way_out
        ) from error
    except ValueError as error:
        raise EvidenceProblem(file=evidence.name, expected=expected, found=f"no JSON ({error})"[:120], way_out=way_out) from error


def read_report_text(evidence: EvidenceInput, *, expected: str, way_out: str, most_bytes: int = MOST_BYTES) -> str:
    """The file as UTF-8 text under a cap."""
    path = Path(evidence.path)
    size = path.stat().st_size
    if not 0 < size <= most_bytes:
        found = "an empty file (0 bytes)" if not size else bytes_in_words(size)
        bound = f"{expected} of at most {bytes_in_words(most_bytes)}"
        raise EvidenceProblem(file=evidence.name, expected=bound, found=found, way_out=way_out)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvidenceProblem(
            file=evidence.name, expected=f"{expected} in UTF-8", found=f"a byte at position {error.start:,} that is none",
            way_out=way_out,
        ) from error  # fmt: skip


def mapping_of(node: Any, name: str) -> Mapping[str, Any]:
    """A member that is an object, else an empty one."""
    value = node.get(name) if isinstance(node, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def rows_of(node: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects in a member that is a list; what is none is left out."""
    value = node.get(name) if isinstance(node, Mapping) else None
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def words_of(value: Any, most: int = 200) -> str:
    """A text on one line without control characters, cut to length; "" for anything else."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(char if char.isprintable() else " " for char in value[: most * 4]).split())[:most]


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > 30:
        raise ValueError(f"a whole number of {len(digits):,} digits")
    return int(digits)
