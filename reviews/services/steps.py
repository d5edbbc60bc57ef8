"""Required review steps: laid out from the policy, opened one after the other, taken back when the dossier changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.duetime import Calendar, due_at, moment_of
from governance.domain.vocabulary import Role, StepState, Track
from governance.models import Submission
from governance.policy import Assessment, Pack, RequiredStep, steps_on
from governance.policy.steps import Step
from governance.services.work import Work
from reviews.models import ReviewStep
from reviews.selectors.notices import Notice
from reviews.services.telling import able_to_decide, tell

SOON = 0.8
"""Share of the working time after which people are reminded and a case counts as due soon."""
_DUE = {Track.GREEN: "3h", Track.YELLOW: "3h", Track.RED: "3d"}


def steps_for(pack: Pack, assessment: Assessment, track: Track) -> tuple[RequiredStep, ...]:
    """The steps a submission needs on `track`, which may be stricter than what the assessment alone says.

    What rules add comes before the last step of the track, so that whoever closes the case has read every other judgement.
    """
    if assessment.track is track:
        return assessment.steps
    because: dict[Role, list[str]] = {}
    for step in assessment.steps:
        if step.because:
            because.setdefault(step.role, []).extend(rule for rule in step.because if rule not in because.get(step.role, []))
    return steps_on(pack, track, because)


def lay_out(submission: Submission, required: Iterable[RequiredStep], *, after: int = 0) -> list[ReviewStep]:
    """Write the steps of the present revision, all waiting. A step that is parallel shares the stage of the one before it.

    `after`: the last order taken by steps that no longer count.
    """
    rows, stage = [], 0
    for order, step in enumerate(required, start=after + 1):
        stage += not (step.parallel and stage)
        plan = step.plan
        rows.append(
            ReviewStep(
                submission=submission,
                revision=submission.revision,
                order=order,
                stage=stage,
                role=step.role,
                attests=step.attests,
                added_by_rule=(step.because[0] if step.because else "")[:20],
                why=f"Asked for by {', '.join(step.because)}." if step.because else "",
                accountable=plan.accountable or "" if plan is not None else "",
                consulted=[role.value for role in plan.consulted] if plan is not None else [],
                informed=[role.value for role in plan.informed] if plan is not None else [],
                checklist=[item.model_dump(mode="json") for item in plan.checklist] if plan is not None else [],
                outside_team=plan.outside_team if plan is not None else False,
                learning=_learning(plan),
            )
        )
    return ReviewStep.objects.bulk_create(rows)


def _learning(plan: Step | None) -> dict[str, Any]:
    need = plan.requires_learning if plan is not None else None
    return need.model_dump(mode="json") if need is not None else {}


def open_next(work: Work, submission: Submission, pack: Pack) -> ReviewStep | None:
    """Open every step of the first stage that waits and give the turn to the first of them; None when none waits.

    While a step of an earlier stage is still open, nothing opens: the turn goes to that step.
    """
    left = list(
        ReviewStep.objects.filter(
            submission=submission, revision=submission.revision, state__in=[StepState.OPEN, StepState.WAITING]
        ).order_by("order")
    )
    if not left:
        return None
    still_open = next((step for step in left if step.state == StepState.OPEN), None)
    if still_open is not None:
        # whoever took the case on keeps it, unless it was just this person who decided
        decider = work.caller.person.pk if work.caller.person is not None else None
        keeper = submission.claimed_by_id if submission.claimed_by_id != decider else None
        give_turn(submission, still_open, claimed_by=keeper)
        return still_open
    now, calendar = timezone.now(), calendar_of(submission)
    opening = [step for step in left if step.stage == left[0].stage]
    for step in opening:
        step.state, step.opened_at = StepState.OPEN, now
        step.due_at = due_for(pack, Track(submission.track), Role(step.role), now, calendar)
        step.save(update_fields=["state", "opened_at", "due_at"])
    give_turn(submission, opening[0])
    for step in {step.role: step for step in opening}.values():
        assert step.due_at is not None
        tell(
            work,
            submission,
            Notice.YOUR_TURN,
            able_to_decide(submission, Role(step.role)),
            key=f"{submission.number}:{step.pk}:{submission.dossier_digest[-16:]}",
            title=f"{submission.number} {submission.system.slug} {submission.version.version} waits for your review",
            says=f"{submission.track.capitalize()} track, due {step.due_at:%d %B, %H:%M} UTC. You attest to: {step.attests}",
        )
        due = step.due_at.isoformat()
        work.note("review.requested", submission, {"role": step.role, "revision": step.revision, "due_at": due})
    return opening[0]


def calendar_of(submission: Submission) -> Calendar:
    """The working time of the unit the case belongs to."""
    return Calendar.from_json(submission.unit.calendar)


def give_turn(submission: Submission, step: ReviewStep, *, claimed_by: int | None = None) -> None:
    """Put the step's role, since-when and due on the submission, where the queue reads them, and who stays on it, if anybody."""
    soon = (
        moment_of(SOON, step.opened_at, step.due_at, calendar_of(submission))
        if step.opened_at is not None and step.due_at is not None
        else None
    )
    submission.turn, submission.turn_since, submission.due_at, submission.claimed_by_id = (
        step.role,
        step.opened_at,
        step.due_at,
        claimed_by,
    )
    submission.soon_at = soon
    Submission.objects.filter(pk=submission.pk).update(
        turn=step.role,
        turn_since=step.opened_at,
        due_at=step.due_at,
        soon_at=soon,
        claimed_by=claimed_by,
        updated_at=Now(),
    )


def due_for(pack: Pack, track: Track, role: Role, start: datetime, calendar: Calendar) -> datetime:
    """When a step opened at `start` is due: the step's own allowance, else the track's, in the unit's working time."""
    plan = pack.document.tracks[track]
    own = next((step.due for step in (*plan.steps, *pack.document.added_steps) if step.role is role), None)
    return due_at(start, own or plan.due or _DUE[track], calendar)


def take_back(submission: Submission) -> None:
    """Every step of the present revision waits again. Their decisions must have been voided before."""
    ReviewStep.objects.filter(submission=submission, revision=submission.revision).exclude(state=StepState.VOID).update(
        state=StepState.WAITING, opened_at=None, due_at=None, done_at=None
    )


def mark_done(step: ReviewStep) -> None:
    """A decision was recorded on it."""
    ReviewStep.objects.filter(pk=step.pk).update(state=StepState.DONE, done_at=Now())


def drop_rest(submission: Submission) -> None:
    """The review ended before these steps had their turn."""
    ReviewStep.objects.filter(submission=submission, state__in=[StepState.OPEN, StepState.WAITING]).update(state=StepState.VOID)
