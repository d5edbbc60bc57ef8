"""Proposing, approving and ending change envelopes. Two people, neither of whom worked on the system."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from governance.domain.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    ReauthenticationNeeded,
    SegregationOfDuties,
)
from governance.domain.freshness import fresh
from governance.domain.vocabulary import Role, Track
from governance.models import ChangeEnvelope, Contributor, EnvelopeRuling, Submission, System
from governance.policy import Pack
from governance.policy.conditions import is_fact_name
from governance.policy.envelopes import Bound
from governance.selectors.access import Caller, visible
from governance.selectors.policy import pack_in_force
from governance.services.work import unit_of_work

LONGEST = timedelta(days=184)
MOST_USES = 400
_BOUND = re.compile(
    r"\s*(?P<fact>[a-z0-9_.]+)\s+from\s+(?P<low>[-+]?[\d.,]+)\s*(?P<p1>%?)\s+to\s+(?P<high>[-+]?[\d.,]+)\s*(?P<p2>%?)"
    r"(?:\s+total\s+(?P<total>[\d.,]+)\s*(?P<p3>%?))?\s*\Z"
)


@dataclass(frozen=True)
class NewEnvelope:
    """The terms as they are asked for."""

    system_id: int
    environment: str
    title: str
    why: str
    track: str
    rules: Sequence[str]
    bounds: Sequence[Bound]
    until: date | None
    most_uses: int
    most_looks: int


NEVER_COVERED = frozenset({"TR-026", "TR-052"})
"""Another purpose than the champion's, and personal data that the register knows of and the submission denies."""


def coverable(pack: Pack) -> tuple[str, ...]:
    """Rules an envelope may cover: what the use is, which nobody can change by editing; never what changed since the champion."""
    return tuple(rule.id for rule in pack.rules if "TR-020" <= rule.id < "TR-070" and rule.id not in NEVER_COVERED)


def parse_bounds(text: str) -> tuple[Bound, ...]:
    """Bounds as people write them, one a line: `performance.relative_change from -1 % to 2 % total 5 %`."""
    found, problems = [], []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
        row = _BOUND.match(line)
        if row is None or not is_fact_name(row["fact"]):
            problems.append(f"Line {number}: write “performance.relative_change from -1 % to 2 % total 5 %”.")
            continue
        try:
            low, high = _number(row["low"], row["p1"]), _number(row["high"], row["p2"])
            total = _number(row["total"], row["p3"]) if row["total"] else None
        except ValueError:
            problems.append(f"Line {number}: one of the numbers cannot be read.")
            continue
        if low > high:
            problems.append(f"Line {number}: the first number is larger than the second.")
        found.append(Bound(row["fact"], low, high, total))
    if problems:
        raise InvalidInput(" ".join(problems), errors=(FieldError("/bounds", "bounds", " ".join(problems)),))
    return tuple(found)


def _number(text: str, percent: str) -> float:
    value = float(text.replace(",", "."))
    return round(value / 100, 12) if percent else value


def proposing_refusal(system: System, caller: Caller) -> DomainError | None:
    """Why the caller may not propose an envelope for a system; None when they may."""
    person = caller.person
    if person is None or caller.token is not None:
        return Forbidden("Envelopes are proposed by people. Sign in.", code="person_needed")
    if Role.POLICY_AUTHOR not in caller.roles_in(system.unit_id) and person.pk != system.owner_id:
        return Forbidden("A policy author or the owner of the system proposes an envelope.", code="role_needed")
    if worked_on(person.pk, system):
        return SegregationOfDuties("You worked on this system, so somebody else proposes its envelope.")
    return None


def ruling_refusal(row: ChangeEnvelope, caller: Caller) -> DomainError | None:
    """Why the caller may not rule on a proposed envelope; None when they may."""
    person = caller.person
    if row.state != ChangeEnvelope.PROPOSED:
        return Conflict("This envelope does not wait for a ruling.", code="not_proposed")
    if person is None or caller.token is not None:
        return Forbidden("Envelopes are ruled on by people. Sign in.", code="person_needed")
    if Role.RISK_OFFICER not in caller.roles_in(row.unit_id):
        return Forbidden("Only a risk officer rules on a change envelope.", code="role_needed")
    if person.pk == row.proposed_by_id:
        return SegregationOfDuties("You proposed this envelope, so somebody else rules on it.")
    if worked_on(person.pk, row.system):
        return SegregationOfDuties("You worked on this system, so somebody else rules on its envelope.")
    return None


def worked_on(person_id: int, system: System) -> bool:
    """Whether somebody submitted or contributed to any version of a system."""
    mine = Submission.objects.filter(system=system, submitter_id=person_id)
    return mine.exists() or Contributor.objects.filter(submission__system=system, person_id=person_id).exists()


