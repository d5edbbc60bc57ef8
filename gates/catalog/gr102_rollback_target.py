"""No usable rollback target (GR102)

## What it checks
A version to go back to is named, is known to the inventory, was approved, and its artefact is recorded with a digest. For
a first version: that the register indeed knows none before it, and that the answer says so.

## Why it matters
When a model does harm, minutes count. A target that was never approved, or whose file nobody can find, is no way back;
the way to notice that is not at night during an incident.

## What good enough looks like
The champion, by its version, approved and with its digest. Downstream teams are told who would be affected. A first
version states "first version" and how decisions are made if it is withdrawn.

## How to fix
Name the version as the inventory lists it. If it was never approved here, submit it; if its digest is missing, register
the artefact again. Rehearse the rollback once and write down how long it took.

## Tools
MLflow registry aliases (`champion`, `previous`), the deployer's rollback command, a feature flag.
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GR102"
NAME = "rollback-target"
COLLECTORS = ("rollback",)
NEEDS = (
    "rollback.target",
    "rollback.target_known",
    "rollback.target_approved",
    "rollback.target_digest",
    "rollback.first_version",
)
KINDS = frozenset({Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "A harmful version stays in production because there is nothing to go back to."
LIMITS: dict[str, float] = {}
_NAME_IT = "Name an approved version as the inventory lists it."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Named, known, approved, stored; or a first version that says so."""
    first, target = measured.one("rollback.first_version"), measured.one("rollback.target")
    if first is not None and first.value:
        return stated(
            Verdict.PASS,
            first.text or "First version: stated, and the register knows none before it.",
            first,
            limit="named or first",
        )
    if target is None or target.value is None:
        return not_assessed(measured.not_measured.get("rollback", "The rollback target was not looked at."), fix=_NAME_IT)
    if target.value < 1:
        return stated(Verdict.FAIL, target.text or "No rollback target is named.", target, fix=_NAME_IT, limit="named or first")
    for metric, words, fix in (
        ("rollback.target_known", "The rollback target is not a known version.", _NAME_IT),
        (
            "rollback.target_approved",
            "The rollback target was never approved.",
            "Choose an approved version, or have this one reviewed.",
        ),
    ):
        row = measured.one(metric)
        if row is None or row.value is None:
            return not_assessed((row.reason if row else "") or words.replace(" is not ", " was not looked up as "), fix=fix)
        if row.value < 1:
            return stated(Verdict.FAIL, row.text or words, row, fix=fix, limit="known and approved")
    digest = measured.one("rollback.target_digest")
    if digest is None or not digest.value:
        return stated(
            Verdict.WARN,
            (digest.text if digest else "") or "No digest of the target is recorded.",
            digest,
            fix="Register the artefact again.",
        )
    return stated(
        Verdict.PASS,
        f"{target.text or 'The target'} is known, approved and stored by digest.",
        target,
        limit="known and approved",
    )


_READY = {"rollback.target": 1.0, "rollback.target_known": 1.0, "rollback.target_approved": 1.0, "rollback.target_digest": 1.0}
EXAMPLES = (
    Example("the champion", _READY, Verdict.PASS),
    Example("first version, stated", {"rollback.first_version": 1.0}, Verdict.PASS),
    Example("at the limit: all but a digest", {**_READY, "rollback.target_digest": 0.0}, Verdict.WARN),
    Example("none named", {"rollback.target": 0.0}, Verdict.FAIL),
    Example("never approved", {**_READY, "rollback.target_approved": 0.0}, Verdict.FAIL),
    Example("a version nobody knows", {**_READY, "rollback.target_known": 0.0}, Verdict.FAIL),
    Example(
        "register not at hand",
        {"rollback.target": 1.0, "rollback.target_known": Measure("rollback.target_known", None, reason="No register.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
