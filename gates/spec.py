"""What a gate is made of. Pure: a gate judges stored measurements and nothing else.

A gate is one module in `gates/catalog/` with:

- a docstring: title line `Name of the defect (CODE)`, then the headings `## What it checks`, `## Why it matters`,
  `## What good enough looks like`, `## How to fix`, `## Tools`;
- `CODE`, `NAME` (kebab-case, states what is checked), `COLLECTORS` (names of the collectors whose measurements it reads),
  `NEEDS` (metric names), `KINDS`, `READ_BY` (role that may judge it), `MODE` (automatic, human, automatic_with_reading),
  `RISK` (one sentence: what goes wrong without it), `LIMITS` (default limits, overridden by the policy pack);
- `judge(measured, limits) -> GateResult`;
- `EXAMPLES`, which are its tests: a passing, a failing, an unmeasured one, and one exactly at the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from governance.domain.vocabulary import Verdict

HEADINGS = ("What it checks", "Why it matters", "What good enough looks like", "How to fix", "Tools")


class Mode(StrEnum):
    """Who judges: the machine, a person, or the machine with a person's reading."""

    AUTOMATIC = "automatic"
    HUMAN = "human"
    AUTOMATIC_WITH_READING = "automatic_with_reading"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured number (or short text) before any judgement.

    `group` is "" for the whole, else `attribute=value` (`sex=female`, `sex=female & age_band=25-34`, `feature=income`).
    `low`, `high`: interval bounds at the level the collector states in `detail["level"]` (default 95 %); `n`: rows it rests on.
    `value` None with `reason` means "looked, could not tell" (too few rows, one class only); `text` carries names
    (of a metric, of columns) where a number cannot.
    """

    metric: str
    value: float | None = None
    group: str = ""
    low: float | None = None
    high: float | None = None
    n: int | None = None
    text: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """The measurements of one submission, as gates read them.

    `not_measured` maps a collector to why it has no result (missing evidence, crash, timeout); `not_applicable` likewise.
    """

    rows: tuple[Measure, ...] = ()
    not_measured: Mapping[str, str] = field(default_factory=dict)
    not_applicable: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Measure]:
        return iter(self.rows)

    def all(self, metric: str) -> tuple[Measure, ...]:
        """Every row of a metric, whole first, then groups in the order stored."""
        return tuple(row for row in self.rows if row.metric == metric)

    def one(self, metric: str, group: str = "") -> Measure | None:
        """The row of a metric for a group, or None."""
        return next((row for row in self.rows if row.metric == metric and row.group == group), None)

    @classmethod
    def of(cls, values: Mapping[str, float | Measure | Iterable[Measure] | None]) -> Measured:
        """Build from `{metric: number | Measure | [Measure, …]}`: the short form used by examples."""
        rows: list[Measure] = []
        for metric, value in values.items():
            if value is None:
                continue
            if isinstance(value, Measure):
                rows.append(value)
            elif isinstance(value, int | float):
                rows.append(Measure(metric, float(value)))
            else:
                rows.extend(value)
        return cls(tuple(rows))


Limits = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GateResult:
    """A verdict with its reason, the observed value and the limit in one object; nothing recomputes "why".

    `says`: one plain sentence with value, limit and direction; `fix`: what to do next; `observed`/`low`/`high`/`n`: the deciding
    measurement; `limit`: as people read it (`>= 0.80`); `group`: the group that decided; `notes`: further sentences (other
    groups).
    """

    verdict: Verdict
    says: str
    fix: str = ""
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    limit: str = ""
    group: str = ""
    metric: str = ""
    notes: tuple[str, ...] = ()

    def with_fix(self, fix: str) -> GateResult:
        return replace(self, fix=fix)


@dataclass(frozen=True, slots=True)
class Example:
    """A worked case: documentation and test at once."""

    name: str
    measured: Mapping[str, Any]
    verdict: Verdict
    limits: Mapping[str, Any] = field(default_factory=dict)


def not_assessed(why: str, *, fix: str = "") -> GateResult:
    """No verdict possible: blocks like a failure where the gate blocks, and says why."""
    return GateResult(Verdict.NOT_ASSESSED, why, fix)


def not_applicable(why: str) -> GateResult:
    """The policy or the facts say this gate has no object here."""
    return GateResult(Verdict.NOT_APPLICABLE, why)


def at_least(
    measured: Measured, metric: str, limit: float, *, because: str, group: str = "", fmt: str = ".2f", fix: str = ""
) -> GateResult:
    """Pass when the value is at or above `limit`; warn when it is, but its interval reaches below."""
    return _against(measured, metric, limit, because=because, group=group, fmt=fmt, fix=fix, sign=1)


def at_most(
    measured: Measured, metric: str, limit: float, *, because: str, group: str = "", fmt: str = ".2f", fix: str = ""
) -> GateResult:
    """Pass when the value is at or below `limit`; warn when it is, but its interval reaches above."""
    return _against(measured, metric, limit, because=because, group=group, fmt=fmt, fix=fix, sign=-1)


def _against(
    measured: Measured, metric: str, limit: float, *, because: str, group: str, fmt: str, fix: str, sign: int
) -> GateResult:
    row = measured.one(metric, group)
    if row is None or row.value is None:
        return not_assessed((row.reason if row else "") or f"{metric} was not measured.", fix=fix)
    shown_limit = f"{'>=' if sign > 0 else '<='} {limit:{fmt}}"
    holds = row.value >= limit if sign > 0 else row.value <= limit
    edge = row.low if sign > 0 else row.high
    reaches = edge is not None and (edge < limit if sign > 0 else edge > limit)
    verdict = Verdict.FAIL if not holds else Verdict.WARN if reaches else Verdict.PASS
    interval = f" (95 % interval {row.low:{fmt}} to {row.high:{fmt}})" if row.low is not None and row.high is not None else ""
    tail = {
        Verdict.FAIL: f": {because}.",
        Verdict.WARN: ", but the interval reaches past it: more rows would settle it.",
        Verdict.PASS: ".",
    }[verdict]
    says = f"{metric} is {row.value:{fmt}}{interval}, limit {shown_limit}{tail}"
    return GateResult(
        verdict, says, "" if verdict is Verdict.PASS else fix, row.value, row.low, row.high, row.n, shown_limit, group, metric
    )


def present(measured: Measured, metric: str, *, missing: str, fix: str = "") -> GateResult:
    """Pass when a 0/1 measurement says the thing is there; fail when it says it is not."""
    row = measured.one(metric)
    if row is None or row.value is None:
        return not_assessed((row.reason if row else "") or f"{metric} was not looked at.", fix=fix)
    if row.value >= 1:
        return GateResult(Verdict.PASS, row.text or f"{metric} is there.", observed=row.value, limit="present", metric=metric)
    return GateResult(Verdict.FAIL, row.text or missing, fix, row.value, limit="present", metric=metric)
