"""Markdown out of plain text: whatever somebody typed stays text, in headings, sentences and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&:@=])")
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def plain(value: Any) -> str:
    """One line of text in which nothing is markup: every sign that means something to Markdown or HTML is escaped."""
    text = _SPACE.sub(" ", _CONTROL.sub("", str(value))).strip()
    return _SPECIAL.sub(r"\\\1", text)


def heading(level: int, text: Any) -> str:
    """A heading line."""
    return f"{'#' * level} {plain(text)}"


def table(columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a head; the rows are as long as the head."""
    lines = ["| " + " | ".join(plain(name) for name in columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(plain(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def bullets(items: Iterable[Any]) -> str:
    """A list."""
    return "\n".join(f"* {plain(item)}" for item in items)


def document(blocks: Iterable[str]) -> str:
    """Blocks with an empty line between them."""
    return "\n\n".join(block for block in blocks if block) + "\n"
