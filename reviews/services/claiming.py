"""Claiming a case, so that two reviewers do not read it at the same time. A claim is a courtesy: it decides nothing."""

from __future__ import annotations

from django.db.models.functions import Now

from governance.domain.errors import Conflict
from governance.models import Submission
from governance.selectors.access import Caller
from governance.services.work import unit_of_work
from reviews.selectors.case import case_of, who_may_decide
from reviews.services.locking import locked


def claim(*, caller: Caller, submission_id: int) -> Submission:
    """Say "I am on it". Only somebody who may decide the open step can; raises `Conflict` when somebody else already is."""
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        if (refused := who_may_decide(submission, caller, case=case_of(submission, caller))) is not None:
            raise refused
        assert caller.person is not None
        if submission.claimed_by_id == caller.person.pk:
            return submission
        if submission.claimed_by_id is not None:
            holder = submission.claimed_by
            raise Conflict(f"{holder.name if holder else 'Somebody'} is already on it. Ask them to release it.", code="claimed")
        submission.claimed_by = caller.person
        Submission.objects.filter(pk=submission.pk).update(claimed_by=caller.person, updated_at=Now())
        work.note("review.claimed", submission, {"role": submission.turn})
    return submission


def release(*, caller: Caller, submission_id: int) -> Submission:
    """Give a claimed case back to the queue. The claimer can, and anybody who could decide the step instead."""
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        if submission.claimed_by_id is None:
            return submission
        mine = caller.person is not None and submission.claimed_by_id == caller.person.pk and caller.token is None
        if not mine and (refused := who_may_decide(submission, caller, case=case_of(submission, caller))) is not None:
            raise refused
        submission.claimed_by = None
        Submission.objects.filter(pk=submission.pk).update(claimed_by=None, updated_at=Now())
        work.note("review.released", submission, {"role": submission.turn})
    return submission
