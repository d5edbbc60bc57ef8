"""What people attest, as gates read it. Pure.

A measurement `person.<id>` carries the records of a named person: `value` is the part that was answered yes, `n` how many
answers there
are, `detail` {"wanted", "yes", "no", "by", "role", "comments"}. It is None, with the reason, while answers are missing. The
measures are
made from stored records by `reviews.selectors.attestations`; no collector can make one.
"""

from __future__ import annotations

from gates.spec import GateResult, Measure, Measured
from governance.domain.vocabulary import Verdict

PREFIX = "person."


def waits_for_person(metric: str, verdict: str) -> bool:
    """Whether an outcome is open only because a person has not spoken yet: checks cannot settle it, an approval needs it."""
    return verdict == Verdict.NOT_ASSESSED and metric.startswith(PREFIX)


def waiting(measured: Measured, name: str, says: str, fix: str) -> GateResult | None:
    """The result of a gate that waits for `person.<name>`, or None when every answer is there."""
    row = measured.one(f"{PREFIX}{name}")
    if row is not None and row.value is not None:
        return None
    why = row.reason if row is not None and row.reason else says
    return GateResult(Verdict.NOT_ASSESSED, why, fix, n=row.n if row is not None else None, metric=f"{PREFIX}{name}")


def spoken(row: Measure) -> str:
    """Who said it: "amir, ML Governance Analyst"."""
    by, role = str(row.detail.get("by", "")), str(row.detail.get("role", ""))
    return f"{by}, {role}" if by and role else by or "somebody"
