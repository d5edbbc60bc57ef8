"""Refused by the organisation's policy engine (GR107)

## What it checks
The decision of the package `guiderail.decision` in the organisation's own policy engine (an OPA server, or Rego modules
beside Guiderail). All facts of the submission go in; `deny` and `warn` come out as sentences.

## Why it matters
Organisations have rules that no shipped gate knows: regions, contracts, names of clusters. Written in Rego they serve
every tool at once. Decided here they stand beside the other gates, are stored with their reasons, and block in the same
way.

## What good enough looks like
Nothing denied. Each denial fails; warnings warn. No answer, a late one, or a package that does not exist is not a yes: the
gate is not assessed, which blocks where it blocks.

## How to fix
Do what the sentence says, or talk to whoever keeps the Rego package. When the engine did not answer, an administrator
checks `GUIDERAIL_OPA_URL` or `GUIDERAIL_REGO_DIR`; then check again.

## Tools
Open Policy Agent, conftest, Regal. `GET /api/v1/submissions/S-1/facts?as=opa` gives the very input, to try a rule with
`opa eval`.
"""

from __future__ import annotations

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GR107"
NAME = "policy-engine"
COLLECTORS = ("policy_engine",)
NEEDS = ("policy.denied", "policy.warned")
KINDS = frozenset({Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "A rule of the organisation is broken that only its own policy engine knows."
LIMITS = {"max_denied": 0, "max_warned": 0}
_FIX = "Do what the sentence says, or ask whoever keeps the organisation's Rego policies."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Fail for more denials than allowed (none), warn for warnings."""
    results = []
    for metric, most, verdict in (
        ("policy.denied", limits["max_denied"], Verdict.FAIL),
        ("policy.warned", limits["max_warned"], Verdict.WARN),
    ):
        row = measured.one(metric)
        if row is None or row.value is None:
            why = measured.not_measured.get("policy_engine", "The policy engine was not asked.")
            return not_assessed(why, fix="An administrator checks the policy engine; then check again.")
        limit = f"<= {most}"
        if row.value > most:
            results.append(stated(verdict, f"The policy engine says: {row.text or 'no'}", row, fix=_FIX, limit=limit))
        else:
            results.append(stated(Verdict.PASS, "The policy engine denies nothing.", row, limit=limit))
    return strictest(results)


_NOTHING = {"policy.denied": 0.0, "policy.warned": 0.0}
EXAMPLES = (
    Example("nothing denied", _NOTHING, Verdict.PASS),
    Example("exactly as many as a policy lets pass", {**_NOTHING, "policy.warned": 2.0}, Verdict.PASS, {"max_warned": 2}),
    Example("denied", {**_NOTHING, "policy.denied": Measure("policy.denied", 1.0, text="Not in this region.")}, Verdict.FAIL),
    Example("warned", {**_NOTHING, "policy.warned": 1.0}, Verdict.WARN),
    Example("no answer", {}, Verdict.NOT_ASSESSED),
)
