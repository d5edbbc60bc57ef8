"""Data of other people (GD110)

## What it checks
The share of each group in the training data and in the evaluation data over its share in a declared population (a census,
a customer register): ratio with Wilson's interval, all groups of a file together at 95 %. The population is a table handed
in as evidence or registered by name. Values that the population does not know are named and left out.

## Why it matters
A model is worst where it saw the fewest rows. If a tenth of the customers is over 60 and one row in a hundred of the
training data is, the average looks fine and those people get a guess. Fairness measured on an evaluation set without them
says nothing about them either.

## What good enough looks like
Pass: every group between 0.8 and 1.25 times its share, or an interval that includes 1. Warn: outside. Fail: under half or
over twice its share. Groups the population expects fewer than 30 times are too small to tell and are listed. Without a
declared population the gate does not apply. The factors are conventions.

## How to fix
Collect more rows of the missing group before anything else; weighting repairs averages, not knowledge. If the model is
meant for other people than the table says, declare that population. Where a group stays thin, say so in the limitations
and have its decisions reviewed by a person.

## Tools
Census tables and your own customer register for the population; `pandas.crosstab(normalize=True)` for the shares.
"""

from __future__ import annotations

from dataclasses import replace

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD110"
NAME = "data-representativeness"
COLLECTORS = ("representativeness",)
NEEDS = ("representativeness.ratio", "representativeness.groups", "representativeness.too_small")
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE})
READ_BY = Role.ETHICS
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "The model guesses for the people it hardly saw, and the average hides it."
LIMITS = {"min_ratio_warn": 0.8, "min_ratio_fail": 0.5}
_FIX = "Collect rows of this group; until then say in the limitations that the model hardly knows it."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Every group that can be told; the furthest off among the failing ones speaks first."""
    rows = [row for row in measured.all("representativeness.ratio") if row.value is not None]
    groups = measured.one("representativeness.groups")
    if not rows:
        reason = (groups.reason if groups is not None else "") or measured.not_measured.get(
            "representativeness", "No group was large enough to be compared with a population."
        )
        return not_assessed(reason, fix="Declare a population, and hand in the attributes beside the predictions.")
    rows.sort(key=lambda row: min(row.value or 0.0, 1 / row.value if row.value else 0.0))
    small = measured.one("representativeness.too_small")
    notes = (f"Too small to tell: {small.text}.",) if small is not None and small.value and small.text else ()
    results = [_one(row, limits) for row in rows]
    if all(result.verdict is Verdict.PASS for result in results):
        first = rows[0]
        says = (
            f"{len(rows)} groups have about their share of the population; furthest off is {_name(first)} at {first.value:.2f}."
        )
        result = stated(Verdict.PASS, says, first, limit=_range(limits["min_ratio_warn"]))
    else:
        result = strictest(results)
    return replace(result, notes=(*result.notes[:8], *notes))


def _one(row: Measure, limits: Limits) -> GateResult:
    value = row.value or 0.0
    certain = row.low is None or row.high is None or not row.low <= 1 <= row.high
    size = min(value, 1 / value) if value > 0 else 0.0
    verdict = Verdict.PASS
    if certain and size < limits["min_ratio_fail"]:
        verdict = Verdict.FAIL
    elif certain and size < limits["min_ratio_warn"]:
        verdict = Verdict.WARN
    limit = _range(limits["min_ratio_fail"] if verdict is Verdict.FAIL else limits["min_ratio_warn"])
    words = "fewer" if value < 1 else "more"
    detail = f" ({row.text})" if row.text else ""
    tail = f": {words} than the population has." if verdict is not Verdict.PASS else "."
    says = f"{_name(row)} has {value:.2f} times its share{detail}, limit {limit}{tail}"
    return stated(verdict, says, row, fix="" if verdict is Verdict.PASS else _FIX, limit=limit)


def _range(low: float) -> str:
    return f"{low:.2f} to {1 / low:.2f}"


def _name(row: Measure) -> str:
    file, _, group = row.group.partition(" & ")
    return f"{group} in the {file.removeprefix('file=')} data" if group else row.group or "a group"


def _ratio(value: float, low: float, high: float) -> Measure:
    return Measure("representativeness.ratio", value, "file=training & age_band=60+", low, high, 10_000)


EXAMPLES = (
    Example("as in the population", {"representativeness.ratio": _ratio(0.97, 0.9, 1.04)}, Verdict.PASS),
    Example("exactly at the limit", {"representativeness.ratio": _ratio(0.8, 0.75, 0.85)}, Verdict.PASS),
    Example("too few to be sure", {"representativeness.ratio": _ratio(0.7, 0.4, 1.1)}, Verdict.PASS),
    Example("a third too few", {"representativeness.ratio": _ratio(0.66, 0.6, 0.72)}, Verdict.WARN),
    Example("a tenth of its share", {"representativeness.ratio": _ratio(0.10, 0.08, 0.13)}, Verdict.FAIL),
    Example("three times its share", {"representativeness.ratio": _ratio(3.0, 2.8, 3.2)}, Verdict.FAIL),
    Example("nobody of the group", {"representativeness.ratio": _ratio(0.0, 0.0, 0.02)}, Verdict.FAIL),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
