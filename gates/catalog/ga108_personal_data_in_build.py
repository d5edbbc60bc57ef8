"""Personal data in the build (GA108)

## What it checks
Whether the build that is deployed (an image, a package) holds personal data (`data.contains_pii`): dumps, fixtures,
samples, logs. An approval to use personal data does not change the answer here: it is about the place, not the purpose.

## Why it matters
A build is copied to every node, registry and cache, and nobody can delete one person from it. A model is trained on
personal data by purpose and approval; an application reads it at run time from where it can be protected.

## What good enough looks like
None. The policy for applications has no exception; for ML models the same fact asks for the data-governance approval
instead.

## How to fix
Take the data out and build again: made-up fixtures, a read at run time, a volume. If the rule does not fit the workload,
say so to the policy owner; it cannot be waived.

## Tools
`dive` and `syft` show what is in an image; Presidio and made-up data (Faker) for fixtures.
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GA108"
NAME = "personal-data-in-build"
COLLECTORS = ("artefact",)
NEEDS = ("artefact.personal_data",)
KINDS = frozenset({Kind.APPLICATION})
READ_BY = Role.PRIVACY
MODE = Mode.AUTOMATIC
RISK = "Personal data lies in every copy of a build, and nobody can take it out again."
LIMITS: dict[str, float] = {}
_TAKE_OUT = "Take the data out of the build and hand in the new one."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Any fails, approved or not; nobody having said is no pass."""
    row = measured.one("artefact.personal_data")
    if row is None or row.value is None:
        reason = row.reason if row is not None else ""
        fix = "Say whether the build holds personal data (data.contains_pii)."
        return not_assessed(reason or "Nobody looked for personal data in the build.", fix=fix)
    if row.value > 0:
        more = f" It counts though {row.text}." if row.text else ""
        says = f"The build holds personal data; in an application there is no exception.{more}"
        return stated(Verdict.FAIL, says, row, fix=_TAKE_OUT, limit="none")
    return stated(Verdict.PASS, "The build holds no personal data.", row, limit="none")


_UNSAID = Measure("artefact.personal_data", None, reason="Nobody said.")
EXAMPLES = (
    Example("none", {"artefact.personal_data": 0.0}, Verdict.PASS),
    Example("at the limit: some, though approved", {"artefact.personal_data": 1.0}, Verdict.FAIL),
    Example("nobody said", {"artefact.personal_data": _UNSAID}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
