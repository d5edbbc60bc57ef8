"""Markdown out of plain text: whatever somebody typed stays text, in headings, sentences and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_SPECIAL = re.compile(r"([\\`*_\[\]|~@])")
_LEADING = re.compile(r"^(?:([#+\-=:])|(\d+)([.)]))")
# addresses that readers would turn into links by themselves
_LINKED = re.compile(r"://|\bwww\.|\bmailto:", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def plain(value: Any) -> str:
    """One line of text in which nothing is markup: what means something to Markdown or HTML is escaped."""
    text = _CONTROL.sub("", _SPACE.sub(" ", str(value))).strip()
    text = _SPECIAL.sub(r"\\\1", text)
    text = _LINKED.sub(lambda found: re.sub(r"([:/.])", r"\\\1", found[0]), text)
    text = _LEADING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def heading(level: int, text: Any) -> str:
    """A heading line."""
    return f"{'#' * level} {plain(text)}"


def table(columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a head; the rows are as long as the head."""
    lines = ["| " + " | ".join(plain(name) for name in columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(plain(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def document(blocks: Iterable[str]) -> str:
    """Blocks with an empty line between them."""
    return "\n\n".join(block for block in blocks if block) + "\n"
