"""Claiming a case, so that two reviewers do not read it at the same time, and handing it over. A claim is a courtesy: it decides
nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models.functions import Now

from governance.domain.errors import Conflict, DomainError, FieldError, InvalidInput
from governance.domain.handing_over import hand_over_refusal
from governance.domain.vocabulary import Role
from governance.models import Person, Submission
from governance.selectors.access import Caller, caller_for
from governance.services.work import unit_of_work
from reviews.models import HandOver
from reviews.selectors.case import case_of, who_may_decide
from reviews.selectors.notices import Notice
from reviews.services.decision_input import says_something
from reviews.services.locking import locked
from reviews.services.telling import may_see, tell

MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Claimed:
    """What became of one case of several: taken, or why not."""

    number: str
    refused: str = ""


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


def claim_several(*, caller: Caller, submission_ids: Iterable[int]) -> list[Claimed]:
    """Claim each of them for itself: one that cannot be taken does not hold up the others. At most fifty at once."""
    ids = list(dict.fromkeys(submission_ids))
    if not ids:
        raise InvalidInput("Choose at least one case.", errors=(FieldError("/pick", "missing", "Choose at least one case."),))
    if len(ids) > MOST_AT_ONCE:
        raise InvalidInput(f"At most {MOST_AT_ONCE} cases can be taken on at once.")
    found = []
    for submission_id in ids:
        try:
            claim(caller=caller, submission_id=submission_id)
        except DomainError as exc:
            found.append(Claimed(f"S-{submission_id}", exc.detail))
        else:
            found.append(Claimed(f"S-{submission_id}"))
    return found


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


def hand_over(*, caller: Caller, submission_id: int, to: int, note: str) -> HandOver:
    """Give the open step to another person, with what they should know.

    The holder may, their manager, and anybody who could decide the step instead. The receiver must be able to decide it: the
    rules of segregation of duties are asked before anything changes. Raises `NotFound`, `Forbidden`, `SegregationOfDuties`,
    `Conflict`, and `InvalidInput` naming the person or the note.
    """
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        holder = Person.objects.filter(pk=submission.claimed_by_id).first() if submission.claimed_by_id is not None else None
        if (refused := may_hand_over(submission, caller, holder)) is not None:
            raise refused
        assert caller.person is not None
        if not says_something(note, 10):
            raise InvalidInput(
                "The note says too little.",
                errors=(FieldError("/note", "missing", "Write what the next person should know, in a sentence."),),
            )
        receiver, step = _receiver(submission, holder, to)
        given = HandOver.objects.create(
            submission=submission,
            revision=submission.revision,
            role=step,
            held_by=holder,
            to=receiver,
            by=caller.person,
            note=note.strip()[:2000],
        )
        Submission.objects.filter(pk=submission.pk).update(claimed_by=receiver, updated_at=Now())
        work.note(
            "review.handed_over",
            submission,
            {
                "role": step.value,
                "hand_over": given.pk,
                "from": holder.reference if holder is not None else None,
                "to": receiver.reference,
            },
        )
        people = {receiver.pk: f"{caller.person.name} handed it over to you."}
        if holder is not None and holder.pk != receiver.pk:
            people[holder.pk] = f"You were on it; {caller.person.name} gave it to {receiver.name}."
        due = f" Due {submission.due_at:%d %B, %H:%M} UTC." if submission.due_at is not None else ""
        tell(
            work,
            submission,
            Notice.YOUR_TURN,
            people,
            key=f"{submission.number}:handed:{given.pk}",
            title=f"{submission.number} {submission.system.slug} {submission.version.version} was handed over to {receiver.name}",
            says=f"{given.note}{due}",
        )
    return given


def may_hand_over(submission: Submission, caller: Caller, holder: Person | None) -> DomainError | None:
    """Why the caller may not hand the open step over, or None: for the page before the click and for the service."""
    me = caller.person.pk if caller.person is not None else None
    return hand_over_refusal(
        case_of(submission, caller),
        caller.actor(submission.unit_id),
        holder=holder.pk if holder is not None else None,
        leads_holder=holder is not None and me is not None and holder.manager_id == me,
    )


def _receiver(submission: Submission, holder: Person | None, to: int) -> tuple[Person, Role]:
    """The person it goes to and the step they would decide; refused where they may not decide it."""
    # whoever cannot see the case is not named to its reviewers either
    receiver = Person.objects.filter(may_see(submission.unit_id), pk=to, is_active=True).first()
    if receiver is None or (holder is not None and receiver.pk == holder.pk):
        says = "Choose somebody." if receiver is None else f"{receiver.name} is on it already."
        raise InvalidInput(says, errors=(FieldError("/to", "unknown", says),))
    theirs = caller_for(receiver)
    case = case_of(submission, theirs)
    if (refused := who_may_decide(submission, theirs, case=case)) is not None:
        says = f"{receiver.name} may not decide it. To them the rule says: “{refused.detail}”"
        raise InvalidInput(says, errors=(FieldError("/to", "cannot_decide", says),))
    assert case.step is not None
    return receiver, case.step
