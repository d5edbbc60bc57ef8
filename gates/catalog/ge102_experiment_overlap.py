"""Two tests on the same people (GE102)

## What it checks
The declared A/B test against every other one that is known to run: those other submissions declared with their own evidence
`experiment` (in any unit of the organisation), and those the document names under `others`. Two tests meet when they split by the
same unit, their days overlap, and somebody can be in both: no attribute that both name is without a common value. Layers that are
both named and differ keep them apart.

## Why it matters
Two teams once tested opposite things on the same users: each saw the other's change as noise, or as its own success. Where both
change the same decision in opposite ways neither result can be believed, and people are sent back and forth.

## What good enough looks like
- **Passes** when no other known test meets it.
- **Warns** when one does, naming both teams, the people and the days: the result of each then holds only for the mixture.
- **Fails** when both change the same decision in opposite ways, whatever their layers. One of them has to wait.
- **Not assessed** without start and end. **Not applicable** when no A/B test is declared.

Only declared tests are known here. A test that was never handed in cannot be seen; two that are handed in within the same
minute see each other when one of them is run again.

## How to fix
1. Talk to the team that is named, and agree who goes first or how to split the people.
2. Give the two tests populations that exclude each other, or layers with salts of their own where the changes do not touch.
3. If both have to run together, plan one test with both changes (factorial) and say so.

## Tools
The experiment platform's layers or name spaces (GrowthBook, Statsig, PlanOut); the calendar beneath shows who runs what when.
"""

from __future__ import annotations

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GE102"
NAME = "experiments-overlap"
COLLECTORS = ("experiment",)
NEEDS = ("experiment.conflicts", "experiment.conflict", "experiment.others")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "Two teams test opposite things on the same people, and both believe their result."
LIMITS = {"overlaps_allowed": 0}

FIX = "Agree with the other team who goes first, or give the tests populations or layers that keep them apart."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on every test that meets this one; opposite changes of one decision fail."""
    count = measured.one("experiment.conflicts")
    if count is None or count.value is None:
        return not_assessed((count.reason if count else "") or "No experiment was read.", fix="State start and end of the test.")
    rows = measured.all("experiment.conflict")
    others = measured.one("experiment.others")
    known = int(others.value or 0) if others is not None else 0
    opposite = [row for row in rows if (row.value or 0) >= 2]
    limit = f"<= {limits['overlaps_allowed']} tests on the same people"
    if opposite or count.value > limits["overlaps_allowed"]:
        return strictest(
            [_met(row, limit) for row in rows] or [stated(Verdict.WARN, "Tests overlap.", count, fix=FIX, limit=limit)]
        )
    return stated(Verdict.PASS, f"None of {known} other declared tests meets it beyond what is allowed.", count, limit=limit)


def _met(row: Measure, limit: str) -> GateResult:
    opposite = (row.value or 0) >= 2
    outlook = "One of the two has to wait." if opposite else "Each result then holds only together with the other test."
    return stated(Verdict.FAIL if opposite else Verdict.WARN, f"{row.text}. {outlook}", row, fix=FIX, limit=limit)


def _meets(value: float) -> dict[str, object]:
    both = "gift-order of shop-recommendations and wishlist-order of shop-growth"
    text = f"{both} meet on country de, by visitor, from 2026-11-23 to 2026-12-06"
    return {
        "experiment.others": 3.0,
        "experiment.conflicts": 1.0,
        "experiment.conflict": [Measure("experiment.conflict", value, "experiment=shop-growth/wishlist-order", text=text)],
    }


EXAMPLES = (
    Example("nobody else tests on them", {"experiment.others": 3.0, "experiment.conflicts": 0.0}, Verdict.PASS),
    Example("exactly at the limit: as many as the policy allows", _meets(1.0), Verdict.PASS, {"overlaps_allowed": 1}),
    Example("another test on the same people", _meets(1.0), Verdict.WARN),
    Example("the opposite change of the same decision", _meets(2.0), Verdict.FAIL),
    Example("opposite changes are never allowed", _meets(2.0), Verdict.FAIL, {"overlaps_allowed": 5}),
    Example(
        "no dates",
        {"experiment.conflicts": Measure("experiment.conflicts", None, reason="Without start and end nobody can tell.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
