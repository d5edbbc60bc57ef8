"""Who may raise a finding, report its fix, verify it, or say whose it is. Pure; the database holds the rule on verifying too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from governance.domain.errors import Conflict, DomainError, Forbidden, SegregationOfDuties
from governance.domain.lifecycle import Actor
from governance.domain.vocabulary import OPEN_STATES, REVIEWING_ROLES, Role, State


@dataclass(frozen=True, slots=True)
class Remedy:
    """What the rules need to know of a finding. `workers`: the submitter and the contributors of its version."""

    state: str
    by_person: bool
    case: State
    owner: int | None = None
    fixed_by: int | None = None
    workers: Collection[int] = field(default_factory=frozenset)


def raise_refusal(case: State, actor: Actor) -> DomainError | None:
    """Why `actor` may not raise a finding on a case, or None."""
    if (refused := _person(actor)) is not None:
        return refused
    if case in (State.DRAFT, State.WITHDRAWN):
        return Conflict("There is nothing to find yet: it is not handed in.", code="wrong_state")
    return None if actor.roles & REVIEWING_ROLES else Forbidden("Only a reviewer can raise a finding.", code="role_needed")


def fix_refusal(remedy: Remedy, actor: Actor) -> DomainError | None:
    """Why `actor` may not report the fix, or None: whose it is may, and whoever works on the version or hands versions in."""
    if (refused := _person(actor)) is not None:
        return refused
    if remedy.state != "open":
        return Conflict(f"Its state is {remedy.state}; only an open finding can be reported as fixed.", code="wrong_state")
    if (refused := _measured_again(remedy)) is not None:
        return refused
    if actor.person in {remedy.owner, *remedy.workers} or Role.SUBMITTER in actor.roles:
        return None
    return Forbidden("Whoever owns it or works on the version reports the fix.", code="not_your_move")


def verify_refusal(remedy: Remedy, actor: Actor) -> DomainError | None:
    """Why `actor` may not verify the fix, or None: a reviewer who neither fixed it nor worked on the version."""
    if (refused := _person(actor)) is not None:
        return refused
    if remedy.state != "fixed":
        return Conflict("Nobody reported a fix yet.", code="wrong_state")
    if not actor.roles & REVIEWING_ROLES:
        return Forbidden("A reviewer verifies the fix.", code="role_needed")
    if actor.person == remedy.fixed_by:
        return SegregationOfDuties("You reported the fix, so somebody else verifies it.")
    if actor.person in remedy.workers:
        return SegregationOfDuties("You worked on this version, so somebody else verifies the fix.")
    return None


def assign_refusal(remedy: Remedy, actor: Actor) -> DomainError | None:
    """Why `actor` may not say whose it is and until when, or None."""
    if (refused := _person(actor)) is not None:
        return refused
    if remedy.state == "closed":
        return Conflict("It is closed.", code="wrong_state")
    if actor.roles & REVIEWING_ROLES or actor.person == remedy.owner:
        return None
    return Forbidden("Its owner or a reviewer says whose it is and until when.", code="role_needed")


def _measured_again(remedy: Remedy) -> DomainError | None:
    if not remedy.by_person and remedy.case in OPEN_STATES:
        return Conflict("The check closes it itself when it no longer finds it: submit a revision.", code="measured_again")
    return None


def _person(actor: Actor) -> DomainError | None:
    if actor.token or actor.is_policy:
        return Forbidden("A token cannot do this. A person has to sign in.", code="person_needed")
    return None
