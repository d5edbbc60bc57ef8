"""What people attest, as gates read it. Pure.

A measurement `person.<id>` carries the records of a named person: `value` is the part that was answered yes, `n` how many
answers there are, `detail` {"wanted", "yes", "no", "by", "role", "comments"}. It is None, with the reason, while answers are
missing. The measures are made from stored records by `reviews.selectors.attestations`; no collector can make one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, not_assessed
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


ANSWER_LIMITS: dict[str, Any] = {"min_yes_warn": 1.0, "min_yes_fail": 0.8}


@dataclass(frozen=True)
class Reading:
    """What somebody reads of the sampled explanations: which record, and the gate's words for waiting, the way to answer, what
    yes means, and the way out after a no."""

    record: str
    waits: str
    read: str
    means: str
    mend: str

    @property
    def metric(self) -> str:
        return f"{PREFIX}{self.record}"


def judge_reading(measured: Measured, limits: Limits, reading: Reading) -> GateResult:
    """From the records alone: without them there is no verdict, whatever was measured."""
    rows = measured.one("explanation.rows")
    if rows is None or rows.value is None:
        why = measured.not_measured.get("explanations", "There are no explanations to read.")
        return not_assessed(why, fix="Attach the model with an explanation sample, or attributions from your own pipeline.")
    missing = waiting(measured, reading.record, reading.waits, reading.read)
    if missing is not None:
        return missing
    row = measured.one(reading.metric)
    assert row is not None and row.value is not None
    told = f"{round(row.value * (row.n or 0))} of {row.n} explanations {reading.means} ({spoken(row)})"
    if row.value < limits["min_yes_fail"]:
        return stated(Verdict.FAIL, f"Only {told}.", row, fix=reading.mend, limit=f">= {limits['min_yes_fail']:.0%}")
    limit = f">= {limits['min_yes_warn']:.0%}"
    if row.value < limits["min_yes_warn"]:
        return stated(Verdict.WARN, f"{told}; read the comments on the others.", row, fix=reading.mend, limit=limit)
    return stated(Verdict.PASS, f"{told}.", row, limit=limit)


def reading_examples(reading: Reading, *, of: int, by: str, role: str) -> tuple[Example, ...]:
    """All clear, one not, exactly at the failing limit, too few, nobody has read, nothing to read; `of` is a multiple of five."""
    there = {"explanation.rows": 1000.0}

    def answered(yes: int) -> dict[str, Any]:
        return {**there, reading.metric: Measure(reading.metric, yes / of, n=of, detail={"by": by, "role": role})}

    at = of * 4 // 5
    return (
        Example("all were found clear", answered(of), Verdict.PASS),
        Example("one was not clear", answered(of - 1), Verdict.WARN),
        Example("exactly at the failing limit", answered(at), Verdict.WARN),
        Example("too many were not clear", answered(at - 1), Verdict.FAIL),
        Example("measured, and nobody has read", there, Verdict.NOT_ASSESSED),
        Example("not measured", {}, Verdict.NOT_ASSESSED),
    )
