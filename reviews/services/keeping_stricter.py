"""Submissions in flight keep the stricter of two policies: the one they were handed in under, and the one in force since.

A new version never lowers the track of what is open. Where it asks for more, the track is raised, decisions already made on the
case are void, and its steps are those of the stricter track.
"""

from __future__ import annotations

import logging

from django.db.models import Max
from django.db.models.functions import Now

from governance.domain.errors import Conflict
from governance.domain.facts import FactSet
from governance.domain.vocabulary import State, StepState, Track
from governance.models import PolicyPack, Submission, TrackDecision
from governance.policy import Pack, RequiredStep, evaluate
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_in_force
from governance.services.tracks import assign, judged_for
from governance.services.work import Work, unit_of_work
from reviews.models import ReviewStep, SignOff
from reviews.selectors.dossier import dossier
from reviews.selectors.notices import Notice
from reviews.services.fences import fences
from reviews.services.locking import locked
from reviews.services.refreshing import keep
from reviews.services.steps import lay_out, open_next, steps_for
from reviews.services.telling import answerable, tell

log = logging.getLogger(__name__)

WHY_VOID = "A stricter policy came into force after this decision."


def stricter_in_force(work: Work, submission: Submission, facts: FactSet) -> tuple[PolicyPack, Pack] | None:
    """The pack in force, where it asks for a stricter track than the submission has by another one; else None."""
    policy, pack = work.policy(submission.kind)
    if policy.pk == submission.policy_id:
        return None
    judged = judged_for(pack, facts, submission)
    track = evaluate(pack, judged.facts, envelope=judged.envelope).track
    return (policy, pack) if track.rank > Track(submission.track).rank else None


def keep_all_stricter() -> int:
    """Raise the track of cases under review that the policy in force would judge more strictly. Returns how many were raised."""
    raised = 0
    kinds = Submission.objects.filter(state=State.IN_REVIEW).values_list("kind", flat=True).distinct().order_by()
    for kind in list(kinds):
        try:
            policy, _ = pack_in_force(kind)
        except Conflict:
            continue
        others = Submission.objects.filter(state=State.IN_REVIEW, kind=kind).exclude(policy=policy)
        for pk in others.order_by("pk").values_list("pk", flat=True).iterator():
            try:
                raised += raise_one(submission_id=pk)
            except Exception:
                log.exception("S-%s cannot be judged by the new policy", pk)
    return raised


def raise_one(*, submission_id: int) -> bool:
    """Judge one case under review by the policy in force and raise it where that is stricter."""
    with fences(), unit_of_work(SYSTEM) as work:
        submission = locked(SYSTEM, submission_id)
        if submission.state != State.IN_REVIEW:
            return False
        last = TrackDecision.objects.filter(submission=submission, revision=submission.revision).order_by("-id").first()
        if last is None:
            return False
        facts = FactSet.from_json(last.facts)
        newer = stricter_in_force(work, submission, facts)
        if newer is None:
            return False
        policy, pack = newer
        decision, assessment = assign(work, submission=submission, policy=policy, pack=pack, facts=facts, pending=(), final=True)
        _start_over(work, submission, pack, steps_for(pack, assessment, Track(decision.track)))
        tell(
            work,
            submission,
            Notice.POLICY,
            answerable(submission),
            key=f"{submission.number}:{policy.pk}",
            title=f"{submission.system.slug} {submission.version.version} is {decision.track} track by the new policy",
            says=f"{pack.name} {pack.version} came into force during the review, and it is stricter. {assessment.sentence}",
        )
    return True


def _start_over(work: Work, submission: Submission, pack: Pack, steps: tuple[RequiredStep, ...]) -> None:
    SignOff.objects.filter(submission=submission, revision=submission.revision, voided_at__isnull=True).update(
        voided_at=Now(), voided_why=WHY_VOID
    )
    rows = ReviewStep.objects.filter(submission=submission, revision=submission.revision)
    last = rows.aggregate(last=Max("order"))["last"] or 0
    rows.update(state=StepState.VOID)
    lay_out(submission, steps, after=last)
    keep(submission, dossier(submission))
    open_next(work, submission, pack)
