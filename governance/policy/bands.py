"""Bands: limits of one number that raise the track step by step. `yellow: ">= 0.05"`, `red: ">= 0.15"`.

The grammar is closed: one of >=, >, <=, < and a number. The edge belongs to the side the sign says. With
`direction: both` the absolute value is compared. Where a measured interval crosses a limit the stricter side wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance
from governance.policy.conditions import FALSE, PENDING, UNKNOWN, Check, Statements, spread_of

YELLOW, RED = 16, 32
"""Further bits of a mask: the number reaches the yellow band, the red band."""

_BAND = re.compile(r"(>=|>|<=|<)\s*(-?\d{1,15}(?:\.\d{1,15})?)\Z")


class Direction(StrEnum):
    """Which way counts: the number as it is, or its absolute value (both directions)."""

    AS_IS = "as_is"
    BOTH = "both"


@dataclass(frozen=True)
class Band:
    """One parsed limit."""

    sign: str
    limit: float

    @property
    def upward(self) -> bool:
        return self.sign[0] == ">"

    def reaches(self, number: float) -> bool:
        """Whether `number` lies in the band."""
        if self.sign == ">=":
            return number >= self.limit
        if self.sign == ">":
            return number > self.limit
        return number <= self.limit if self.sign == "<=" else number < self.limit

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:g}"


def in_unit(number: float, unit: str) -> str:
    """A limit in the unit people read it in: `15%`, `0.05`."""
    return f"{number * 100:.4g}%" if unit == "percent" else f"{number:.4g}"


def parse_band(raw: object) -> Band:
    """Read `">= 0.05"`. Raises `ValueError` with the grammar."""
    if isinstance(raw, Band):
        return raw
    found = _BAND.match(raw.strip()) if isinstance(raw, str) else None
    if found is None:
        raise ValueError(f'Expected a sign and a number such as ">= 0.05" (signs: >=, >, <=, <), found {raw!r:.80}.')
    return Band(found[1], float(found[2]))


def worst_of(fact: Fact, direction: Direction, upward: bool) -> float | None:
    """The number of a statement that counts: the far end of its interval, absolute where both directions count."""
    spread = spread_of(fact)
    if spread is None:
        return None
    low, high = spread
    if direction is Direction.BOTH:
        nearest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
        low, high = nearest, max(abs(low), abs(high))
    return high if upward else low


def compile_bands(name: str, yellow: Band | None, red: Band | None, direction: Direction, alias: str) -> Check:
    """A closure that gives RED, YELLOW or FALSE for each statement, UNKNOWN or PENDING where there is none."""
    judge = judge_of_bands(yellow, red, direction)
    measured = Assurance.MEASURED

    def check(statements: Statements, pending: Collection[str]) -> int:
        mask = 0
        for fact in statements.get(name, ()):
            if fact.value is not None:
                mask |= judge(fact)
            elif fact.assurance is measured:
                mask |= UNKNOWN
        if mask:
            return mask
        return PENDING if name in pending or alias in pending else UNKNOWN

    return check


def judge_of_bands(yellow: Band | None, red: Band | None, direction: Direction) -> Callable[[Fact], int]:
    """What one known statement makes of the bands. A value that is no number counts as unknown."""
    upward = next(band.upward for band in (red, yellow) if band is not None)

    def judge(fact: Fact) -> int:
        worst = worst_of(fact, direction, upward)
        if worst is None:
            return UNKNOWN
        if red is not None and red.reaches(worst):
            return RED
        return YELLOW if yellow is not None and yellow.reaches(worst) else FALSE

    return judge
