"""Who may give a case to somebody else. Whether that somebody may take it is the same question as for every decision."""

from __future__ import annotations

from governance.domain.errors import Conflict, DomainError, Forbidden
from governance.domain.lifecycle import Actor, Case, decision_refusal, words
from governance.domain.vocabulary import State


def hand_over_refusal(case: Case, actor: Actor, *, holder: int | None, leads_holder: bool) -> DomainError | None:
    """Why `actor` may not hand the open step over, or None.

    Whoever is on it may; so may their manager, and anybody who could decide the step instead.
    """
    if case.state is not State.IN_REVIEW or case.step is None:
        return Conflict(f"Nothing waits for a decision: the submission is {words(case.state)}.", code="no_open_step")
    if actor.token or actor.is_policy:
        return Forbidden("A token cannot hand a case over. A person has to sign in.", code="person_needed")
    if holder is not None and (actor.person == holder or leads_holder):
        return None
    return decision_refusal(case, actor)
