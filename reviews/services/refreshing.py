"""Keeping review and dossier together: when what a decision rests on changes, it is void and the turn comes back."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from governance.domain.vocabulary import State
from governance.models import PolicyPack, Submission
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_of
from governance.services.work import Work, unit_of_work
from reviews.models import Dossier, SignOff
from reviews.selectors.differences import dossier_differences
from reviews.selectors.dossier import DossierContent, dossier
from reviews.services.locking import locked
from reviews.services.steps import open_next, take_back

WHY_VOID = "The case changed after this decision."
WHY_WAIVER_ENDED = "A waiver this decision rested on ended."


def keep(submission: Submission, found: DossierContent) -> None:
    """Store the dossier under its digest and note the digest on the submission, which must be locked."""
    Dossier.objects.bulk_create(
        [Dossier(submission=submission, revision=submission.revision, digest=found.digest, content=found.content)],
        ignore_conflicts=True,
    )
    submission.dossier_digest = found.digest
    Submission.objects.filter(pk=submission.pk).update(dossier_digest=found.digest, updated_at=Now())


def refresh(work: Work, submission: Submission, found: DossierContent) -> bool:
    """Compare the dossier as it is with the one under review; on a change, void and start the steps again. Needs the row lock.

    Returns whether it changed. Does nothing outside of a review.
    """
    if submission.state != State.IN_REVIEW or submission.dossier_digest == found.digest:
        return False
    before = submission.dossier_digest
    seen = kept_content(submission, before)
    changes = dossier_differences(seen, found.content) if seen else ()
    keep(submission, found)
    voided = SignOff.objects.filter(submission=submission, revision=submission.revision, voided_at__isnull=True).update(
        voided_at=Now(), voided_why=WHY_VOID
    )
    take_back(submission)
    assert submission.policy_id is not None
    work.note(
        "submission.dossier_changed",
        submission,
        {
            "before": before,
            "after": found.digest,
            "voided": voided,
            "changed": sorted({f"{line.about}:{line.label}" for line in changes}),
        },
    )
    policy = PolicyPack.objects.defer("source", "questionnaire").get(pk=submission.policy_id)
    open_next(work, submission, pack_of(policy))
    return True


def kept_content(submission: Submission, digest: str) -> dict[str, Any] | None:
    """The dossier that was kept under a digest, or None."""
    return Dossier.objects.filter(submission=submission, digest=digest).values_list("content", flat=True).first()


def refresh_now(*, submission_id: int) -> bool:
    """The same by itself, for a task: something the dossier rests on was changed elsewhere."""
    with unit_of_work(SYSTEM) as work:
        submission = locked(SYSTEM, submission_id)
        return refresh(work, submission, dossier(submission, lock=True))
