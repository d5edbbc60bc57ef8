"""A condition of the policy does not hold (GR108)

## What it checks
Each condition that the policy pack writes in CEL (Common Expression Language), about the facts known at submission:
answers, files and registries. An expression is given the facts it names, and runs in a confined process with little
memory and five seconds.

## Why it matters
Rules decide on the track and read one limit at a time, so that anybody can turn them round. Some demands join several
facts: not everybody at once where decisions are automated, a contract wherever a third party is named. Written in the
pack they are tried, approved and stored like everything else in it.

## What good enough looks like
Every condition holds. One that does not hold fails, or warns where the pack says so. One that cannot be told, because
nobody said what it reads, because a value is of another kind or because it takes too long, is not held: the gate is not
assessed and says which fact is missing. Only where the rest decides alone does an unknown fact not matter. Where sources
disagree about a fact, the stricter answer counts.

## How to fix
Do what the sentence says. Where a fact is missing, answer the question of that name or hand in the file that holds it,
and submit again. Where the condition itself is wrong, tell a policy author: the pack's next version mends it.

## Tools
CEL, as in the admission policies of Kubernetes; cel.dev has the language and a playground. The pack's page shows every
condition with its examples.
"""

from __future__ import annotations

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GR108"
NAME = "policy-conditions"
COLLECTORS = ("policy_conditions",)
NEEDS = ("condition.holds",)
KINDS = frozenset({Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "A demand of the policy that joins several facts is broken, and no single rule sees it."
LIMITS: Limits = {}
_FIX = "Do what the sentence says, or tell a policy author what does not fit."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Every condition; the strictest decides and the others follow as notes."""
    rows = measured.all("condition.holds")
    if not rows:
        why = measured.not_measured.get("policy_conditions", "The policy's conditions were not asked.")
        return not_assessed(why, fix="An administrator looks at the run; then check again.")
    results = [_one(row) for row in rows]
    if all(result.verdict is Verdict.PASS for result in results):
        return stated(Verdict.PASS, "Every condition of the policy holds.", rows[0], limit="holds")
    return strictest(results)


def _one(row: Measure) -> GateResult:
    name = row.group.partition("=")[2] or "A condition"
    warns = row.detail.get("otherwise") == "warn"
    if row.value is None:
        says = (
            f"{name} cannot be told. {row.reason or 'It was not evaluated.'}{_apart(row)} It asks: {row.text or 'see the policy'}"
        )
        verdict = Verdict.WARN if warns else Verdict.NOT_ASSESSED
        return stated(verdict, says, row, fix="Say what is missing and submit again.", limit="holds")
    if row.value >= 1:
        return stated(Verdict.PASS, f"{name} holds.", row, limit="holds")
    says = f"{name}: {row.text or 'the condition does not hold.'}{_apart(row)}"
    return stated(Verdict.WARN if warns else Verdict.FAIL, says, row, fix=_FIX, limit="holds")


def _apart(row: Measure) -> str:
    names = row.detail.get("disagree")
    return f" Sources disagree about {', '.join(names)}; the stricter answer counts." if names else ""


def _asked(value: float | None, otherwise: str = "fail", reason: str = "") -> Measure:
    return Measure(
        "condition.holds",
        value,
        "condition=CE-001",
        text="Use a gradual roll-out.",
        reason=reason,
        detail={"otherwise": otherwise},
    )


EXAMPLES = (
    Example("every condition holds", {"condition.holds": [_asked(1.0), _asked(1.0, "warn")]}, Verdict.PASS),
    Example("exactly one does not", {"condition.holds": [_asked(1.0), _asked(0.0)]}, Verdict.FAIL),
    Example("one that warns does not", {"condition.holds": [_asked(1.0), _asked(0.0, "warn")]}, Verdict.WARN),
    Example("a fact is missing", {"condition.holds": _asked(None, reason="Nobody has said x.y.")}, Verdict.NOT_ASSESSED),
    Example("a fact is missing for a warning", {"condition.holds": _asked(None, "warn", "Nobody has said x.y.")}, Verdict.WARN),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
