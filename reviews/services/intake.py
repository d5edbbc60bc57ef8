"""Handing in: submit, revise, withdraw. The request is answered from the rules alone; gates and people come after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError
from django.db.models.functions import Now

from gates.services.control import cancel_unfinished, run_again
from gates.services.planning import plan_runs
from governance.domain.errors import Conflict, FieldError, InvalidInput
from governance.domain.incoming import NewRevision, NewSubmission
from governance.domain.lifecycle import Action, Case, refusal
from governance.domain.vocabulary import EDITABLE_STATES, Scope, State
from governance.models import Submission
from governance.selectors.access import Caller
from governance.services.lifecycle import advance
from governance.services.opening import open_submission
from governance.services.revising import already_revised, take_in
from governance.services.submitting import FROZEN_FIELDS, Frozen, freeze
from governance.services.work import Work, unit_of_work
from reviews.models import ChangeItem
from reviews.selectors.case import case_from, case_of
from reviews.selectors.dossier import Material
from reviews.services.locking import locked
from reviews.services.steps import drop_rest


@dataclass(frozen=True)
class HandedIn:
    """A submission just submitted or revised, with its frozen revision and provisional track."""

    submission: Submission
    frozen: Frozen

    @property
    def material(self) -> Material:
        """What a dossier of it is made of, as long as no gate was judged."""
        frozen = self.frozen
        return Material(
            self.submission, frozen.decision, frozen.answers, frozen.evidence, frozen.sources, outcomes=(), pack=frozen.pack
        )


def submit(*, caller: Caller, submission_id: int, note: str = "") -> HandedIn:
    """Submit a draft: freeze it, assign the provisional track, ask for the gate runs. Does not wait for gates or broker.

    Raises `NotFound`, `Forbidden`, or `Conflict` with the reason when it is not a draft any more.
    """
    caller.require_scope(Scope.SUBMIT)
    with unit_of_work(caller) as work:
        return submit_within(work, locked(caller, submission_id), note=note)


def submit_within(work: Work, submission: Submission, *, note: str = "", case: Case | None = None) -> HandedIn:
    """The same inside a unit of work that is open already, on a locked row: opening and submitting are one transaction.

    `case`: what the lifecycle rules need to know, where the caller knows it already.
    """
    return _hand_in(work, submission, Action.SUBMIT, note, case)


def open_and_submit(
    *, caller: Caller, unit_id: int, new: NewSubmission, idempotency_key: str = "", keep_draft: bool = False
) -> tuple[int, bool]:
    """Open a submission with everything that was sent and submit it, in one transaction. Returns its id and whether it is new.

    See `open_and_hand_in`, which also gives what was frozen.
    """
    pk, created, _ = open_and_hand_in(
        caller=caller, unit_id=unit_id, new=new, idempotency_key=idempotency_key, keep_draft=keep_draft
    )
    return pk, created


def open_and_hand_in(
    *, caller: Caller, unit_id: int, new: NewSubmission, idempotency_key: str = "", keep_draft: bool = False
) -> tuple[int, bool, HandedIn | None]:
    """The same; returns the id, whether it is new, and what was handed in when it was submitted now and is new.

    Sent again, with the same key or the same content, it is the same submission; one that was kept as a draft is submitted then.
    """
    caller.require_scope(Scope.SUBMIT)
    for last_try in (False, True):
        try:
            with unit_of_work(caller) as work:
                row, created = open_submission(
                    work, unit_id=unit_id, new=new, idempotency_key=idempotency_key, origin=caller.origin
                )
                handed_in = None
                if not keep_draft and row.state == State.DRAFT:
                    if created:  # made in this transaction: there is nothing to lock, and nobody has reviewed it
                        case = case_from(row, steps=(), sign_offs=(), contributors=())
                        handed_in = submit_within(work, row, case=case)
                    else:
                        submit_within(work, locked(caller, row.pk))
                return row.pk, created, handed_in
        except (IntegrityError, Conflict) as exc:
            # the same request arrived twice in the same moment: the other one made it, and is found now
            if last_try or getattr(exc, "code", "already_open") != "already_open":
                raise
    raise AssertionError("unreachable")


def revise(*, caller: Caller, submission_id: int, note: str = "", replies: Mapping[int, str] | None = None) -> HandedIn:
    """Submit the next revision of the working copy as it stands. `replies`: change item id -> what was done about it.

    Raises `InvalidInput` for a reply to an item that is not of this submission.
    """
    handed_in = revise_with(caller=caller, submission_id=submission_id, new=NewRevision(note, replies or {}), recognise=False)
    assert handed_in is not None
    return handed_in


def revise_with(
    *, caller: Caller, submission_id: int, new: NewRevision, idempotency_key: str = "", recognise: bool = True
) -> HandedIn | None:
    """Take in what was sent and submit the next revision, in one transaction. None for a request that was answered before.

    `recognise`: the same request again, while nothing followed from the first, is the same revision. Raises `InvalidInput` for a
    reply to an item that is not of this submission, and for what `take_in` refuses; then nothing is changed.
    """
    caller.require_scope(Scope.SUBMIT)
    content = new.content_digest()
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        under_way = State(submission.state) not in EDITABLE_STATES
        if recognise and (idempotency_key or under_way) and already_revised(submission, content=content, key=idempotency_key):
            return None
        take_in(work, submission, new)
        request = (idempotency_key, content) if recognise else ("", "")
        handed_in = _hand_in(work, submission, Action.REVISE, new.note, request=request)
        _reply(work, submission, new.replies)
    return handed_in


def withdraw(*, caller: Caller, submission_id: int, reason: str = "") -> Submission:
    """Take a submission back. Runs under way are cancelled, open steps end; what was said stays on record."""
    caller.require_scope(Scope.SUBMIT)
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        advance(
            work,
            submission,
            Action.WITHDRAW,
            case=case_of(submission, caller),
            actor=caller.actor(submission.unit_id),
            data={"with_reason": bool(reason.strip())},
        )
        cancel_unfinished(work, submission)
        drop_rest(submission)
    return submission


def recheck(*, caller: Caller, submission_id: int) -> Submission:
    """Run again what stopped with an error. Raises `Conflict` when nothing did: a failed check needs a revision."""
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        case, actor = case_of(submission, caller), caller.actor(submission.unit_id)
        advance(work, submission, Action.RECHECK, case=case, actor=actor, turn="machine")
        run_again(work, submission=submission)
    return submission


def _hand_in(
    work: Work,
    submission: Submission,
    action: Action,
    note: str,
    case: Case | None = None,
    request: tuple[str, str] = ("", ""),
) -> HandedIn:
    caller = work.caller
    case, actor = case or case_of(submission, caller), caller.actor(submission.unit_id)
    if (refused := refusal(case, action, actor)) is not None:
        raise refused
    frozen = freeze(work, submission, note=note.strip(), request_key=request[0], request_digest=request[1])
    advance(work, submission, action, case=case, actor=actor, turn="machine", also=FROZEN_FIELDS)
    plan_runs(
        work, submission=submission, revision=frozen.revision, pack=frozen.pack, assessment=frozen.assessment, facts=frozen.facts
    )
    assert submission.state == State.IN_CHECKS
    return HandedIn(submission, frozen)


def _reply(work: Work, submission: Submission, replies: Mapping[int, str]) -> None:
    items = {item.pk: item for item in ChangeItem.objects.filter(submission=submission, replied_at__isnull=True)}
    unknown = [pk for pk in replies if pk not in items]
    if unknown:
        raise InvalidInput(
            f"There is no open change item {unknown[0]} on {submission.number}.",
            errors=tuple(
                FieldError(f"/replies/{pk}", "unknown", "Reply to the items listed under change_items.") for pk in unknown
            ),
        )
    for pk, text in replies.items():
        if text.strip():
            ChangeItem.objects.filter(pk=pk).update(reply=text.strip(), replied_at=Now(), replied_in_revision=submission.revision)
    if replies:
        work.note("submission.replied", submission, {"items": sorted(replies), "revision": submission.revision})
