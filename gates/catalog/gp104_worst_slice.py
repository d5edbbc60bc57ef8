"""Much worse on one part of the cases (GP104)

## What it checks
Each slice against all other cases: the values of the columns mapped as `segments` (region, channel, product) and `sensitive`,
and the periods of the column mapped as `time`. Two figures: the error rate of the decisions, and AUC where a slice has 100
positive and 100 negative cases. The worst slice is named first.

## Why it matters
One figure for everybody hides where a model fails: a new region, a sales channel with other data, the last month. The average
hardly moves, the people in that slice do. Slices are how reviewers see performance under varied conditions.

## What good enough looks like
The size of the difference decides; corrected p-values only say whether it can be trusted. Limits are conventions.

- **Passes** when no slice of 100 cases or more has an error rate more than 0.05 above all others, or an AUC more than 0.05 below.
- **Warns** beyond 0.05 with a p-value under 0.05 after Holm's correction for all slices and both figures, or beyond 0.10 without
  it: too few cases to tell.
- **Fails** beyond 0.10 with a corrected p-value under 0.05.
- **Not assessed** without labels, without columns that make slices, or when no slice reaches 100 cases. Slices of 30 to 99
  cases are shown without a verdict, smaller ones only counted.

An error rate depends on how many positives a slice has: a slice with half positives is harder than one with a twentieth. AUC
does not, so read both.

False alarms with no real difference, measured in 250 simulations of 12 slices: on 5,000 cases none fails and 2 % warn; on 1,500
cases (slices of 125) 2.4 % fail and 0.8 % warn.

## How to fix
1. Look at the slice's share of positives and of missing features: other data, or harder cases?
2. A period that is worse than those before it points to drift: compare with the drift gates (GD104, GD105).
3. Add training data of the slice, or a feature that tells it apart; for a channel with other data consider a model of its own.
4. If the slice stays worse, say so in the limitations, and say who decides there instead.

## Tools
Fairlearn (`MetricFrame`) and scikit-learn for figures by slice; Slice Finder and SliceLine look for slices nobody named.
"""

from __future__ import annotations

from gates.judging import strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GP104"
NAME = "worse-on-a-slice"
COLLECTORS = ("slices",)
NEEDS = ("slices.worse", "slices.worse_auc", "slices.error_rate")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "A good average hides a region, a channel or a month in which the model fails."
LIMITS = {
    "max_error_worse_warn": 0.05,
    "max_error_worse_fail": 0.10,
    "max_auc_worse_warn": 0.05,
    "max_auc_worse_fail": 0.10,
    "alpha": 0.05,
}

EDGE = 1e-9
FIX = (
    "Look at the slice's share of positives and missing features, add training data or a feature for it, or name it in the "
    "limitations with who decides there."
)
FIX_NONE = "Map columns as `segments` that split the cases into parts of at least 100, with labels."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the worst slice by either figure, sure ones first."""
    rows = (*measured.all("slices.worse"), *measured.all("slices.worse_auc"))
    tested = [row for row in rows if row.value is not None and row.detail.get("tested", True)]
    if not tested:
        why = next((row.reason for row in rows if row.reason), "No slice was measured.")
        return not_assessed(why, fix=FIX_NONE)
    # worst first, so that the strictest of equals is the worst
    tested.sort(key=lambda row: -(row.value or 0.0))
    return strictest([_slice(row, limits) for row in tested])


def _slice(row: Measure, limits: Limits) -> GateResult:
    figure = "auc" if row.metric.endswith("auc") else "error"
    warn, fail = limits[f"max_{figure}_worse_warn"], limits[f"max_{figure}_worse_fail"]
    value, detail = row.value or 0.0, row.detail
    p = detail.get("p_holm")
    sure = p is not None and p < limits["alpha"]
    name = "AUC" if figure == "auc" else "error rate"
    sides = f" ({detail['slice']:.3f} against {detail['rest']:.3f} in all others)" if "slice" in detail else ""
    interval = f", 95 % interval {row.low:+.3f} to {row.high:+.3f}" if row.low is not None and row.high is not None else ""
    corrected = f", corrected p {p:.2g}" if p is not None else ""
    way = "worse" if value > 0 else "better"
    limit = f"<= {warn:.2f} worse (fails above {fail:.2f})"
    said = f"{row.group}: {name} {abs(value):.3f} {way}{sides} on {row.n or 0:,} cases{interval}{corrected}; limit {limit}"
    verdict, tail = Verdict.PASS, "."
    if value > fail + EDGE and sure:
        verdict, tail = Verdict.FAIL, ": the model fails this part of the cases."
    elif value > warn + EDGE and sure:
        verdict = Verdict.WARN
    elif value > fail + EDGE:
        verdict, tail = Verdict.WARN, ", but there are too few cases to tell."
    fix = "" if verdict is Verdict.PASS else FIX
    return GateResult(verdict, f"{said}{tail}", fix, value, row.low, row.high, row.n, limit, row.group, row.metric)


def _row(value: float, p: float | None, *, metric: str = "slices.worse", n: int = 800, group: str = "region=north") -> Measure:
    detail = {"slice": 0.10 + value, "rest": 0.10, "tested": n >= 100, "p_holm": p}
    return Measure(metric, value, group, value - 0.02, value + 0.02, n, detail=detail)


EXAMPLES = (
    Example("alike everywhere", {"slices.worse": [_row(0.01, 0.6), _row(-0.01, 0.6, group="region=south")]}, Verdict.PASS),
    Example("exactly at the limit", {"slices.worse": [_row(0.05, 0.001)]}, Verdict.PASS),
    Example("worse and sure", {"slices.worse": [_row(0.07, 0.001)]}, Verdict.WARN),
    Example("much worse and sure", {"slices.worse": [_row(0.14, 0.0001), _row(0.01, 0.8, group="region=south")]}, Verdict.FAIL),
    Example("much worse, too few to tell", {"slices.worse": [_row(0.14, 0.3, n=110)]}, Verdict.WARN),
    Example("ranks a slice badly", {"slices.worse_auc": [_row(0.15, 0.0001, metric="slices.worse_auc")]}, Verdict.FAIL),
    Example(
        "no slice is large enough",
        {"slices.worse": [_row(0.3, None, n=60)]},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
