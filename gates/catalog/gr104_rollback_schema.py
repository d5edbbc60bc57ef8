"""Rollback target that cannot be fed (GR104)

## What it checks
Every feature the rollback target needs is among the features served with the candidate, with the same type where types
are recorded.

## Why it matters
A release often retires features. The older model then starts and fails, or worse, gets defaults for what is missing and
decides on them.

## What good enough looks like
The target's features are a subset of what serving offers; types, units and category codes unchanged. Features only the
candidate has do no harm.

## How to fix
Keep serving the retired features until the target itself is replaced, or choose a target that does without them. Changed
units or codes: serve both under different names.

## Tools
MLflow model signatures (log one with every model: three of four real model files looked at had none), a feature store
with retirement dates.
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_applicable, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GR104"
NAME = "rollback-schema"
COLLECTORS = ("rollback",)
NEEDS = ("rollback.missing_features", "rollback.changed_types", "rollback.first_version")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "The way back exists on paper, and the older model fails or decides on defaults."
LIMITS = {"max_missing_features": 0}


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Missing features and changed types fail; unrecorded schemas have no verdict."""
    first = measured.one("rollback.first_version")
    if first is not None and first.value:
        return not_applicable("First version: there is no older model to feed.")
    missing = measured.one("rollback.missing_features")
    if missing is None or missing.value is None:
        reason = (missing.reason if missing else "") or measured.not_measured.get(
            "rollback", "No rollback target's schema was compared."
        )
        return not_assessed(reason, fix="Name a known rollback target and log a signature with both models.")
    if missing.value > limits["max_missing_features"]:
        says = (
            f"The rollback target needs {missing.value:.0f} features that are no longer served: "
            f"{missing.text or 'see the measurements'}."
        )
        return stated(
            Verdict.FAIL,
            says,
            missing,
            fix="Keep serving them, or choose a target that does without.",
            limit=f"<= {limits['max_missing_features']}",
        )
    changed = measured.one("rollback.changed_types")
    if changed is not None and changed.value:
        return stated(
            Verdict.FAIL,
            f"Features changed their type since the target: {changed.text}.",
            changed,
            fix="Serve both types under different names.",
            limit="none",
        )
    return stated(
        Verdict.PASS, "All features the rollback target needs are served.", missing, limit=f"<= {limits['max_missing_features']}"
    )


EXAMPLES = (
    Example("all served", {"rollback.missing_features": 0.0, "rollback.changed_types": 0.0}, Verdict.PASS),
    Example("exactly at a policy's limit", {"rollback.missing_features": 1.0}, Verdict.PASS, {"max_missing_features": 1}),
    Example(
        "a retired feature",
        {"rollback.missing_features": Measure("rollback.missing_features", 1.0, text="bureau_score_v1")},
        Verdict.FAIL,
    ),
    Example(
        "a changed type",
        {
            "rollback.missing_features": 0.0,
            "rollback.changed_types": Measure("rollback.changed_types", 1.0, text="region (long there, string here)"),
        },
        Verdict.FAIL,
    ),
    Example("first version", {"rollback.first_version": 1.0}, Verdict.NOT_APPLICABLE),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
