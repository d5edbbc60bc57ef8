"""What cards in JSON have in common: one question answered in several places, as a text, a list of texts, or rows.

Tools write a list where their schema says text, and the other way round; both are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.card_text import MAX_SECTION
from governance.prefill.fact_types import FACT_TYPES, ValueKind
from governance.prefill.source import Problem, Source, child, mapping, shown, text

_IN_A_ROW = frozenset({"system.owner", "model.name", "model.task", "model.license", "model.architecture"})


class Said:
    """Collects what a card says by question and gives one fact for each, with every place it was read from."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._parts: dict[str, list[tuple[str, str]]] = {}
        self._problems: list[Problem] = []

    def take(self, name: str, value: Any, place: str, *keys: str, before: str = "", after: str = "") -> None:
        """Note what stands at `place` about the question `name`.

        `keys`: names under which a row says it; several are joined, so that a risk keeps its mitigation. `before`, `after`:
        words put around it, where the place gives the text its meaning. What is no text is a problem; nothing at all is none.
        """
        if value is None or value == "" or value == [] or value == {}:
            return
        rows = [(row, child(place, i)) for i, row in enumerate(value)] if isinstance(value, list) else [(value, place)]
        for row, where in rows:
            said = [text(row)] if text(row) else [text(mapping(row).get(key)) for key in keys if text(mapping(row).get(key))]
            words = ": ".join([*(part.rstrip(".") for part in said[:-1]), *said[-1:]])
            if words:
                self._parts.setdefault(name, []).append((before + words + after, where))
            elif not _empty(row):
                self._problems.append(
                    self._source.problem(
                        where, f"A text was expected here; found {shown(row)}. It is left out: write it as text."
                    )
                )

    def facts(self) -> Iterator[Fact | Problem]:
        """One fact for each question spoken about, then the problems."""
        for name, parts in self._parts.items():
            words = list(dict.fromkeys(words for words, _ in parts))
            places = "; ".join(dict.fromkeys(place for _, place in parts))
            if FACT_TYPES[name].kind is ValueKind.LIST:
                yield self._source.fact(name, words, places)
                continue
            joined = (", " if name in _IN_A_ROW else "\n\n").join(words)
            yield self._source.fact(name, joined if len(joined) <= MAX_SECTION else joined[: MAX_SECTION - 1] + "…", places)
        yield from self._problems


def _empty(row: Any) -> bool:
    """Whether nothing is said: a blank, or a row whose every value is one."""
    return row is None or (isinstance(row, str) and not row.strip()) or (isinstance(row, dict) and not any(row.values()))


def named_values(block: Any, source: Source, path: str) -> tuple[dict[str, Any], list[Problem]]:
    """A mapping, also when it is written as rows of name and value; a name said twice differently keeps the first."""
    if isinstance(block, dict):
        return block, []
    if block is not None and not isinstance(block, list):
        return {}, [source.problem(path, f"Names with values were expected here; found {shown(block)}.")]
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for i, row in enumerate(block or []):
        name = text(mapping(row).get("name"))
        if not name:
            problems.append(source.problem(child(path, i), f"This entry has no name; found {shown(row)}."))
        elif name in found and found[name] != row.get("value"):
            problems.append(
                source.problem(child(path, i), f'"{name[:80]}" is given twice with different values; the first is used.')
            )
        else:
            found.setdefault(name, row.get("value"))
    return found, problems
