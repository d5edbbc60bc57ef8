"""Scores that do not mean what they say (GP103)

## What it checks
Whether a score of 0.30 comes true in 30 of 100 cases, for everybody and for each group of the columns mapped as `sensitive`:
mean score against observed rate (calibration in the large), the distance in bins of the score (expected calibration error),
Cox's calibration slope, and the Brier score. Rows are counted per score bin first, so the number of rows does not matter.

## Why it matters
A limit, a price or a threshold set on a probability is wrong when the probability is. A model can rank cases well (AUC) and
still promise twice the defaults that come. Where one group's scores are too high, people of that group are refused at risks at
which others are accepted, though the threshold is the same for all. A slope under 1 means scores that are too extreme: the
model has learned its training data by heart.

## What good enough looks like
The distance decides; the 95 % interval says whether to trust it. All limits are conventions: set them for the use.

- **Passes** when the mean score is within 0.02 of the observed rate, the expected calibration error is at most 0.05, the slope is
  between 0.80 and 1.25, and no group of 100 people or more is off by more than 0.05.
- **Warns** beyond one of these where the interval excludes being right, or beyond a failing limit where it does not exclude it
  (too few cases to tell).
- **Fails** when the mean score is off by more than 0.05, the expected calibration error is over 0.10, or a group is off by more
  than 0.10, each with an interval that excludes being right. Intervals of groups are adjusted for the number of groups
  (Bonferroni).
- **Not assessed** without scores or labels, or with fewer than 100 positive or 100 negative cases. Groups of 30 to 99 people
  are shown without a verdict, smaller ones are only counted.

The expected calibration error is never zero: noise alone makes it positive. Its bounds have the noise taken out, and the floor
beside it says what perfectly calibrated scores show on as many cases.

False alarms with perfectly calibrated scores, measured in 100 to 300 simulations each (one attribute with four groups): none at
10,000 cases; at 2,000 none fails and 6 % warn; at 500 cases 4 % fail and 13 % warn.

## How to fix
1. Look at the reliability diagram: one side of the line everywhere is a shifted base rate, a tilted line is overfitting.
2. Recalibrate on fresh data the model has not seen: an intercept for a shift, Platt scaling for a tilt, isotonic regression
   where there are thousands of cases. None of them changes the order of cases much.
3. A single group off the line needs features or data for it; one threshold for all does not help it.
4. Check that no class weights or down-sampling were used in training without correcting the scores afterwards.

## Tools
scikit-learn (`CalibratedClassifierCV`, `calibration_curve`, `brier_score_loss`), Fairlearn for the groups;
`val.prob` of the R package `rms` gives the same slope and intercept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gates.judging import strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GP103"
NAME = "scores-miss-outcomes"
COLLECTORS = ("calibration",)
NEEDS = ("calibration.gap", "calibration.expected_error", "calibration.slope", "calibration.group_gap", "calibration.brier")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "Decisions rest on probabilities that do not come true, for everybody or for one group."
LIMITS = {
    "max_gap_warn": 0.02,
    "max_gap_fail": 0.05,
    "max_error_warn": 0.05,
    "max_error_fail": 0.10,
    "min_slope": 0.80,
    "max_slope": 1.25,
    "max_group_gap_warn": 0.05,
    "max_group_gap_fail": 0.10,
}

EDGE = 1e-9
FIX = (
    "Look at the reliability diagram, then recalibrate on fresh data: an intercept for a shift, Platt or isotonic scaling for a "
    "tilt; more data or features where one group is off."
)
FIX_FEW = "Evaluate on at least 100 positive and 100 negative cases with scores and labels."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the gap, the expected error and the slope of all cases, and on the gap of each group."""
    gap, error = measured.one("calibration.gap"), measured.one("calibration.expected_error")
    if gap is None or gap.value is None:
        return not_assessed((gap.reason if gap else "") or "Calibration was not measured.", fix=FIX_FEW)
    results = [_distance(gap, limits["max_gap_warn"], limits["max_gap_fail"], _words(gap))]
    if error is not None and error.value is not None:
        said = f"The expected calibration error is {error.value:.3f}{_interval(error)}"
        results.append(_distance(error, limits["max_error_warn"], limits["max_error_fail"], said))
    slope = measured.one("calibration.slope")
    if slope is not None and slope.value is not None:
        results.append(_slope(slope, limits))
    groups = measured.all("calibration.group_gap")
    results += _groups(groups, limits)
    found = strictest(results)
    return replace(found, notes=(*found.notes, *_thin(groups, limits)))


def _distance(row: Measure, warn: float, fail: float, said: str) -> GateResult:
    """A distance that should be near zero: the size decides, the interval says whether it is more than noise."""
    size = abs(row.value or 0.0)
    sure = row.low is not None and row.high is not None and (row.low > 0 or row.high < 0)
    limit = f"<= {warn:.2f} (fails above {fail:.2f})"

    def result(verdict: Verdict, tail: str) -> GateResult:
        fix = "" if verdict is Verdict.PASS else FIX
        return GateResult(verdict, f"{said}; limit {limit}{tail}", fix, row.value, row.low, row.high, row.n, limit, row.group,
                          row.metric)  # fmt: skip

    if size > fail + EDGE and sure:
        return result(Verdict.FAIL, ": scores do not mean what they say.")
    if size > warn + EDGE and sure:
        return result(Verdict.WARN, ".")
    if size > fail + EDGE:
        return result(Verdict.WARN, ", but there are too few cases to tell: the interval includes zero.")
    return result(Verdict.PASS, ".")


