"""What the record can hold: PostgreSQL's text and JSON take no NUL and no half of a surrogate pair, which JSON and forms can
carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_LEVELS = 60


def unstorable(value: Any, *, skip: frozenset[str] = frozenset()) -> tuple[str, str] | None:
    """The first place in decoded JSON that cannot be stored, as (JSON pointer, what is wrong there); None when all can.

    `skip`: names of members that are stored as bytes and may hold anything.
    """
    waiting: list[tuple[str, int, Any]] = [("", 0, value)]
    while waiting:
        pointer, level, item = waiting.pop()
        if isinstance(item, str):
            if why := _why_not(item):
                return pointer, why
        elif isinstance(item, Mapping | list | tuple):
            if level >= MOST_LEVELS:
                return pointer, f"nests deeper than {MOST_LEVELS} levels"
            for name, inner in _members(item):
                if why := _why_not(name):
                    return pointer, f"has a name that {why}"
                if name not in skip or not isinstance(inner, str):
                    waiting.append((f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", level + 1, inner))
    return None


def _members(item: Mapping[Any, Any] | list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    rows = item.items() if isinstance(item, Mapping) else enumerate(item)
    for name, inner in rows:
        yield str(name), inner


def _why_not(text: str) -> str:
    if "\x00" in text:
        return "contains a NUL character"
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "contains half of a surrogate pair"
    return ""
