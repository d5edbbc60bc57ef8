"""Facts: named values with provenance, the only thing rules may read.

Several sources may speak about the same name. None is thrown away: the most assured one is shown first, and a
rule looks at *every* value, so that a typed correction or a flattering file can never lower a track that another source raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.domain.vocabulary import Assurance


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about the submission.

    `value` is JSON; None means "said to be unknown" (a legal answer that leads to the stricter side).
    `origin` names who or what says so (file name, register, collector, person reference), `locator` where in it
    (JSON pointer, YAML path, column), `digest` the content it was read from (`sha256:…`).
    `low`, `high`: 95 % interval of a measured number; where it crosses a limit the stricter side wins.
    """

    name: str
    value: Any
    assurance: Assurance
    origin: str
    locator: str = ""
    digest: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> bool:
        return self.value is not None

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": self.name,
            "value": self.value,
            "assurance": int(self.assurance),
            "origin": self.origin,
            "locator": self.locator,
            "digest": self.digest,
        }
        if self.low is not None or self.high is not None:
            row["low"], row["high"] = self.low, self.high
        return row

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fact:
        return cls(
            name=data["name"],
            value=data["value"],
            assurance=Assurance(data["assurance"]),
            origin=data["origin"],
            locator=data.get("locator", ""),
            digest=data.get("digest", ""),
            low=data.get("low"),
            high=data.get("high"),
        )


@dataclass(frozen=True)
class FactSet:
    """All facts of a submission, by name, most assured first (ties: in the order given).

    Immutable; `with_facts` returns a larger set. Order of input does not change `to_json` nor the digest.
    """

    by_name: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> FactSet:
        grouped: dict[str, list[Fact]] = {}
        for fact in facts:
            rows = grouped.setdefault(fact.name, [])
            if fact not in rows:
                rows.append(fact)
        return cls({name: tuple(sorted(rows, key=_order)) for name, rows in sorted(grouped.items())})

    def with_facts(self, facts: Iterable[Fact]) -> FactSet:
        return FactSet.of([*self, *facts])

    def __iter__(self) -> Iterator[Fact]:
        for rows in self.by_name.values():
            yield from rows

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def all(self, name: str) -> tuple[Fact, ...]:
        """Every statement about `name`, most assured first; empty when nobody spoke."""
        return self.by_name.get(name, ())

    def best(self, name: str) -> Fact | None:
        """The most assured *known* statement; else an explicit "unknown"; else None."""
        rows = self.all(name)
        return next((f for f in rows if f.known), rows[0] if rows else None)

    def value(self, name: str) -> Any:
        """The value of `best(name)`, or None when unknown."""
        best = self.best(name)
        return best.value if best else None

    def distinct(self, name: str) -> tuple[Fact, ...]:
        """Known statements with different values, the most assured for each value."""
        seen: list[Fact] = []
        for fact in self.all(name):
            if fact.known and all(not same(fact.value, other.value) for other in seen):
                seen.append(fact)
        return tuple(seen)

    def conflicts(self) -> dict[str, tuple[Fact, ...]]:
        """Names about which sources disagree, with the most assured statement and those that say something else."""
        found = {}
        for name, rows in self.by_name.items():
            known = [fact for fact in rows if fact.known]
            differing = [fact for fact in known[1:] if not agree(known[0], fact)]
            if differing:
                found[name] = (known[0], *differing)
        return found

    def to_json(self) -> list[dict[str, Any]]:
        return [fact.to_json() for fact in self]

    @classmethod
    def from_json(cls, rows: Iterable[Mapping[str, Any]]) -> FactSet:
        return cls.of(Fact.from_json(row) for row in rows)


def same(a: Any, b: Any) -> bool:
    """Whether two fact values say the same: numbers by value, lists as sets, objects whatever the order of their keys,
    booleans only equal booleans."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= 1e-12 * max(abs(a), abs(b), 1.0)
    if isinstance(a, list) and isinstance(b, list):
        return sorted(map(_plain, a)) == sorted(map(_plain, b))
    return bool(a == b)


def _plain(item: Any) -> str:
    """A member of a list in words of its own; the order in which an object names its keys says nothing."""
    return str(sorted((str(key), _plain(value)) for key, value in item.items())) if isinstance(item, dict) else str(item)


NOISE = 0.01
"""Numbers that differ by less than this share say the same: files round, and samples differ."""


def agree(best: Fact, other: Fact) -> bool:
    """Whether two statements say the same to a reader.

    Numbers may differ by a hundredth or lie in the measured interval; digests of different length come from different tools and
    cannot contradict each other.
    """
    a, b = best.value, other.value
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, int | float) or not isinstance(b, int | float):
        if best.name.endswith("digest") and isinstance(a, str) and isinstance(b, str) and len(a) != len(b):
            return True
        return same(a, b)
    inside = best.low is not None and best.high is not None and best.low <= b <= best.high
    return inside or abs(a - b) <= NOISE * max(abs(a), abs(b))


def _order(fact: Fact) -> tuple[int, str, str, str]:
    return (-int(fact.assurance), fact.origin, fact.locator, repr(fact.value))
