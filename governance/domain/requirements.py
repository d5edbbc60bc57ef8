"""What a gate asks of a case, in six states. Pure: one function, so that page, queue and record never differ."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from governance.domain.vocabulary import RunStatus, Verdict


class Requirement(StrEnum):
    """How a requirement stands. Only `satisfied`, `waived` and `not_applicable` let a case go on."""

    NOT_APPLICABLE = "not_applicable"
    UNSATISFIED = "unsatisfied"
    SATISFIED = "satisfied"
    WAIVED = "waived"
    ERROR = "error"
    RUNNING = "running"


_UNDER_WAY = frozenset({RunStatus.QUEUED.value, RunStatus.RUNNING.value})


def requirement_of(verdict: str, *, waived: bool = False, runs: Collection[str] = ()) -> Requirement:
    """The state of one gate.

    `verdict`: of the gate, "" while there is none; `waived`: its failure is waived now; `runs`: how the measurements it rests on
    stand. What is measured again is running whatever it was before; what nobody could tell is never satisfied.
    """
    if _UNDER_WAY & set(runs):
        return Requirement.RUNNING
    if verdict == Verdict.NOT_APPLICABLE:
        return Requirement.NOT_APPLICABLE
    if verdict == Verdict.FAIL and waived:
        return Requirement.WAIVED
    if verdict in (Verdict.PASS, Verdict.WARN):
        return Requirement.SATISFIED
    if verdict != Verdict.FAIL and RunStatus.ERROR.value in runs:
        return Requirement.ERROR
    return Requirement.UNSATISFIED
