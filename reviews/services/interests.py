"""Declaring a conflict of interest: from then on somebody else decides."""

from __future__ import annotations

from governance.domain.errors import FieldError, InvalidInput
from governance.models import Submission
from governance.selectors.access import Caller
from governance.services.work import unit_of_work
from reviews.models import DeclaredConflict
from reviews.selectors.interests import interest_refusal
from reviews.services.decision_input import says_something
from reviews.services.fences import fences
from reviews.services.locking import locked


def declare_conflict(*, caller: Caller, submission_id: int, why: str) -> DeclaredConflict:
    """Record that the caller cannot judge this case freely. It stays on record; a claim of theirs ends.

    Raises `NotFound`, `Forbidden`, `Conflict` after a decision of theirs or when it was declared already, `InvalidInput` without
    a reason.
    """
    with fences(), unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        if (refused := interest_refusal(submission, caller)) is not None:
            raise refused
        if not says_something(why, 10):
            raise InvalidInput(
                "Nothing was recorded: say in a few words what binds you.",
                errors=(FieldError("/why", "missing", "Such as: I advised the team on its features."),),
            )
        assert caller.person is not None
        row = DeclaredConflict.objects.create(submission=submission, by=caller.person, why=why.strip()[:500])
        if submission.claimed_by_id == caller.person.pk:
            Submission.objects.filter(pk=submission.pk).update(claimed_by=None)
            work.note("review.released", submission, {"role": submission.turn})
        # the words stay out of the trail: they are about a person
        work.note("conflict.declared", submission, {"declared": row.pk, "revision": submission.revision})
    return row
