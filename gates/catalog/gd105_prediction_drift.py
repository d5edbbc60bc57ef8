"""Drifted scores (GD105)

## What it checks
The distribution of the model's score: in the current sample against the reference sample where both carry one, else the
candidate's score against the champion's on the evaluation rows. PSI with the reference's deciles as bins, as in feature
drift.

## Why it matters
Everything downstream is tuned to the score: thresholds, queues, prices, staffing. If its distribution moves, twice as
many cases may be declined or sent to people at the same threshold. It is also the first sign of drift that needs no
labels.

## What good enough looks like
Pass: PSI at most 0.10, or at most what chance alone stays below 99.9 % of the time at these row numbers. Fail: above
0.25. At least 500 rows on each side.

## How to fix
Read the flips and the feature drift first: they name the cases and the inputs. If the candidate is simply calibrated
otherwise, move the threshold with it and say so (a threshold change is a change of its own); if the population changed,
renew the reference.

## Tools
The overlay picture shows where the mass went. `sklearn.calibration.calibration_curve` tells calibration from drift where
labels exist.
"""

from __future__ import annotations

from gates.judging import over
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD105"
NAME = "prediction-drift"
COLLECTORS = ("drift",)
NEEDS = ("drift.prediction_psi",)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "At the same threshold many more, or many fewer, people are declined, and nobody planned for it."
LIMITS = {"psi_warn": 0.10, "psi_fail": 0.25}


def judge(measured: Measured, limits: Limits) -> GateResult:
    """PSI of the score against the bands; the lower band never lies below what chance shows."""
    row = measured.one("drift.prediction_psi")
    if row is None or row.value is None:
        reason = (row.reason if row else "") or measured.not_measured.get("drift", "The score's drift was not measured.")
        return not_assessed(reason, fix="Map columns.score in both samples, or in both prediction files.")
    warn = max(limits["psi_warn"], float(row.detail.get("null_point", 0.0)))
    what = f" ({row.text})" if row.text else ""
    return over(
        row,
        warn=warn,
        fail=max(warn, limits["psi_fail"]),
        says=f"PSI of the score{what}",
        because="the scores are distributed differently",
        fix="Read the flips and the feature drift; adjust the threshold with the calibration, or renew the reference.",
        fmt=".3f",
    )


EXAMPLES = (
    Example("steady", {"drift.prediction_psi": 0.02}, Verdict.PASS),
    Example("exactly at the limit", {"drift.prediction_psi": 0.10}, Verdict.PASS),
    Example(
        "within chance for few rows",
        {"drift.prediction_psi": Measure("drift.prediction_psi", 0.108, detail={"null_point": 0.111})},
        Verdict.PASS,
    ),
    Example("moved", {"drift.prediction_psi": 0.18}, Verdict.WARN),
    Example("moved far", {"drift.prediction_psi": 0.31}, Verdict.FAIL),
    Example(
        "no score",
        {"drift.prediction_psi": Measure("drift.prediction_psi", None, reason="No score to compare.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
