"""A person's decision on a review step: the one path to `approved`, `changes requested` and `rejected`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from gates.people import waits_for_person
from gates.registry import gates as all_gates
from governance.domain.errors import Conflict, DomainError, InvalidInput, StaleDossier
from governance.domain.facts import FactSet
from governance.domain.lifecycle import Action, Case, approval_refusal
from governance.domain.vocabulary import DecisionKind, Role, StepState, Track, Verdict
from governance.models import Person, Submission, TrackDecision
from governance.selectors.access import Caller
from governance.services.lifecycle import advance
from governance.services.work import Work, unit_of_work
from reviews.models import ChangeItem, Condition, ReviewStep, SignOff
from reviews.selectors.case import case_of, who_may_decide
from reviews.selectors.differences import dossier_differences, in_words
from reviews.selectors.dossier import DossierContent, Material, dossier_from, material_of
from reviews.selectors.learning import latest_passes, learning_views
from reviews.selectors.notices import Notice
from reviews.selectors.waiving import cover
from reviews.services.decision_input import NewDecision, check_decision
from reviews.services.fences import fences
from reviews.services.following_up import schedule_evaluation
from reviews.services.locking import locked
from reviews.services.permits import issue, supersede_earlier
from reviews.services.refreshing import kept_content, refresh
from reviews.services.refused_readings import note_refused
from reviews.services.rollback import rollback_refusal
from reviews.services.steps import drop_rest, mark_done, open_next
from reviews.services.telling import tell_decided, tell_informed

_WORDS = {
    DecisionKind.APPROVE: "approve this version for this environment",
    DecisionKind.APPROVE_WITH_CONDITIONS: "approve this version for this environment under the conditions I name",
    DecisionKind.REQUEST_CHANGES: "request the changes I list before this version can go on",
    DecisionKind.REJECT: "reject this version for the reasons I give",
}


REVIEW_MISSED = "The risk officer decides whether the permit stands."


@dataclass(frozen=True)
class Decided:
    """What a decision led to."""

    submission: Submission
    sign_off: SignOff


def meaning_of(step: ReviewStep, kind: DecisionKind) -> str:
    """What the signature means, as it is shown before signing and stored with it."""
    return f"As {Role(step.role).label} I {_WORDS[kind]}. What I attest to: {step.attests}"


def decide(*, caller: Caller, submission_id: int, dossier_digest: str, decision: NewDecision) -> Decided:
    """Record the caller's decision on the step whose turn it is.

    `dossier_digest`: of the case as the person saw it. Raises `NotFound`, `Forbidden`, `SegregationOfDuties`, `Conflict`;
    `InvalidInput` when the decision does not say enough; `ReauthenticationNeeded` for a risk sign-off without a fresh sign-in;
    `StaleDossier` with what changed when the case is no longer the one that was seen; decisions on the old one are void then.
    """
    try:
        with fences():
            result = _decide(caller, submission_id, dossier_digest, decision)
    except InvalidInput as exc:
        note_refused(caller=caller, submission_id=submission_id, errors=exc.errors)
        raise
    if isinstance(result, DomainError):
        raise result
    return result


def _decide(caller: Caller, submission_id: int, seen: str, new: NewDecision) -> Decided | DomainError:
    """The transaction. A refusal that must not undo the voiding of stale decisions is returned, to be raised after the commit."""
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        material = material_of(submission, lock=True)
        found = dossier_from(material)
        changed = refresh(work, submission, found)
        case = case_of(submission, caller)
        if (refused := who_may_decide(submission, caller, case=case)) is not None:
            # a change voids decisions even if the one who found out may not decide
            if changed:
                return refused
            raise refused
        if seen != found.digest:
            return StaleDossier(_what_changed(submission, seen, found))
        assert case.step_id is not None
        step = ReviewStep.objects.select_for_update().get(pk=case.step_id, state=StepState.OPEN)
        if new.approves:
            if (refused := approval_refusal(case, caller.actor(submission.unit_id))) is not None:
                raise refused
            _refuse_unattested(material)
        _check(submission, material, step, caller, new)
        if new.approves and case.steps_left == 1:
            _refuse_unfit(material)
        sign_off = _record(work, submission, step, caller, found, material, new)
        _carry_out(work, submission, material, case, caller, new)
    return Decided(submission, sign_off)


def _what_changed(submission: Submission, seen: str, found: DossierContent) -> str:
    before = kept_content(submission, seen)
    changes = in_words(dossier_differences(before, found.content)) + " " if before is not None else ""
    return f"The case changed since you opened it. {changes}Look at it as it is now, then decide again; what you typed is kept."


def _check(submission: Submission, material: Material, step: ReviewStep, caller: Caller, new: NewDecision) -> None:
    assert caller.person is not None
    questionnaire = material.pack.questionnaire if material.pack else None
    others = SignOff.objects.filter(submission=submission).exclude(by=caller.person).values_list("readings", flat=True)
    owners = [condition.owner for condition in new.conditions]
    check_decision(
        new,
        role=Role(step.role),
        outcomes=material.outcomes,
        read_by={code: str(gate.read_by) for code, gate in all_gates().items()},
        questions=[question.id for question in questionnaire.questions] if questionnaire else [],
        others_readings=[text for readings in others for text in readings.values()],
        owners=Person.objects.filter(pk__in=owners, unit_id=submission.unit_id, is_active=True).values_list("pk", flat=True)
        if owners
        else (),
        now=timezone.now(),
        checklist=step.checklist,
        in_full=submission.track == Track.RED and not step.added_by_rule,
    )


def _refuse_unattested(material: Material) -> None:
    """Nobody approves before the people whom gates wait for have spoken, so that every signature stands under what they said."""
    waits = [o for o in material.outcomes if o.blocking and waits_for_person(o.metric, o.verdict)]
    if waits:
        says = " ".join(dict.fromkeys(o.says for o in waits))
        raise Conflict(
            f"{', '.join(o.code for o in waits)}: {says} See “What people attest” on the case page.", code="not_attested"
        )


def _refuse_unfit(material: Material) -> None:
    """What must hold before anything becomes `approved`, whoever signs."""
    decision: TrackDecision | None = material.decision
    if decision is None or not decision.final:
        raise Conflict("The final track is not assigned yet: the checks have not finished.", code="track_not_final")
    waived = cover(material.waivers, material.outcomes)
    blocked = [
        o.code
        for o in material.outcomes
        if o.blocking and o.verdict in (Verdict.FAIL, Verdict.NOT_ASSESSED) and o.code not in waived
    ]
    if blocked:
        raise Conflict(f"Blocking gates do not pass: {', '.join(blocked)}. Request changes instead.", code="gates_block")
    refused = rollback_refusal(FactSet.from_json(decision.facts), has_champion=material.submission.champion_id is not None)
    if refused:
        raise Conflict(refused, code="no_rollback_target")


def _record(
    work: Work,
    submission: Submission,
    step: ReviewStep,
    caller: Caller,
    found: DossierContent,
    material: Material,
    new: NewDecision,
) -> SignOff:
    assert caller.person is not None
    assert material.decision is not None
    known = {outcome.code for outcome in material.outcomes}
    sign_off = SignOff.objects.create(
        submission=submission,
        step=step,
        revision=submission.revision,
        role=step.role,
        by=caller.person,
        decision=new.kind,
        meaning=meaning_of(step, new.kind),
        comment=new.comment.strip(),
        rationale=new.rationale.strip(),
        alternatives=new.alternatives.strip(),
        checks=_answered(step, new),
        residual_risk=new.residual_risk.strip(),
        **_residual(step, new),
        accepted_instead=new.accepted_instead.strip(),
        readings={code: text.strip() for code, text in new.readings.items() if text.strip() and code in known},
        dossier_digest=found.digest,
        policy_digest=material.decision.policy.digest,
        reauthenticated_at=new.reauthenticated_at,
        shown_at=new.shown_at,
    )
    ChangeItem.objects.bulk_create(
        ChangeItem(
            submission=submission,
            sign_off=sign_off,
            about_gate=item.about_gate,
            about_question=item.about_question,
            asks=item.asks.strip(),
            good_enough=item.good_enough.strip(),
        )
        for item in (new.change_items if new.kind is DecisionKind.REQUEST_CHANGES else ())
    )
    Condition.objects.bulk_create(
        Condition(
            submission=submission,
            sign_off=sign_off,
            text=item.text.strip(),
            owner_id=item.owner,
            due_on=item.due_on,
            if_missed=item.if_missed,
        )
        for item in (new.conditions if new.kind is DecisionKind.APPROVE_WITH_CONDITIONS else ())
    )
    if step.role == Role.RISK_OFFICER and new.approves:
        _review_again(submission, sign_off, new)
    mark_done(step)
    tell_informed(work, submission, step, sign_off)
    work.note(
        "sign_off.recorded",
        submission,
        {
            "sign_off": sign_off.pk,
            "step": step.order,
            "role": step.role,
            "revision": step.revision,
            "decision": new.kind.value,
            "dossier": found.digest,
            "policy": sign_off.policy_digest,
            "change_items": len(new.change_items),
            "conditions": len(new.conditions),
            **_not_learnt(step, caller),
        },
    )
    return sign_off


def _not_learnt(step: ReviewStep, caller: Caller) -> dict[str, list[str]]:
    """Lessons the step asks for that the person had not passed: a demand that does not count yet is on record all the same."""
    if caller.person is None or not step.learning:
        return {}
    asked = learning_views(step, latest_passes(caller.person.pk), timezone.now())
    left = [row.lesson for row in asked if row.state != "passed"]
    return {"lessons_not_passed": left} if left else {}


def _answered(step: ReviewStep, new: NewDecision) -> list[dict[str, Any]]:
    """The checklist as it was asked, each item with its answer: what was signed reads the same for ever."""
    return [
        {**item, "answer": given.answer, "note": given.note.strip()}
        for item in step.checklist
        if (given := new.checks.get(item["id"])) is not None
    ]


def _residual(step: ReviewStep, new: NewDecision) -> dict[str, Any]:
    if step.role != Role.RISK_OFFICER or not new.approves:
        return {}
    return {
        "residual_level": new.residual_level,
        "residual_plan": new.residual_plan.strip(),
        "residual_review_on": new.residual_review_on,
    }


def _review_again(submission: Submission, sign_off: SignOff, new: NewDecision) -> None:
    """The residual risk is looked at again on its day: a task for the system's owner, confirmed by somebody else."""
    assert new.residual_review_on is not None
    Condition.objects.create(
        submission=submission,
        sign_off=sign_off,
        text=f"Look again at the residual risk ({new.residual_level}) and at its plan: {new.residual_plan.strip()}",
        owner_id=submission.system.owner_id or submission.submitter_id,
        due_on=new.residual_review_on,
        if_missed=REVIEW_MISSED,
    )


