"""Handing a role on for a while, and telling whoever stands in."""

from __future__ import annotations

from datetime import datetime

from governance.domain.vocabulary import Role
from governance.models import Person, RoleGrant
from governance.selectors.access import Caller, caller_for
from governance.services.granting import delegate
from governance.services.work import Work
from reviews.selectors.notices import Notice
from reviews.selectors.queue import MOST_MINE, count, mine_of
from reviews.services.telling import tell_unit


def hand_on(
    *, caller: Caller, grant_id: int, to: Person, until: datetime, reason: str, proved_at: datetime | None = None
) -> RoleGrant:
    """Let somebody stand in for the caller (see `granting.delegate`, which says what is refused), and tell them at once, with
    how much waits for them now. What comes later reaches them like everybody who holds the role."""
    return delegate(caller=caller, grant_id=grant_id, to=to, until=until, reason=reason, proved_at=proved_at, then=_tell)


def _tell(work: Work, grant: RoleGrant) -> None:
    giver = work.caller.person
    unit = grant.unit_id if grant.unit_id is not None else grant.person.unit_id
    if giver is None or unit is None or grant.valid_until is None:
        return
    waiting = count(mine_of(caller_for(grant.person)).filter(turn=grant.role), MOST_MINE)
    cases = "No case waits for it now" if not waiting.number else f"Cases that wait for it now: {waiting.says}"
    why = grant.reason.rstrip(".")
    where = grant.unit.name if grant.unit is not None else "all units"
    tell_unit(
        work,
        unit,
        Notice.YOUR_TURN,
        {grant.person_id: f"{giver.name} chose you."},
        key=f"stand-in:{grant.pk}",
        title=f"You stand in for {giver.name} as {Role(grant.role).label}",
        says=f"For {where}, until {grant.valid_until:%d %B, %H:%M} UTC ({why}). {cases}; "
        "you are told of each that comes. "
        f"You decide under your own name; where {giver.name} may not decide, neither may you. "
        "If you cannot, give it back under Standing in.",
        path="/queue" if waiting.number else "/stand-ins",
    )