def _slope(row: Measure, limits: Limits) -> GateResult:
    least, most = limits["min_slope"], limits["max_slope"]
    value = row.value or 0.0
    sure = row.low is not None and row.high is not None and (row.low > 1 or row.high < 1)
    beyond = value < least - EDGE or value > most + EDGE
    limit = f"{least:.2f} to {most:.2f}"
    meaning = ": scores are too extreme, as after overfitting" if value < 1 else ": scores are too timid"
    verdict = Verdict.WARN if beyond and sure else Verdict.PASS
    said = f"The calibration slope is {value:.2f}{_interval(row)}; limit {limit}{meaning if verdict is Verdict.WARN else ''}."
    return GateResult(
        verdict, said, FIX if verdict is Verdict.WARN else "", value, row.low, row.high, row.n, limit, metric=row.metric
    )


def _groups(rows: Sequence[Measure], limits: Limits) -> list[GateResult]:
    tested = [row for row in rows if row.value is not None and row.detail.get("tested", True)]
    return [
        _distance(row, limits["max_group_gap_warn"], limits["max_group_gap_fail"], f"{row.group}: {_words(row)}")
        for row in tested
    ]


def _thin(rows: Sequence[Measure], limits: Limits) -> tuple[str, ...]:
    """What groups too small for a verdict show beyond the limit."""
    return tuple(
        f"Too few people for a verdict: {row.group}: {_words(row)}."
        for row in rows
        if row.value is not None and not row.detail.get("tested", True) and abs(row.value) > limits["max_group_gap_fail"]
    )


def _words(row: Measure) -> str:
    value, detail = row.value or 0.0, row.detail
    sides = (
        f"mean score {detail['mean_score']:.3f} against an observed rate of {detail['observed_rate']:.3f}: "
        if "mean_score" in detail
        else ""
    )
    way = "too high" if value > 0 else "too low" if value < 0 else "right"
    return f"{sides}scores are {abs(value):.3f} {way}{_interval(row)} on {row.n or 0:,} cases"


def _interval(row: Measure) -> str:
    return f" (interval {row.low:.3f} to {row.high:.3f})" if row.low is not None and row.high is not None else ""


def _gap(value: float, low: float, high: float) -> Measure:
    return Measure("calibration.gap", value, low=low, high=high, n=10_000)


def _error(value: float, low: float, high: float) -> Measure:
    return Measure("calibration.expected_error", value, low=low, high=high, n=10_000)


def _slope_row(value: float, low: float, high: float) -> Measure:
    return Measure("calibration.slope", value, low=low, high=high, n=10_000)


def _group(value: float, low: float, high: float, n: int = 2_000) -> Measure:
    return Measure("calibration.group_gap", value, "sex=female", low, high, n, detail={"tested": n >= 100})


RIGHT = {"calibration.gap": _gap(0.004, -0.003, 0.011), "calibration.expected_error": _error(0.01, 0.0, 0.02),
         "calibration.slope": _slope_row(0.98, 0.93, 1.03)}  # fmt: skip

EXAMPLES = (
    Example("scores mean what they say", {**RIGHT, "calibration.group_gap": [_group(0.01, -0.01, 0.03)]}, Verdict.PASS),
    Example("exactly at the limit", {**RIGHT, "calibration.gap": _gap(0.02, 0.012, 0.028)}, Verdict.PASS),
    Example("three points too high", {**RIGHT, "calibration.gap": _gap(0.03, 0.02, 0.04)}, Verdict.WARN),
    Example("eight points too high", {**RIGHT, "calibration.gap": _gap(0.08, 0.07, 0.09)}, Verdict.FAIL),
    Example("seven points, too few to tell", {**RIGHT, "calibration.gap": _gap(-0.07, -0.16, 0.02)}, Verdict.WARN),
    Example(
        "right on average, wrong in the bins", {**RIGHT, "calibration.expected_error": _error(0.12, 0.1, 0.14)}, Verdict.FAIL
    ),
    Example("overfitted", {**RIGHT, "calibration.slope": _slope_row(0.6, 0.55, 0.65)}, Verdict.WARN),
    Example("one group far too high", {**RIGHT, "calibration.group_gap": [_group(0.12, 0.09, 0.15)]}, Verdict.FAIL),
    Example("a group of 60 is shown only", {**RIGHT, "calibration.group_gap": [_group(0.3, 0.1, 0.5, 60)]}, Verdict.PASS),
    Example(
        "too few cases",
        {"calibration.gap": Measure("calibration.gap", None, reason="Calibration needs at least 100 positive rows.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