def propose_envelope(*, caller: Caller, new: NewEnvelope) -> ChangeEnvelope:
    """Ask for an envelope. Raises `NotFound`, the refusals above, `InvalidInput` naming each field."""
    system = visible(System.objects.select_related("unit"), caller).filter(pk=new.system_id).first()
    if system is None:
        raise NotFound("There is no such system in your business unit.")
    if (refused := proposing_refusal(system, caller)) is not None:
        raise refused
    if problems := _problems(new, pack_in_force(system.kind)[1]):
        raise InvalidInput("The envelope was not proposed: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    assert caller.person is not None and new.until is not None
    with unit_of_work(caller) as work:
        row = ChangeEnvelope.objects.create(
            unit=system.unit,
            system=system,
            environment=new.environment.strip(),
            title=new.title.strip(),
            why=new.why.strip(),
            track=new.track,
            rules=sorted(set(new.rules)),
            bounds=[bound.to_json() for bound in new.bounds],
            until=new.until,
            most_uses=new.most_uses,
            most_looks=new.most_looks,
            proposed_by=caller.person,
        )
        work.note("envelope.proposed", row, _said(row))
    return row


def rule_on_envelope(*, caller: Caller, envelope_id: int, approve: bool, why: str, proved_at: datetime | None) -> EnvelopeRuling:
    """Approve or refuse. One holds for a system and environment at a time: an earlier one has to be ended first."""
    with unit_of_work(caller) as work:
        row = find_envelope(caller, envelope_id, lock=True)
        if (refused := ruling_refusal(row, caller)) is not None:
            raise refused
        if not fresh(proved_at, timezone.now()):
            raise ReauthenticationNeeded("A ruling needs a fresh sign-in. Confirm it is you, then send it again.")
        if not why.strip():
            raise InvalidInput("Say why.", errors=(FieldError("/why", "missing", "What you looked at, and why it is bearable."),))
        others = ChangeEnvelope.objects.filter(system=row.system, environment=row.environment, state=ChangeEnvelope.APPROVED)
        if approve and (other := others.first()) is not None:
            raise Conflict(f"{other.number} holds for this system already. End it first.", code="one_at_a_time")
        assert caller.person is not None and proved_at is not None
        ruling = EnvelopeRuling.objects.create(
            envelope=row, approve=approve, why=why.strip(), by=caller.person, reauthenticated_at=proved_at
        )
        row.state = ChangeEnvelope.APPROVED if approve else ChangeEnvelope.REFUSED
        row.save(update_fields=["state"])
        work.note(f"envelope.{row.state}", row, _said(row))
    return ruling


def end_envelope(*, caller: Caller, envelope_id: int, why: str) -> ChangeEnvelope:
    """End one at once: its owner, a policy author or a risk officer. What was approved inside it stays approved."""
    with unit_of_work(caller) as work:
        row = find_envelope(caller, envelope_id, lock=True)
        person = caller.person
        roles = caller.roles_in(row.unit_id) if caller.token is None else frozenset[Role]()
        if person is None or not (roles & {Role.POLICY_AUTHOR, Role.RISK_OFFICER} or person.pk == row.system.owner_id):
            raise Forbidden("The owner of the system, a policy author or a risk officer ends an envelope.", code="role_needed")
        if row.state not in (ChangeEnvelope.PROPOSED, ChangeEnvelope.APPROVED):
            raise Conflict("It has ended already.", code="ended")
        if not why.strip():
            raise InvalidInput("Say why.", errors=(FieldError("/ended_why", "missing", "One sentence."),))
        row.state, row.ended_by, row.ended_why = ChangeEnvelope.ENDED, person, why.strip()[:300]
        row.ended_at = timezone.now()
        row.save(update_fields=["state", "ended_by", "ended_why", "ended_at"])
        work.note("envelope.ended", row, _said(row))
    return row


def find_envelope(caller: Caller, pk: int, *, lock: bool = False) -> ChangeEnvelope:
    """One envelope of the caller's units. Raises `NotFound`."""
    rows = ChangeEnvelope.objects.select_related("system", "unit", "proposed_by")
    if lock:
        rows = rows.select_for_update(of=("self",))
    row = visible(rows, caller).filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such change envelope in your business unit.")
    return row


def _problems(new: NewEnvelope, pack: Pack) -> list[FieldError]:
    today = timezone.now().date()
    checks = (
        ("title", bool(new.title.strip()), "Give it a name, such as: daily retrains."),
        ("environment", bool(new.environment.strip()), "Say where it holds, such as production."),
        ("why", bool(new.why.strip()), "Say why these changes need no new review."),
        ("track", new.track in (Track.GREEN, Track.YELLOW), "Choose green or yellow."),
        (
            "rules",
            bool(new.rules) and set(new.rules) <= set(coverable(pack)),
            "Choose the rules it covers. What changed, and what nobody knows, no envelope covers.",
        ),
        ("bounds", bool(new.bounds), "Give at least one bound."),
        (
            "bounds",
            any(b.fact == "performance.relative_change" and b.total is not None for b in new.bounds),
            "Bound performance.relative_change, with the total it may add up to.",
        ),
        ("until", new.until is not None and today < new.until <= today + LONGEST, "A day within the next six months."),
        ("most_uses", 1 <= new.most_uses <= MOST_USES, f"From 1 to {MOST_USES}."),
        ("most_looks", new.most_uses <= new.most_looks <= 2 * MOST_USES, "At least as many looks as uses."),
    )
    return [FieldError(f"/{name}", "invalid", says) for name, holds, says in checks if not holds]


def _said(row: ChangeEnvelope) -> Mapping[str, Any]:
    return {
        "system": row.system_id,
        "environment": row.environment,
        "track": row.track,
        "rules": row.rules,
        "bounds": row.bounds,
        "until": row.until.isoformat(),
        "uses": row.most_uses,
        "looks": row.most_looks,
    }
