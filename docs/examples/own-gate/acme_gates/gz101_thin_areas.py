"""Areas with too few people (GZ101)

## What it checks
The share of scored people who live in areas of which the evaluation holds fewer rows than a minimum (30 unless the pack says
otherwise).

## Why it matters
Where a model is judged on a handful of people, nobody knows how it treats that area, whatever the overall figures say.

## What good enough looks like
At most one person in ten lives in an area with too few rows.

## How to fix
Evaluate on more rows of the areas named, or group small areas the way the business does, and submit a revision.

## Tools
A count by area in SQL or pandas shows the same numbers: `frame["postcode"].value_counts()`.
"""

from __future__ import annotations

from gates.spec import Example, GateResult, Limits, Measured, Mode, at_most
from governance.domain.vocabulary import Kind, Role, Verdict

CODE, NAME, COLLECTORS = "GZ101", "thin-areas", ("area_coverage",)
NEEDS = ("area.thin_share",)
KINDS = {Kind.ML_MODEL}
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "People of small areas are decided about by a model nobody has judged there."
LIMITS = {"max_thin_share": 0.10}


def judge(measured: Measured, limits: Limits) -> GateResult:
    return at_most(
        measured,
        NEEDS[0],
        limits["max_thin_share"],
        because="too many people live in areas with too few rows",
        fix="Evaluate on more rows of these areas, or group them, and submit a revision.",
    )


EXAMPLES = (
    Example("covered", {NEEDS[0]: 0.02}, Verdict.PASS),
    Example("at the limit", {NEEDS[0]: 0.10}, Verdict.PASS),
    Example("thin", {NEEDS[0]: 0.35}, Verdict.FAIL),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
