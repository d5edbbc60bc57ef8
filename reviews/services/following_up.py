"""What an approval leaves to be done: the post-release evaluation and the conditions, scheduled, recorded, and not forgotten."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import FieldError, InvalidInput, NotFound
from governance.domain.lifecycle import POLICY, Action
from governance.domain.vocabulary import Role, Severity, State, Track
from governance.models import Submission
from governance.policy import Pack
from governance.selectors.access import SYSTEM, Caller, visible
from governance.services.lifecycle import advance
from governance.services.work import Work, unit_of_work
from reviews.models import Condition, Evaluation, Finding, Permit
from reviews.selectors.case import case_of
from reviews.selectors.following_up import condition_refusal, evaluation_refusal
from reviews.selectors.notices import Notice
from reviews.services.decision_input import says_something
from reviews.services.fences import fences
from reviews.services.locking import locked
from reviews.services.telling import answerable, holders, tell

REVOKES = Condition._meta.get_field("if_missed").default
"""The words of a condition that mean what they say: when it is missed the permit is revoked, by the platform itself."""


def schedule_evaluation(work: Work, submission: Submission, pack: Pack) -> Evaluation | None:
    """Create the look back the track asks for, in the transaction of the approval. None where the pack asks for none."""
    plan = pack.document.tracks[Track(submission.track)].evaluation
    if plan is None:
        return None
    owner = submission.system.owner_id or submission.submitter_id
    row, created = Evaluation.objects.get_or_create(
        submission=submission,
        defaults={
            "unit_id": submission.unit_id,
            "owner_id": owner,
            "looks_at": list(plan.looks_at),
            "due_on": timezone.now().date() + timedelta(days=plan.after_days),
        },
    )
    if created:
        work.note("evaluation.scheduled", submission, {"evaluation": row.pk, "due": row.due_on.isoformat()})
    return row


def record_evaluation(*, caller: Caller, submission_id: int, result: str, found: str, evidence: str) -> Evaluation:
    """Record what the look back found. One that is worse than approved opens a finding and tells the reviewers.

    Raises `NotFound`, `Forbidden`, `Conflict`; `InvalidInput` naming each field that says too little.
    """
    problems = []
    if result not in Evaluation.RESULTS:
        problems.append(FieldError("/result", "missing", "Say whether it came out as expected, worse, or was never released."))
    if not says_something(found, 20):
        problems.append(FieldError("/found", "missing", "Say what you looked at and what you found."))
    if not says_something(evidence, 5):
        problems.append(FieldError("/evidence", "missing", "Name where it can be looked up: a report, a dashboard, a query."))
    if problems:
        raise InvalidInput("The evaluation was not recorded: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    with fences(), unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        row = Evaluation.objects.select_for_update().filter(submission=submission).first()
        if row is None:
            raise NotFound(f"No evaluation is scheduled for {submission.number}.")
        if (refused := evaluation_refusal(row, caller)) is not None:
            raise refused
        Evaluation.objects.filter(pk=row.pk).update(
            done_at=Now(), result=result, found=found.strip(), evidence=evidence.strip(), recorded_by=caller.person
        )
        work.note("evaluation.recorded", submission, {"evaluation": row.pk, "result": result})
        if result == "worse":
            _worse(work, submission, row, found.strip())
        row.refresh_from_db()
    return row


def meet_condition(*, caller: Caller, condition_id: int, evidence: str) -> Condition:
    """Confirm that a condition is met, on named evidence. Somebody else than its owner and the submitter does."""
    if not says_something(evidence, 10):
        raise InvalidInput(
            "Name the evidence you looked at.",
            errors=(FieldError("/evidence", "missing", "What shows that it is done, and where it can be looked up."),),
        )
    with fences(), unit_of_work(caller) as work:
        found = visible(Condition.objects.filter(pk=condition_id), caller, "submission__unit_id")
        submission_id = found.values_list("submission_id", flat=True).first()
        if submission_id is None:
            raise NotFound("There is no such condition in your business unit.")
        submission = locked(caller, submission_id)
        row = Condition.objects.select_for_update(of=("self",)).select_related("owner", "submission").get(pk=condition_id)
        if (refused := condition_refusal(row, caller)) is not None:
            raise refused
        Condition.objects.filter(pk=row.pk).update(met_at=Now(), met_evidence=evidence.strip(), confirmed_by=caller.person)
        work.note("condition.met", submission, {"condition": row.pk})
        row.refresh_from_db()
    return row


def lapse_missed(*, limit: int = 200) -> int:
    """End approvals whose condition was missed, where the condition says so. Returns how many. Harmless when run twice."""
    due = Condition.objects.filter(
        met_at__isnull=True,
        due_on__lt=timezone.now().date(),
        if_missed=REVOKES,
        sign_off__voided_at__isnull=True,
        submission__state=State.APPROVED,
    )
    ended = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True)[:limit]):
        ended += _lapse(pk)
    return ended


def _lapse(condition_id: int) -> int:
    with fences(), unit_of_work(SYSTEM) as work:
        row = Condition.objects.select_related("owner").get(pk=condition_id)
        submission = locked(SYSTEM, row.submission_id)
        row.refresh_from_db()
        if row.met_at is not None or submission.state != State.APPROVED:
            return 0
        why = f"The condition “{row.text[:120]}” was due on {row.due_on:%d %B %Y} and is not confirmed as met."
        live = Permit.objects.select_for_update().filter(submission=submission, revoked_at__isnull=True)
        for permit in live:
            work.note("permit.revoked", submission, {"permit": str(permit.pk), "condition": row.pk})
        live.update(revoked_at=Now(), revoked_why=why[:300])
        because = "a condition was missed"
        data: dict[str, object] = {"condition": row.pk, "because": because}
        advance(work, submission, Action.LAPSE, case=case_of(submission), actor=POLICY, data=data)
        tell(
            work,
            submission,
            Notice.PERMIT_ENDED,
            answerable(submission)
            | holders(submission.unit_id, Role.PLATFORM_ENGINEER)
            | {row.owner_id: "You own the condition that was missed."},
            key=f"{submission.number}:condition:{row.pk}",
            title=f"The permit of {submission.system.slug} {submission.version.version} ended: {because}",
            says=f"{why} Take the version out of {submission.environment}, or roll back; then submit it again.",
        )
    return 1


def _worse(work: Work, submission: Submission, row: Evaluation, found: str) -> None:
    finding = Finding.objects.create(
        submission=submission,
        revision=submission.revision,
        about="evaluation",
        severity=Severity.HIGH,
        says=f"The post-release evaluation came out worse than approved. {found}",
        fix="Find out why, then roll back, or submit a version that mends it.",
        raised_by=work.caller.person,
        owner_id=row.owner_id,
    )
    work.note("finding.opened", submission, {"finding": finding.pk, "about": "evaluation", "severity": "high"})
    tell(
        work,
        submission,
        Notice.FOLLOW_UP,
        answerable(submission) | holders(submission.unit_id, Role.RISK_OFFICER, Role.ANALYST),
        key=f"{submission.number}:evaluation:worse",
        title=f"{submission.system.slug} {submission.version.version} does worse in use than it was approved with",
        says=f"F-{finding.pk} was opened: {found}",
        path=f"/submissions/{submission.number}#findings",
    )
