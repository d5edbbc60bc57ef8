"""Sentences with facts in them. The grammar is closed: no attribute, index or call can be reached.

`{decision.domain}` a fact · `{performance.relative_change:+.2%}` with a number format ·
`{model.new_features|count feature}` how many (1 feature, 3 features) ·
`{champion.version?the champion}` words to use when nothing is known · `{limit}` the limit of the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from governance.policy.conditions import as_number, is_fact_name

_FIELD = re.compile(r"([a-z][a-z0-9_.]*)(?::([+]?,?(?:\.\d)?[%fgd]))?(?:\|(count)( [a-z][a-z ]{0,30})?)?(?:\?([^{}]{0,80}))?\Z")
_PARTS = re.compile(r"\{([^{}]*)\}")
MOST_ITEMS = 5
MOST_LETTERS = 160


@dataclass(frozen=True)
class Field:
    """One place to fill."""

    name: str
    spec: str = ""
    count: bool = False
    noun: str = ""
    otherwise: str = "unknown"


@dataclass(frozen=True)
class Template:
    """A parsed sentence: text and fields in turn. Made by `parse_template`."""

    text: str
    parts: tuple[str | Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Facts the sentence shows."""
        return tuple(part.name for part in self.parts if isinstance(part, Field) and part.name != "limit")

    def fill(self, value_of: Callable[[str], Any], limit: str = "") -> str:
        """The sentence with `value_of(fact name)` filled in."""
        return "".join(
            part if isinstance(part, str) else limit if part.name == "limit" else show(value_of(part.name), part)
            for part in self.parts
        )


def parse_template(raw: Any) -> Template:
    """Read a sentence. Raises `ValueError` that quotes what is not understood."""
    if isinstance(raw, Template):
        return raw
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError(f"Expected a sentence, found {raw!r:.80}.")
    parts: list[str | Field] = []
    end = 0
    for found in _PARTS.finditer(raw):
        parts.append(_literal(raw[end : found.start()]))
        field = _FIELD.match(found[1])
        if field is None or not is_fact_name(field[1]):
            raise ValueError(
                f"“{{{found[1]}}}” is not understood. "
                "Write {fact.name}, {fact.name:+.1%}, {fact.name|count} or {fact.name?words}."
            )
        parts.append(
            Field(field[1], field[2] or "", bool(field[3]), field[4] or "", field[5] if field[5] is not None else "unknown")
        )
        end = found.end()
    parts.append(_literal(raw[end:]))
    return Template(raw, tuple(part for part in parts if part))


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError("A curly bracket is left open. Close it, or leave it out.")
    return text


def show(value: Any, field: Field) -> str:
    """A fact value as words: numbers by the format, lists joined, long text cut, nothing executed."""
    if field.count:
        if value is None:
            return field.otherwise
        many = len(value) if isinstance(value, list | Mapping) else 1
        return f"{many}{field.noun}{'s' if field.noun and many != 1 else ''}"
    if value is None:
        return field.otherwise
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = as_number(value)
    if number is not None:
        whole = field.spec.endswith("d") and number.is_integer()
        return format(int(number), field.spec) if whole else format(number, field.spec.replace("d", "g") or ".6g")
    if isinstance(value, list):
        items = [_plain(item) for item in value[:MOST_ITEMS]]
        more = len(value) - len(items)
        return (", ".join(items) + (f" and {more} more" if more else "")) or "none"
    return _plain(value)


def _plain(value: Any) -> str:
    """One line of text: control characters become blanks, length is capped."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
