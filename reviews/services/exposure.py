"""More exposure: asked for by who answers for a version, authorised by the policy or by the role it names, permitted anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import (
    DomainError,
    FieldError,
    InvalidInput,
    NotFound,
    ReauthenticationNeeded,
    StaleDossier,
)
from governance.domain.freshness import fresh
from governance.domain.vocabulary import Role, State, Track
from governance.models import Submission
from governance.policy.exposure import ExposureStep, step_for
from governance.selectors.access import SYSTEM, Caller
from governance.services.work import Work, unit_of_work
from reviews.models import ExposureRequest, Permit
from reviews.selectors.case import case_of
from reviews.selectors.exposure import (
    Standing,
    asking_refusal,
    contributors_of,
    deciding_refusal,
    find_request,
    not_by_policy,
    plan_of,
    present_permit,
    standing_of,
    withdrawing_refusal,
)
from reviews.selectors.notices import Notice
from reviews.services.decision_input import says_something
from reviews.services.fences import fences
from reviews.services.locking import locked
from reviews.services.permits import note_issued
from reviews.services.telling import able_to_decide, answerable, tell


@dataclass(frozen=True)
class NewExposure:
    """What somebody who asks says. `wanted`: percent. `monitoring_says`: what they read in the monitoring so far."""

    wanted: int
    reason: str
    monitoring_says: str


def request_exposure(*, caller: Caller, submission_id: int, new: NewExposure) -> ExposureRequest:
    """Ask for more exposure. Where the pack and what was measured allow it, the policy grants it at once, in its own name.

    Raises `NotFound`, `Forbidden`, `Conflict` with the way out, `InvalidInput` naming the field.
    """
    with fences(), unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        permit = present_permit(submission)
        refused = asking_refusal(submission, permit, caller, contributors=contributors_of(submission))
        if refused is not None:
            raise refused
        assert permit is not None and caller.person is not None
        step = _step(submission, permit, new)
        standing = standing_of(submission, permit, new.wanted)
        row = ExposureRequest.objects.create(
            unit_id=submission.unit_id,
            submission=submission,
            permit=permit,
            present=permit.exposure,
            wanted=new.wanted,
            reason=new.reason.strip(),
            monitoring_says=new.monitoring_says.strip(),
            role=step.by,
            policy_digest=permit.policy_digest,
            shown=standing.document(),
            shown_digest=standing.digest,
            requested_by=caller.person,
        )
        said = {"request": row.pk, "permit": str(permit.pk), "from": row.present, "to": row.wanted, "seen": standing.digest}
        work.note("exposure.requested", submission, {**said, "role": row.role})
        by_policy = not not_by_policy(step, Track(submission.track), standing)
        if not by_policy:
            _tell_deciders(work, submission, row)
    if by_policy:
        _grant_by_policy(row.pk)
    row.refresh_from_db()
    return row


def grant_due(*, limit: int = 200) -> int:
    """Grant what waits and the policy authorises by now: the days have passed, the reports are in. Returns how many. Harmless
    when run twice or by two at once."""
    waiting = ExposureRequest.objects.filter(outcome="").exclude(submission__track=Track.RED).order_by("pk")
    return sum(_grant_by_policy(pk) for pk in list(waiting.values_list("pk", flat=True)[:limit]))


def _grant_by_policy(request_id: int) -> bool:
    with fences(), unit_of_work(SYSTEM) as work:
        row, submission, permit = _locked(SYSTEM, request_id)
        if row.outcome or submission.state != State.APPROVED or permit is None or permit.pk != row.permit_id:
            return False
        track = Track(submission.track)
        step = step_for(plan_of(submission), track, permit.exposure, row.wanted)
        standing = standing_of(submission, permit, row.wanted)
        if isinstance(step, str) or not_by_policy(step, track, standing):
            return False
        _grant(work, submission, row, permit, standing, why=_policy_says(step, submission))
    return True


def decide_exposure(
    *, caller: Caller, request_id: int, grant: bool, seen_digest: str, why: str, proved_at: datetime | None = None
) -> ExposureRequest:
    """Grant or refuse a request, bound to what the person saw. Granted, there is a new permit; the old one stays for its share.

    Raises `NotFound`, `Forbidden`, `SegregationOfDuties`, `Conflict`, `StaleDossier` when what is known changed since it was
    seen, `InvalidInput` without reasons, `ReauthenticationNeeded`.
    """
    with fences(), unit_of_work(caller) as work:
        row, submission, permit = _locked(caller, request_id)
        refused: DomainError | None = deciding_refusal(row, case_of(submission, caller), caller, permit)
        if refused is not None:
            raise refused
        assert permit is not None
        if not fresh(proved_at, timezone.now()):
            raise ReauthenticationNeeded("Authorising exposure needs a fresh sign-in. Confirm it is you, then decide.")
        standing = standing_of(submission, permit, row.wanted)
        if standing.digest != seen_digest:
            raise StaleDossier("What is known of this version changed since you opened the page. Read it again, then decide.")
        if not says_something(why, 10):
            raise InvalidInput(
                "Say why, in a sentence.", errors=(FieldError("/why", "too_short", "Who asked, and auditors, read it."),)
            )
        if grant:
            _grant(work, submission, row, permit, standing, why=why.strip(), proved_at=proved_at)
        else:
            _decide(work, row, ExposureRequest.REFUSED, why.strip(), standing, proved_at)
            work.note("exposure.refused", submission, {"request": row.pk, "to": row.wanted, "seen": standing.digest})
            _tell_asked(work, submission, row, f"{row.wanted} % was refused. {why.strip()}")
    row.refresh_from_db()
    return row


def withdraw_exposure(*, caller: Caller, request_id: int) -> ExposureRequest:
    """Take a request back. Raises `NotFound`, `Forbidden`, `Conflict` once it was decided."""
    with fences(), unit_of_work(caller) as work:
        row, submission, _ = _locked(caller, request_id)
        if (refused := withdrawing_refusal(row, caller)) is not None:
            raise refused
        ExposureRequest.objects.filter(pk=row.pk).update(
            outcome=ExposureRequest.WITHDRAWN, decided_by=caller.person, decided_at=Now(), why="Taken back by who asked."
        )
        work.note("exposure.withdrawn", submission, {"request": row.pk})
    row.refresh_from_db()
    return row


def _step(submission: Submission, permit: Permit, new: NewExposure) -> ExposureStep:
    problems = []
    step = step_for(plan_of(submission), Track(submission.track), permit.exposure, new.wanted)
    if isinstance(step, str):
        problems.append(FieldError("/wanted", "out_of_range", step))
    if not says_something(new.reason, 20):
        problems.append(FieldError("/reason", "too_short", "Say why it should go further, in a sentence or two."))
    if not says_something(new.monitoring_says, 20):
        problems.append(FieldError("/monitoring_says", "too_short", "Say what the monitoring shows so far, good and bad."))
    if problems or isinstance(step, str):
        raise InvalidInput("Not asked for: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    return step


def _policy_says(step: ExposureStep, submission: Submission) -> str:
    assert step.automatic is not None and submission.policy is not None
    signals = ", ".join(name.replace("_", " ") for name in step.automatic.signals)
    return (
        f"Authorised by the policy {submission.policy.name} {submission.policy.version}: {step.automatic.after_days} days at the "
        f"present exposure, {signals} reported and within their limits, no open incident."
    )


def _grant(
    work: Work,
    submission: Submission,
    row: ExposureRequest,
    permit: Permit,
    standing: Standing,
    *,
    why: str,
    proved_at: datetime | None = None,
) -> None:
    """Write the decision and the new permit, which lasts no longer than the one it builds on. Without `proved_at`: the policy."""
    _decide(work, row, ExposureRequest.GRANTED, why, standing, proved_at)
    raised = Permit.objects.create(
        unit_id=permit.unit_id,
        submission=submission,
        version=submission.version,
        environment=permit.environment,
        artifact_digest=permit.artifact_digest,
        dossier_digest=permit.dossier_digest,
        policy_digest=permit.policy_digest,
        exposure=row.wanted,
        raised_by=row,
        expires_at=permit.expires_at,
    )
    said = {"request": row.pk, "from": row.present, "to": row.wanted, "seen": standing.digest, "policy": row.policy_digest}
    work.note("exposure.granted", submission, {**said, "by": "policy" if proved_at is None else row.role})
    note_issued(work, raised)
    _tell_asked(work, submission, row, f"It may go up to {row.wanted} %. {why}")


def _decide(work: Work, row: ExposureRequest, outcome: str, why: str, standing: Standing, proved_at: datetime | None) -> None:
    ExposureRequest.objects.filter(pk=row.pk).update(
        outcome=outcome,
        decided_by=work.caller.person if proved_at is not None else None,
        decided_at=Now(),
        reauthenticated_at=proved_at,
        why=why,
        seen=standing.document(),
        seen_digest=standing.digest,
    )


def _locked(caller: Caller, request_id: int) -> tuple[ExposureRequest, Submission, Permit | None]:
    """The request, its case (locked first, as everywhere) and the permit that holds now."""
    found = find_request(caller=caller, request_id=request_id)
    submission = locked(caller, found.submission_id)
    row = ExposureRequest.objects.select_for_update(of=("self",)).select_related("submission__system").filter(pk=found.pk).first()
    if row is None:
        raise NotFound(f"There is no request E-{request_id} in your business unit.")
    return row, submission, present_permit(submission)


def _tell_deciders(work: Work, submission: Submission, row: ExposureRequest) -> None:
    what = f"{submission.system.slug} {submission.version.version}"
    tell(
        work,
        submission,
        Notice.EXPOSURE_TO_DECIDE,
        able_to_decide(submission, Role(row.role)),
        key=row.number,
        title=f"{what}: more exposure is asked for, {row.present} % to {row.wanted} %",
        says=f"{row.reason} Read what the monitoring says, then grant or refuse.",
        path=f"/exposure/{row.pk}",
    )


def _tell_asked(work: Work, submission: Submission, row: ExposureRequest, says: str) -> None:
    tell(
        work,
        submission,
        Notice.EXPOSURE_DECIDED,
        answerable(submission) | {row.requested_by_id: f"You asked for {row.number}."},
        key=f"{row.number}:decided",
        title=f"{row.number}: exposure of {submission.system.slug} {submission.version.version}",
        says=says,
        path=f"/exposure/{row.pk}",
    )
