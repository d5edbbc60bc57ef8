"""Lists of submissions: the reviewer's queue and everything one may see, by keyset and with counts that stay cheap."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.lifecycle import words
from governance.domain.vocabulary import OPEN_STATES, REVIEWING_ROLES, Role, State, Track
from governance.models import Contributor, Submission
from governance.selectors.access import Caller, visible
from governance.selectors.search import search_query
from reviews.models import SignOff, Waiver, WaiverSignature
from reviews.selectors.paging import page_of

MOST_COUNTED = 10_000
Scope = Literal["mine", "all"]
_TURNS = frozenset({"submitter", "machine", *(role.value for role in REVIEWING_ROLES)})


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; "" leaves it out. `q`: words, or a number such as S-1042."""

    system: str = ""
    track: str = ""
    state: str = ""
    turn: str = ""
    q: str = ""

    def check(self) -> None:
        """Raise `InvalidInput` naming each filter that cannot be."""
        known = {"track": {t.value for t in Track}, "state": {s.value for s in State}, "turn": _TURNS}
        errors = tuple(
            FieldError(f"/{name}", "unknown", f"{name} is one of {', '.join(sorted(values))}.")
            for name, values in known.items()
            if getattr(self, name) and getattr(self, name) not in values
        )
        if errors:
            raise InvalidInput("The list cannot be narrowed like that. " + " ".join(e.detail for e in errors), errors=errors)


@dataclass(frozen=True)
class Row:
    """One line of a list."""

    id: int
    submission: str
    system: str
    system_name: str
    version: str
    environment: str
    kind: str
    track: str
    track_is_final: bool
    state: str
    state_words: str
    turn: str
    turn_since: datetime | None
    due_at: datetime | None
    overdue: bool
    submitter: str
    claimed_by: str
    revision: int
    created_at: datetime
    submitted_at: datetime | None


@dataclass(frozen=True)
class Counted:
    """How many, as far as it was counted."""

    number: int

    @property
    def capped(self) -> bool:
        return self.number > MOST_COUNTED

    @property
    def says(self) -> str:
        return f"more than {MOST_COUNTED:,}" if self.capped else f"{self.number:,}"


@dataclass(frozen=True)
class Queue:
    """A page of the list with its cursors and the counts of both scopes."""

    rows: tuple[Row, ...]
    next: str
    previous: str
    mine: Counted
    all: Counted
    filters: Filters = field(default_factory=Filters)


def review_queue(
    caller: Caller, *, scope: Scope = "mine", filters: Filters | None = None, cursor: str = "", size: int = 25
) -> Queue:
    """What waits for the caller (longest first), or everything they may see (newest first). Three queries, whatever the size."""
    filters = filters or Filters()
    mine, everything = narrowed(mine_of(caller), filters), narrowed(visible(Submission.objects.all(), caller), filters)
    rows, keys = (mine, ("turn_since", "id")) if scope == "mine" else (everything, ("-id",))
    page = page_of(_joined(rows), keys=keys, cursor=cursor, size=size)
    now = timezone.now()
    return Queue(tuple(_row(row, now) for row in page.rows), page.next, page.previous, count(mine), count(everything), filters)


def submissions(caller: Caller, *, filters: Filters, cursor: str = "", size: int = 25) -> tuple[tuple[Row, ...], str, str]:
    """Everything the caller may see, newest first: rows, next and previous cursor. One query."""
    page = page_of(_joined(narrowed(visible(Submission.objects.all(), caller), filters)), keys=("-id",), cursor=cursor, size=size)
    now = timezone.now()
    return tuple(_row(row, now) for row in page.rows), page.next, page.previous


def mine_of(caller: Caller) -> QuerySet[Submission]:
    """Open submissions where it is the caller's turn: as submitter, or in a role they hold there and may use on this case."""
    if caller.person is None:
        return Submission.objects.none()
    me = caller.person.pk
    turn = Q(turn="submitter", submitter_id=me)
    if caller.token is None:
        mine = Contributor.objects.filter(submission=OuterRef("pk"), person_id=me)
        other_step = SignOff.objects.filter(submission=OuterRef("pk"), by_id=me, voided_at__isnull=True).exclude(
            role=OuterRef("turn")
        )
        as_reviewer = Q()
        for unit_id, roles in caller.roles.items():
            held = Q(turn__in=sorted(role.value for role in roles & REVIEWING_ROLES))
            as_reviewer |= held if unit_id is None else held & Q(unit_id=unit_id)
        if as_reviewer:
            asked = Waiver.objects.filter(submission=OuterRef("pk"), requested_by_id=me)
            signed = WaiverSignature.objects.filter(submission=OuterRef("pk"), by_id=me, signed=True)
            turn |= as_reviewer & ~Q(submitter_id=me) & ~Exists(mine) & ~Exists(other_step) & ~Exists(asked) & ~Exists(signed)
    rows = visible(Submission.objects.filter(turn, state__in=sorted(OPEN_STATES)), caller)
    return rows.filter(turn_since__isnull=False)


def narrowed(rows: QuerySet[Submission], filters: Filters) -> QuerySet[Submission]:
    """Apply the filters. Raises `InvalidInput`."""
    filters.check()
    for name in ("track", "state", "turn"):
        if value := getattr(filters, name):
            rows = rows.filter(**{name: value})
    if filters.system:
        rows = rows.filter(system__slug=filters.system)
    if words_ := filters.q.strip():
        number = re.fullmatch(r"(?:S-)?(\d{1,15})", words_, re.IGNORECASE)
        found = Q(search=search_query(words_[:200].replace("\x00", " ")))
        rows = rows.filter(found | Q(pk=int(number[1])) if number else found)
    return rows


def count(rows: QuerySet[Submission]) -> Counted:
    """Count up to the cap and no further."""
    return Counted(rows.order_by()[: MOST_COUNTED + 1].count())


def turns_of(caller: Caller) -> frozenset[Role]:
    """Roles in which the caller may be asked to decide somewhere."""
    return caller.any_roles & REVIEWING_ROLES


def _joined(rows: QuerySet[Submission]) -> QuerySet[Submission]:
    return rows.select_related("system", "version", "submitter", "claimed_by").defer("search")


def _row(row: Submission, now: datetime) -> Row:
    return Row(
        id=row.pk,
        submission=row.number,
        system=row.system.slug,
        system_name=row.system.name,
        version=row.version.version,
        environment=row.environment,
        kind=row.kind,
        track=row.track,
        track_is_final=row.track_is_final,
        state=row.state,
        state_words=words(State(row.state)),
        turn=row.turn,
        turn_since=row.turn_since,
        due_at=row.due_at,
        overdue=row.due_at is not None and row.due_at < now and row.state in OPEN_STATES,
        submitter=row.submitter.name,
        claimed_by=row.claimed_by.name if row.claimed_by is not None else "",
        revision=row.revision,
        created_at=row.created_at,
        submitted_at=row.submitted_at,
    )
