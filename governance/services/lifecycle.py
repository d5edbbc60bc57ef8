"""The only writer of a submission's state."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models.functions import Now

from governance.domain.lifecycle import Action, Actor, Case, refusal, transition
from governance.domain.vocabulary import OPEN_STATES, State
from governance.models import Submission
from governance.services.work import Work


def advance(
    work: Work,
    submission: Submission,
    action: Action,
    *,
    case: Case,
    actor: Actor,
    turn: str = "",
    due_at: datetime | None = None,
    data: dict[str, object] | None = None,
    also: Collection[str] = (),
) -> None:
    """Make the move or raise the refusal. The row must be locked by the caller.

    `turn`: whose turn it is afterwards (a role, "submitter", "machine" or ""); `data`: what the audit event adds (no personal
    data); `also`: fields of the submission that the caller has set, saved in the same statement.
    """
    refused = refusal(case, action, actor)
    if refused is not None:
        raise refused
    move = transition(case.state, action)
    assert move is not None
    before, submission.state = submission.state, move.to
    submission.turn, submission.due_at = turn, due_at
    submission.claimed_by = None
    values: dict[str, object] = {
        **{name: getattr(submission, name) for name in also},
        "state": move.to,
        "turn": turn,
        "due_at": due_at,
        "soon_at": None,
        "claimed_by": None,
        "turn_since": Now() if turn else None,
        "updated_at": Now(),
    }
    if move.to not in OPEN_STATES:
        values["closed_at"] = Now()
    Submission.objects.filter(pk=submission.pk, state=before).update(**values)
    work.note(
        f"submission.{action.value}",
        submission,
        {"from": State(before).value, "to": move.to.value, "revision": submission.revision, "turn": turn, **(data or {})},
    )
