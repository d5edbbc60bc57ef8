"""Who may declare a conflict of interest on a case."""

from __future__ import annotations

from governance.domain.errors import Conflict, DomainError, Forbidden
from governance.domain.lifecycle import words
from governance.domain.vocabulary import OPEN_STATES, REVIEWING_ROLES, State
from governance.models import Submission
from governance.selectors.access import Caller
from reviews.models import DeclaredConflict, SignOff


def interest_refusal(submission: Submission, caller: Caller) -> DomainError | None:
    """Why the caller cannot declare a conflict of interest on this case, or None."""
    if caller.token is not None or caller.person is None:
        return Forbidden("A token has no interests. A person has to sign in.", code="person_needed")
    if not caller.roles_in(submission.unit_id) & REVIEWING_ROLES:
        return Forbidden("Only somebody who could be asked to review it has anything to declare.", code="role_needed")
    if State(submission.state) not in OPEN_STATES:
        return Conflict(f"Nobody decides on it any more: it is {words(State(submission.state))}.", code="wrong_state")
    if DeclaredConflict.objects.filter(submission=submission, by=caller.person).exists():
        return Conflict("You declared it already. You decide nothing on this case.", code="declared_already")
    if SignOff.objects.filter(
        submission=submission, revision=submission.revision, by=caller.person, voided_at__isnull=True
    ).exists():
        return Conflict(
            "You have decided on it already. Tell the risk officer, who can reject or revoke it.", code="decided_already"
        )
    return None
