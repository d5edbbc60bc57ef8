"""Permits: issued by an approval, ended by revocation, expiry or a lapse of their approval."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, FieldError, InvalidInput, NotFound
from governance.domain.lifecycle import POLICY, Action
from governance.domain.vocabulary import Role, State, Track
from governance.models import PolicyPack, Submission, System
from governance.policy.exposure import first_exposure
from governance.selectors.access import SYSTEM, Caller, visible
from governance.selectors.policy import pack_of
from governance.services.lifecycle import advance
from governance.services.work import Work, unit_of_work
from reviews.models import Permit, Waiver
from reviews.selectors.barred import bar_of, words_of
from reviews.selectors.case import case_of
from reviews.selectors.notices import Notice
from reviews.selectors.waiving import live
from reviews.services.downstream import tell_downstream
from reviews.services.fences import fences
from reviews.services.locking import locked
from reviews.services.telling import answerable, holders, tell

VALID_FOR = timedelta(days=90)
"""An approval's age limit: models drift, so what was decided once is looked at again."""


def issue(work: Work, *, submission: Submission, policy: PolicyPack) -> Permit:
    """Issue the permit of a submission just approved, within the same transaction: up to the exposure its track begins with.

    Raises `Conflict` for a barred build.
    """
    if (bar := bar_of(submission)) is not None:
        raise Conflict(words_of(bar), code="barred")
    permit = Permit.objects.create(
        unit_id=submission.unit_id,
        submission=submission,
        version=submission.version,
        environment=submission.environment,
        artifact_digest=submission.version.artifact_digest,
        dossier_digest=submission.dossier_digest,
        policy_digest=policy.digest,
        exposure=first_exposure(pack_of(policy).document.exposure, Track(submission.track)),
        expires_at=_until(submission),
    )
    note_issued(work, permit)
    tell_downstream(work, submission, "approved")
    return permit


def note_issued(work: Work, permit: Permit) -> None:
    """The audit event of a permit just written."""
    work.note(
        "permit.issued",
        permit.submission,
        {
            "permit": str(permit.pk),
            "version": permit.version.version,
            "artifact": permit.artifact_digest,
            "environment": permit.environment,
            "exposure": permit.exposure,
            "dossier": permit.dossier_digest,
            "policy": permit.policy_digest,
            "expires_at": permit.expires_at.isoformat(),
        },
    )


def _until(submission: Submission) -> datetime:
    """The age limit of an approval, or the end of the first waiver it rests on where that is sooner."""
    ends = live(Waiver.objects.filter(submission=submission)).aggregate(first=Min("expires_at"))["first"]
    limit = timezone.now() + VALID_FOR
    return min(limit, ends) if ends is not None else limit


def supersede_earlier(work: Work, *, submission: Submission) -> list[Submission]:
    """Mark earlier approvals of the same system and environment as superseded.

    Their permits run on until they expire: the earlier version still serves while the new one rolls out, and is what a rollback
    returns to. The system's row is locked, so that two approvals at once leave one champion.
    """
    System.objects.select_for_update(no_key=True).get(pk=submission.system_id)
    earlier = list(
        Submission.objects.select_for_update(of=("self",))
        .select_related("version", "system")
        .filter(system_id=submission.system_id, environment=submission.environment, state=State.APPROVED)
        .exclude(pk=submission.pk)
        .order_by("pk")
    )
    for row in earlier:
        advance(work, row, Action.SUPERSEDE, case=case_of(row), actor=POLICY, data={"by": submission.number})
    return earlier


def revoke(*, caller: Caller, submission_id: int, reason: str) -> Submission:
    """End an approval and its permits at once. `reason` says why, in words."""
    reason = reason.strip()
    if len(reason) < 10:
        raise InvalidInput(
            "Say why the approval is revoked, in a sentence: deployers and the submitter read it.",
            errors=(FieldError("/reason", "too_short", "A sentence of at least 10 characters."),),
        )
    with fences(), unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        advance(work, submission, Action.REVOKE, case=case_of(submission, caller), actor=caller.actor(submission.unit_id))
        permits = Permit.objects.filter(submission=submission, revoked_at__isnull=True)
        for permit in permits.select_for_update():
            work.note("permit.revoked", submission, {"permit": str(permit.pk)})
        permits.update(revoked_at=Now(), revoked_by=caller.person, revoked_why=reason[:300])
        tell(
            work,
            submission,
            Notice.PERMIT_ENDED,
            answerable(submission) | holders(submission.unit_id, Role.PLATFORM_ENGINEER),
            key=f"{submission.number}:revoked",
            title=f"The approval of {submission.system.slug} {submission.version.version} was revoked",
            says=f"{reason} Take the version out of {submission.environment}, or roll back.",
        )
    return submission


def expire_due(*, limit: int = 200) -> int:
    """Move approvals whose permit ran out to `expired`. Returns how many. Harmless when run twice or by two at once."""
    due = Submission.objects.filter(state=State.APPROVED, permits__expires_at__lte=Now()).exclude(permits__expires_at__gt=Now())
    moved = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True).distinct()[:limit]):
        moved += _expire(pk)
    return moved


def _expire(submission_id: int) -> int:
    with unit_of_work(SYSTEM) as work:
        submission = locked(SYSTEM, submission_id)
        valid = Permit.objects.filter(submission=submission, revoked_at__isnull=True, expires_at__gt=Now()).exists()
        if submission.state != State.APPROVED or valid:
            return 0
        advance(work, submission, Action.EXPIRE, case=case_of(submission), actor=POLICY)
        tell(
            work,
            submission,
            Notice.PERMIT_ENDED,
            answerable(submission) | holders(submission.unit_id, Role.PLATFORM_ENGINEER),
            key=f"{submission.number}:expired",
            title=f"Re-review due: {submission.system.slug} {submission.version.version}",
            says="Its approval reached its age limit, so it may not be deployed any more. Models drift, and what was decided "
            "once is looked at again: submit the version anew, or take it out of use.",
            path="/re-reviews",
        )
    return 1


def find_permit(*, caller: Caller, permit_id: UUID) -> Permit:
    """A permit by id, or `NotFound`."""
    permit = visible(Permit.objects.select_related("submission", "version"), caller).filter(pk=permit_id).first()
    if permit is None:
        raise NotFound("There is no such permit in your business unit.")
    return permit
