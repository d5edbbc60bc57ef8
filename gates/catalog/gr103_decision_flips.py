"""Too many flipped decisions (GR103)

## What it checks
The same rows, decided by the champion and by the candidate, joined on their key: how many decisions differ, in which
direction, in which groups, and how many were right before and are wrong now (negative flips). McNemar's test and the
largest score moves are shown.

## Why it matters
Two models with the same accuracy can disagree about one case in ten. Each flip is a person who gets another answer than
last week, a case that was flagged yesterday and is not today, a downstream team that was not told. And a rollback flips
them all back.

## What good enough looks like
Pass: at most 5 % of decisions flip and no group flips more than twice as often as all (with 100 rows or more, and an
interval above the overall rate). Fail: over 10 %. These are conventions: retrains with another seed alone flip 2.0 to 2.2
% on Adult and 0.4 to 1.0 % on ACS, bootstrap retrains up to 3.9 %.

## How to fix
Read the cases with the largest score move and the groups above the line. If the flips come from the threshold, choose it
so that as many are selected as before. Train with the champion's decisions as a guide (positive-congruent training), or
keep the seed and the data order between retrains. If the change is wanted, tell downstream teams before it goes live.

## Tools
The row key in both files; never join by position. Literature: Yan et al. 2021, positive-congruent training.
"""

from __future__ import annotations

from gates.judging import over, stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_applicable, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GR103"
NAME = "decision-flips"
COLLECTORS = ("rollback",)
NEEDS = ("rollback.flip_rate", "rollback.segment_flip_rate", "rollback.negative_flip_rate", "rollback.no_champion")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "People get another decision than before, and nobody expected or explained it."
LIMITS = {"flip_rate_warn": 0.05, "flip_rate_fail": 0.10, "group_factor": 2.0, "min_group": 100, "min_rows": 100}
_FIX = "Read the cases with the largest score move, and tell downstream teams what changes."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Overall rate by the bands; a group warns when it flips clearly more than its share."""
    rate, none = measured.one("rollback.flip_rate"), measured.one("rollback.no_champion")
    if rate is None and none is not None and none.value:
        return not_applicable(none.text or "There is no earlier version whose decisions could flip.")
    if rate is None or rate.value is None:
        reason = (rate.reason if rate else "") or measured.not_measured.get("rollback", "Decisions were not compared.")
        return not_assessed(reason, fix="Attach predictions of champion and candidate on the same rows, with the row key.")
    if rate.n is not None and rate.n < limits["min_rows"]:
        return not_assessed(
            f"Only {rate.n} rows are in both files; a verdict needs {limits['min_rows']}.",
            fix="Score more rows with both versions.",
        )
    results = [
        over(
            rate,
            warn=limits["flip_rate_warn"],
            fail=limits["flip_rate_fail"],
            says="The share of decisions that flip",
            because="many people get another answer than before",
            fix=_FIX,
            fmt=".1%",
        ),
    ]
    for row in measured.all("rollback.segment_flip_rate"):
        if row.value is None or (row.n is not None and row.n < limits["min_group"]):
            continue
        clear = row.low is None or row.low > rate.value
        if row.value > limits["group_factor"] * rate.value and clear:
            says = (
                f"{row.group} flips in {row.value:.1%} of cases, over {limits['group_factor']:g} times the overall "
                f"{rate.value:.1%}."
            )
            results.append(stated(Verdict.WARN, says, row, fix=_FIX, limit=f"<= {limits['group_factor'] * rate.value:.1%}"))
    return strictest(results)


EXAMPLES = (
    Example("a retrain with another seed", {"rollback.flip_rate": 0.021}, Verdict.PASS),
    Example("exactly at the limit", {"rollback.flip_rate": 0.05}, Verdict.PASS),
    Example("one in sixteen", {"rollback.flip_rate": 0.06}, Verdict.WARN),
    Example("exactly at the failing limit", {"rollback.flip_rate": 0.10}, Verdict.WARN),
    Example("one in eight", {"rollback.flip_rate": 0.125}, Verdict.FAIL),
    Example(
        "one group bears them",
        {
            "rollback.flip_rate": 0.03,
            "rollback.segment_flip_rate": Measure(
                "rollback.segment_flip_rate", 0.09, "age_band=18-24", low=0.07, high=0.11, n=800
            ),
        },
        Verdict.WARN,
    ),
    Example("first version", {"rollback.no_champion": 1.0}, Verdict.NOT_APPLICABLE),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
