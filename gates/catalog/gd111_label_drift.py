"""Drifted labels (GD111)

## What it checks
How often each class occurs in the reference sample and in the current sample (else in the predictions' labels): the ratio
of the shares with Katz's interval, all classes together at 95 %, and the difference with Newcombe's. Where a time column
is mapped, the course by day, week, month or quarter is drawn. A numeric label is compared by the shift of its mean in
standard deviations.

## Why it matters
If defaults rise from 2 to 3 %, a threshold that was right declines too few, precision falls with the base rate, and
calibration is off for everybody, without any change in the features. Features can be steady while the outcome moves:
that is concept drift, and no feature monitor sees it.

## What good enough looks like
Pass: no class's share changed by more than a factor of 1.10, or the interval includes no change. Warn: beyond 1.10. Fail:
beyond 1.25. For numbers 0.10 and 0.25 standard deviations. At least 100 labelled rows on each side; the factors are
conventions.

## How to fix
Ask first whether the labels mean the same: another definition, another waiting time, labels that have not matured yet.
If the world moved, train on newer rows, recalibrate and set the threshold anew. If a class was oversampled on purpose for
training, say so and attach a sample with natural shares.

## Tools
`pandas.crosstab` by month; scikit-learn's `CalibratedClassifierCV` for recalibration; NannyML estimates performance while
labels are missing, but is blind to this very drift.
"""

from __future__ import annotations

from gates.judging import over, stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD111"
NAME = "label-drift"
COLLECTORS = ("label_drift",)
NEEDS = ("label_drift.ratio", "label_drift.mean_shift", "label_drift.class_ratio", "label_drift.rows")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "Thresholds and calibration are tuned to a base rate that is gone."
LIMITS = {"ratio_warn": 1.10, "ratio_fail": 1.25, "shift_warn": 0.10, "shift_fail": 0.25}
_FIX = "Ask whether the labels still mean the same; then retrain on newer rows, recalibrate and set the threshold anew."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """The class whose share moved most, or the mean; only where the interval excludes no change."""
    shift, ratio = measured.one("label_drift.mean_shift"), measured.one("label_drift.ratio")
    if shift is not None and shift.value is not None:
        return _mean(shift, limits)
    if ratio is None or ratio.value is None:
        row = ratio or shift
        reason = (row.reason if row is not None else "") or measured.not_measured.get(
            "label_drift", "The labels were not compared."
        )
        return not_assessed(reason, fix="Map columns.label in the reference sample and in the current sample or the predictions.")
    where = f" ({ratio.text})" if ratio.text else ""
    if ratio.low is not None and ratio.low <= 1 < ratio.value:
        says = f"The shares of the labels{where} differ by a factor of {ratio.value:.2f}, but no change is as likely."
        return stated(Verdict.PASS, says, ratio, limit=f"<= {limits['ratio_warn']:.2f}")
    return over(
        ratio, warn=limits["ratio_warn"], fail=limits["ratio_fail"], says=f"The factor by which a label's share changed{where}",
        because="thresholds and calibration no longer fit", fix=_FIX,
    )  # fmt: skip


def _mean(shift: Measure, limits: Limits) -> GateResult:
    value = shift.value or 0.0
    low, high = (shift.low or 0.0), (shift.high or 0.0)
    if low <= 0 <= high:
        return stated(
            Verdict.PASS, f"The mean of the labels did not move beyond chance ({shift.text or f'{value:+.2f} SD'}).", shift
        )
    size = Measure(shift.metric, abs(value), low=min(abs(low), abs(high)), high=max(abs(low), abs(high)), n=shift.n)
    return over(
        size, warn=limits["shift_warn"], fail=limits["shift_fail"], because="the outcome itself moved", fix=_FIX,
        says=f"The shift of the labels' mean in standard deviations{f' ({shift.text})' if shift.text else ''}",
    )  # fmt: skip


EXAMPLES = (
    Example("steady", {"label_drift.ratio": Measure("label_drift.ratio", 1.03, low=0.98, high=1.08)}, Verdict.PASS),
    Example("exactly at the limit", {"label_drift.ratio": Measure("label_drift.ratio", 1.10, low=1.05, high=1.15)}, Verdict.PASS),
    Example(
        "moved, but within chance", {"label_drift.ratio": Measure("label_drift.ratio", 1.20, low=0.95, high=1.51)}, Verdict.PASS
    ),
    Example(
        "defaults up by a fifth", {"label_drift.ratio": Measure("label_drift.ratio", 1.20, low=1.12, high=1.29)}, Verdict.WARN
    ),
    Example(
        "defaults up by half",
        {"label_drift.ratio": Measure("label_drift.ratio", 1.5, low=1.4, high=1.6, text="class 1: 2.00% before, 3.00% now")},
        Verdict.FAIL,
    ),
    Example(
        "a mean that moved",
        {"label_drift.mean_shift": Measure("label_drift.mean_shift", -0.3, low=-0.35, high=-0.25)},
        Verdict.FAIL,
    ),
    Example(
        "a mean within chance",
        {"label_drift.mean_shift": Measure("label_drift.mean_shift", 0.02, low=-0.03, high=0.07)},
        Verdict.PASS,
    ),
    Example(
        "too few rows",
        {"label_drift.ratio": Measure("label_drift.ratio", None, reason="Labels of 100 rows are needed.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
