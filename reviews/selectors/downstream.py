"""Teams that depend on a system, what they were told, and what they did not take note of yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from governance.domain.errors import Conflict, DomainError, Forbidden, NotFound
from governance.domain.vocabulary import Role
from governance.models import System
from governance.selectors.access import Caller, visible
from reviews.models import ChangeNote, DownstreamTeam

MOST = 20
WHAT = {"approved": "Approved", "deployed": "Went live", "rolled_back": "Rolled back"}


@dataclass(frozen=True)
class NoteRow:
    """A change a team was told of."""

    id: int
    what: str
    submission: str
    says: str
    at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str


@dataclass(frozen=True)
class TeamRow:
    """A team with its latest notes; `waiting`: those nobody took note of."""

    id: int
    name: str
    uses: str
    contact: str
    notes: tuple[NoteRow, ...]
    waiting: tuple[NoteRow, ...]


def teams_of(system: System) -> tuple[TeamRow, ...]:
    """The teams of a system by name. Two statements."""
    notes = ChangeNote.objects.select_related("submission", "acknowledged_by").order_by("-id")
    rows = DownstreamTeam.objects.filter(system=system, removed_at__isnull=True).select_related("contact")
    return tuple(_team(row) for row in rows.prefetch_related(Prefetch("notes", notes)).order_by("name"))


def find_note(*, caller: Caller, note_id: int) -> ChangeNote:
    """A change note, or `NotFound`."""
    related = ("team__contact", "team__system", "submission__system", "submission__version", "acknowledged_by")
    row = visible(ChangeNote.objects.select_related(*related), caller).filter(pk=note_id).first()
    if row is None:
        raise NotFound("There is no such change note in your business unit.")
    return row


def managing_refusal(system: System, caller: Caller) -> DomainError | None:
    """Why the caller cannot name or remove teams, or None: the system's owner, platform engineers and product."""
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot do this. A person has to sign in.", code="person_needed")
    allowed = {Role.PLATFORM_ENGINEER, Role.PRODUCT}
    if caller.person.pk == system.owner_id or caller.roles_in(system.unit_id) & allowed:
        return None
    return Forbidden("The owner of the system, an ML platform engineer or product names these teams.", code="role_needed")


def acknowledging_refusal(row: ChangeNote, caller: Caller) -> DomainError | None:
    """Why the caller cannot take note of it, or None: the team's contact does."""
    if row.acknowledged_at is not None:
        return Conflict("Somebody took note of this already.", code="wrong_state")
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot take note. A person has to sign in.", code="person_needed")
    if caller.person.pk == row.team.contact_id:
        return None
    return Forbidden(f"{row.team.contact.name} takes note for {row.team.name}.", code="role_needed")


def _team(row: DownstreamTeam) -> TeamRow:
    notes = [
        NoteRow(
            note.pk,
            WHAT[note.what],
            note.submission.number,
            note.says,
            note.at,
            note.acknowledged_at,
            note.acknowledged_by.name if note.acknowledged_by is not None else "",
        )
        for note in row.notes.all()
    ]
    waiting = tuple(note for note in notes if note.acknowledged_at is None)
    return TeamRow(row.pk, row.name, row.uses, row.contact.name, tuple(notes[:MOST]), waiting)