def _carry_out(work: Work, submission: Submission, material: Material, case: Case, caller: Caller, new: NewDecision) -> None:
    actor = caller.actor(submission.unit_id)
    assert material.pack is not None
    assert material.decision is not None
    if new.kind is DecisionKind.REQUEST_CHANGES:
        drop_rest(submission)
        advance(work, submission, Action.REQUEST_CHANGES, case=case, actor=actor, turn="submitter")
        count = f"{len(new.change_items)} change{'' if len(new.change_items) == 1 else 's'}"
        says = f"{new.comment.strip()} Answer each item, then submit the revision.".strip()
        tell_decided(work, submission, f"was sent back with {count} to make", says, kind=Notice.CHANGES_REQUESTED)
    elif new.kind is DecisionKind.REJECT:
        drop_rest(submission)
        advance(work, submission, Action.REJECT, case=case, actor=actor)
        instead = f"{new.comment.strip()} What would be accepted: {new.accepted_instead.strip()}"
        tell_decided(work, submission, "was rejected", instead)
    elif case.steps_left > 1:
        open_next(work, submission, material.pack)
        Submission.objects.filter(pk=submission.pk).update(updated_at=Now())
    else:
        advance(work, submission, Action.COMPLETE_REVIEW, case=case, actor=actor, data={"dossier": submission.dossier_digest})
        issue(work, submission=submission, policy=material.decision.policy)
        supersede_earlier(work, submission=submission)
        schedule_evaluation(work, submission, material.pack)
        under = " Conditions stand with it: see to them in time." if new.kind is DecisionKind.APPROVE_WITH_CONDITIONS else ""
        tell_decided(work, submission, "was approved", f"Its permit for {submission.environment} is issued.{under}")
