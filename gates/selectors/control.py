"""Who may cancel a run or run it again, and why not: the same answer for buttons, API and services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count
from django.db.models.functions import Now

from gates.models import GateRun
from governance.domain.errors import Conflict, DomainError, Forbidden
from governance.domain.lifecycle import words
from governance.domain.vocabulary import Role, RunStatus, State
from governance.models import Contributor, Evidence, Revision, Submission
from governance.selectors.access import Caller

MOST_AGAIN = 3
LATELY = timedelta(minutes=10)
_WHO = "Only the submitter, an analyst or a platform engineer can do this."
_REVIEWING = frozenset({Role.ANALYST, Role.PLATFORM_ENGINEER})
_UNFINISHED = (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True)
class Standing:
    """What the rules need to know. `again`: collector -> how often it was run again within the last ten minutes."""

    state: State
    number: str
    may: bool
    evidence_changed: bool = False
    again: Mapping[str, int] = field(default_factory=dict)


def standing(caller: Caller, submission: Submission) -> Standing:
    """Where a caller stands with the runs of a submission. Four queries while checks run or have failed, else none."""
    state = State(submission.state)
    if state not in (State.IN_CHECKS, State.CHECKS_FAILED):
        return Standing(state, submission.number, False)
    people = set(Contributor.objects.filter(submission=submission).values_list("person_id", flat=True))
    mine = caller.person is not None and caller.person.pk in {submission.submitter_id, *people}
    lately = GateRun.objects.filter(submission=submission, again_of__isnull=False, queued_at__gt=Now() - LATELY)
    again = dict(lately.values_list("collector").annotate(times=Count("id")))
    may = mine or bool(caller.roles_in(submission.unit_id) & _REVIEWING)
    return Standing(state, submission.number, may, _evidence_changed(submission), again)


def cancel_refusal(at: Standing, run: GateRun) -> DomainError | None:
    """Why a run cannot be cancelled, or None."""
    if at.state is not State.IN_CHECKS:
        return Conflict(f"{at.number} is {words(at.state)}: none of its checks runs any more.", code="wrong_state")
    if not at.may:
        return Forbidden(_WHO, code="role_needed")
    if run.status not in _UNFINISHED:
        return Conflict("It has ended already. Its result stays.", code="run_ended")
    return None


def again_refusal(at: Standing, run: GateRun) -> DomainError | None:
    """Why a run cannot be run again, or None."""
    if at.state not in (State.IN_CHECKS, State.CHECKS_FAILED):
        return Conflict(_NOT_NOW.get(at.state, f"The case is decided: {at.number} is {words(at.state)}."), code="wrong_state")
    if not at.may:
        return Forbidden(_WHO, code="role_needed")
    if run.status in _UNFINISHED:
        return Conflict("It has not ended yet.", code="run_unfinished")
    if at.evidence_changed:
        return Conflict(
            f"The evidence changed since revision {run.revision} was submitted, and this run would measure the old files. "
            "Submit the revision: what changed is measured then.",
            code="evidence_changed",
        )
    if run.status == RunStatus.DONE and run.attempt == 0 and run.not_measured:
        return Conflict(run.not_measured, code="evidence_missing")
    if at.again.get(run.collector, 0) >= MOST_AGAIN:
        return Conflict(
            f"It was run again {MOST_AGAIN} times within ten minutes, and the same inputs give the same result. "
            "Look at the reason it names, or try later.",
            code="too_often",
        )
    return None


_NOT_NOW = {
    State.DRAFT: "It has not been submitted yet.",
    State.CHANGES_REQUESTED: "Changes were requested. Submit the revision: what changed is measured then.",
    State.IN_REVIEW: "Reviewers have these results before them. If something has to be measured anew, they request changes.",
}


def _evidence_changed(submission: Submission) -> bool:
    frozen = Revision.objects.filter(submission=submission, number=submission.revision).values_list("evidence", flat=True).first()
    attached = Evidence.objects.filter(submission=submission).values_list("role", "file__sha256", "columns")
    then = {(row["role"], row["sha256"], str(sorted((row.get("columns") or {}).items()))) for row in frozen or ()}
    return then != {(role, sha256, str(sorted((columns or {}).items()))) for role, sha256, columns in attached}
