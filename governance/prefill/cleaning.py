"""Plain values: what every parser's result is reduced to before a reader sees it.

A value that the record cannot hold (NaN, infinity, an integer beyond 2**53, NUL, half a surrogate pair, an overlong text, a key
said twice) is taken out and named with its place; everything around it stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from governance.prefill.limits import MAX_DEPTH, MAX_INTEGER, MAX_KEY, MAX_NODES, MAX_TEXT
from governance.prefill.source import Problem, Source, child


class TooMuch(ValueError):
    """The document as a whole is too deep or has too many values."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Put by a parser in the place of a value it must not build; `why` completes "This value …"."""

    why: str


@dataclass(slots=True)
class _Taken:
    """A value that was taken out."""


_TAKEN = _Taken()


def clean(value: Any, source: Source, path: str = "") -> tuple[Any, list[Problem]]:
    """Return `value` with plain JSON values only, and a problem for each value taken out.

    Raises `TooMuch` when it nests deeper than `MAX_DEPTH` or holds more than `MAX_NODES` values.
    """
    problems: list[Problem] = []
    counter = iter(range(MAX_NODES))
    result = _clean(value, source, path, 0, counter, problems)
    return (None if result is _TAKEN else result), problems


def _clean(value: Any, source: Source, path: str, depth: int, counter: Iterator[int], problems: list[Problem]) -> Any:
    if next(counter, None) is None:
        raise TooMuch(f"holds more than {MAX_NODES:,} values")
    if depth > MAX_DEPTH:
        raise TooMuch(f"nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return _clean_mapping(value, source, path, depth, counter, problems)
    if isinstance(value, list):
        rows = [_clean(item, source, child(path, i), depth + 1, counter, problems) for i, item in enumerate(value)]
        return [None if row is _TAKEN else row for row in rows]
    why = _why_not(value)
    if why:
        problems.append(source.problem(path, f"This value {why}. It is left out; the rest of the file is read."))
        return _TAKEN
    return value


def _clean_mapping(
    value: dict[Any, Any], source: Source, path: str, depth: int, counter: Iterator[int], problems: list[Problem]
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, item in value.items():
        name = key if isinstance(key, str) else str(key)
        why = _why_not(name) or (f"is {len(name):,} characters long; {MAX_KEY:,} are the most" if len(name) > MAX_KEY else "")
        if why:
            problems.append(source.problem(path, f"A name here {why}. It is left out: use a short plain name."))
            continue
        result = _clean(item, source, child(path, name), depth + 1, counter, problems)
        if result is not _TAKEN:
            kept[name] = result
    return kept


def _why_not(value: Any) -> str:
    """Why a scalar cannot be used, or an empty string."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            return f"is a text of {len(value):,} characters; {MAX_TEXT:,} are the most. Shorten it"
        if "\x00" in value:
            return "contains a NUL character. Remove it"
        if any("\ud800" <= char <= "\udfff" for char in value):
            return "contains half a surrogate pair. Write the character itself in UTF-8"
        return ""
    if isinstance(value, int):
        return "" if abs(value) <= MAX_INTEGER else f"is a whole number beyond {MAX_INTEGER:,}. Write it as text"
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"is {value} where a number was expected. Log a finite number, or leave it out"
    refused: Refused = value  # parsers put nothing else in a value's place
    return refused.why
