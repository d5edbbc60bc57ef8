"""Lists of submissions: the reviewer's queue and everything one may see, by keyset and with counts that stay cheap."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from governance.domain.lifecycle import words
from governance.domain.vocabulary import OPEN_STATES, REVIEWING_ROLES, Role, State, StepState
from governance.models import ColumnMark, Contributor, Submission
from governance.selectors.access import Caller, visible
from reviews.models import Attested, DeclaredConflict, HandOver, ReviewStep, SignOff, Waiver, WaiverSignature
from reviews.selectors.paging import page_of, walking_an_index
from reviews.selectors.queue_filters import Filters, narrowed, of_age
from reviews.selectors.teams import team_mates

__all__ = ["Counted", "Filters", "Queue", "Row", "Scope", "review_queue", "submissions"]

MOST_COUNTED, MOST_MINE = 1_000, 200
"""How far everything is counted, and what waits for one person: nobody works on more, and each row asks whether they may."""
Scope = Literal["mine", "all"]


@dataclass(frozen=True)
class Row:
    """One line of a list. `age`: in_time, soon, overdue or "" where nothing is due. `why`: why it is the reader's turn."""

    id: int
    submission: str
    unit: str
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
    age: str
    why: str
    note: str
    submitter: str
    claimed_by: str
    revision: int
    created_at: datetime
    submitted_at: datetime | None


@dataclass(frozen=True)
class Counted:
    """How many, as far as it was counted; of those, how many are due soon and overdue."""

    number: int
    soon: int = 0
    overdue: int = 0
    most: int = field(default=MOST_COUNTED, compare=False)

    @property
    def capped(self) -> bool:
        return self.number > self.most

    @property
    def says(self) -> str:
        return f"more than {self.most:,}" if self.capped else f"{self.number:,}"


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
    """What waits for the caller (longest first), or everything they may see (newest first). Four queries, whatever the size."""
    filters = filters or Filters()
    mine = narrowed(mine_of(caller), filters, caller)
    everything = narrowed(visible(Submission.objects.all(), caller), filters, caller)
    rows, keys = (mine, ("turn_since", "id")) if scope == "mine" else (everything, ("-id",))
    # first which rows, then what belongs to them: sorting rows that are already joined costs five times as much
    with walking_an_index(scope == "mine"):
        page = page_of(rows.only("id", "turn_since"), keys=keys, cursor=cursor, size=size)
    joined = _joined(Submission.objects.all(), caller).in_bulk([row.pk for row in page.rows])
    now = timezone.now()
    found = tuple(_row(joined[row.pk], now, caller) for row in page.rows if row.pk in joined)
    counts = count(mine, MOST_MINE), count(everything, MOST_COUNTED)
    return Queue(found, page.next, page.previous, *counts, filters)


def submissions(caller: Caller, *, filters: Filters, cursor: str = "", size: int = 25) -> tuple[tuple[Row, ...], str, str]:
    """Everything the caller may see, newest first: rows, next and previous cursor. One query."""
    rows = narrowed(visible(Submission.objects.all(), caller), filters, caller)
    page = page_of(_joined(rows, caller), keys=("-id",), cursor=cursor, size=size)
    now = timezone.now()
    return tuple(_row(row, now, caller) for row in page.rows), page.next, page.previous


def mine_of(caller: Caller) -> QuerySet[Submission]:
    """Open submissions where it is the caller's turn: as submitter, or in a role they hold there and may use on this case."""
    if caller.person is None:
        return Submission.objects.none()
    me = caller.person.pk
    turn = Q(turn="submitter", submitter_id=me)
    if caller.token is None:
        as_reviewer = Q()
        for unit_id, roles in caller.roles.items():
            for held, givers in _by_giver(caller, unit_id, roles & REVIEWING_ROLES):
                asked = _asked(held, me)
                for giver in givers:  # what bars them bars whoever stands in for them
                    asked &= ~_spoken(giver)
                as_reviewer |= asked if unit_id is None else asked & Q(unit_id=unit_id)
        if as_reviewer:
            turn |= as_reviewer & ~_barred(me)
    rows = visible(Submission.objects.filter(turn, state__in=sorted(OPEN_STATES)).exclude(turn=""), caller)
    return rows.filter(turn_since__isnull=False)


def _by_giver(caller: Caller, unit_id: int | None, roles: Collection[Role]) -> Iterator[tuple[Sequence[str], frozenset[int]]]:
    """Roles held somewhere, those of one's own right together, and each that was handed on with who did."""
    lent = {role: caller.lent[unit_id, role] for role in roles if (unit_id, role) in caller.lent}
    if own := sorted(role.value for role in roles if role not in lent):
        yield own, frozenset()
    for role, givers in sorted(lent.items()):
        yield [role.value], givers


def _asked(held: Sequence[str], me: int) -> Q:
    """Cases whose open step is one of these roles' and one that the person's team does not bar them from.

    Where it is not on record whose team the submitter belongs to it stays: somebody has to see to it.
    """
    steps = ReviewStep.objects.filter(submission=OuterRef("pk"), state=StepState.OPEN, role__in=held)
    team = Q(submitter_id__in=team_mates(me))
    outside, inside = Q(Exists(steps.filter(outside_team=True))), Q(Exists(steps.filter(outside_team=False)))
    return (Q(turn__in=held) | Q(Exists(steps))) & (~team | ~outside | inside)


def _barred(me: int) -> Q:
    """Cases on which the person has spoken or worked in another way, so that the rules refuse their decision."""
    this = {"submission": OuterRef("pk")}
    return (
        _spoken(me)
        # whoever signed in this revision is done with it, also where the role needs a second signature
        | Q(Exists(SignOff.objects.filter(**this, by_id=me, voided_at__isnull=True, revision=OuterRef("revision"))))
        | Q(Exists(Attested.objects.filter(**this, by_id=me).exclude(role=OuterRef("turn"))))
        | (Q(turn=Role.RISK_OFFICER.value) & Q(Exists(ColumnMark.objects.filter(**this, by_id=me))))
    )


def _spoken(person: int) -> Q:
    """Cases that somebody submitted, worked on, decided in another role, waived or stands aside from."""
    this = {"submission": OuterRef("pk")}
    return (
        Q(submitter_id=person)
        | Q(Exists(Contributor.objects.filter(**this, person_id=person)))
        | Q(Exists(SignOff.objects.filter(**this, by_id=person, voided_at__isnull=True).exclude(role=OuterRef("turn"))))
        | Q(Exists(Waiver.objects.filter(**this, requested_by_id=person)))
        | Q(Exists(WaiverSignature.objects.filter(**this, by_id=person, signed=True)))
        | Q(Exists(DeclaredConflict.objects.filter(**this, by_id=person)))
    )


def count(rows: QuerySet[Submission], most: int) -> Counted:
    """Count up to the cap and no further, with how many of them are due soon and overdue. One query."""
    capped = Submission.objects.filter(pk__in=rows.order_by().values("pk")[: most + 1]).order_by()
    found = capped.aggregate(
        number=Count("pk"), soon=Count("pk", filter=of_age("soon")), overdue=Count("pk", filter=of_age("overdue"))
    )
    return Counted(**found, most=most)


def turns_of(caller: Caller) -> frozenset[Role]:
    """Roles in which the caller may be asked to decide somewhere."""
    return caller.any_roles & REVIEWING_ROLES


def age_of(due_at: datetime | None, soon_at: datetime | None, now: datetime) -> str:
    """How old something is against its due time, as `queue_filters.of_age` has it."""
    if due_at is None:
        return ""
    if due_at <= now:
        return "overdue"
    return "soon" if soon_at is not None and soon_at <= now else "in_time"


def _joined(rows: QuerySet[Submission], caller: Caller) -> QuerySet[Submission]:
    me = caller.person.pk if caller.person is not None else None
    given = HandOver.objects.filter(submission=OuterRef("pk"), to_id=me, at__gte=OuterRef("turn_since")).order_by("-id")
    related = rows.select_related("unit", "system", "version", "submitter", "claimed_by").defer("search")
    return related.annotate(handed_note=Subquery(given.values("note")[:1]))


def _row(row: Submission, now: datetime, caller: Caller) -> Row:
    open_now = row.state in OPEN_STATES
    return Row(
        id=row.pk,
        submission=row.number,
        unit=row.unit.name,
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
        overdue=row.due_at is not None and row.due_at < now and open_now,
        age=age_of(row.due_at, row.soon_at, now) if open_now else "",
        why=_why(row, caller),
        note=getattr(row, "handed_note", None) or "",
        submitter=row.submitter.name,
        claimed_by=row.claimed_by.name if row.claimed_by is not None else "",
        revision=row.revision,
        created_at=row.created_at,
        submitted_at=row.submitted_at,
    )


def _why(row: Submission, caller: Caller) -> str:
    """Why it is the reader's turn, in a sentence; "" where it is not."""
    if caller.person is None:
        return ""
    me = caller.person.pk
    if row.turn == "submitter":
        return "You handed it in." if row.submitter_id == me else ""
    if row.claimed_by_id == me:
        return "It was handed over to you." if getattr(row, "handed_note", None) else "You took it on."
    held = caller.roles_in(row.unit_id) & REVIEWING_ROLES
    if row.turn in {role.value for role in held} and row.submitter_id != me:
        as_what = f"{Role(row.turn).label} for {row.unit.name}"
        return f"You stand in as {as_what}." if _stands_in(row, caller) else f"You are {as_what}."
    return ""


def _stands_in(row: Submission, caller: Caller) -> bool:
    """Whether the caller holds the role whose turn it is only because somebody handed it on."""
    role, places = Role(row.turn), (row.unit_id, None)
    here = [where for where in places if role in caller.roles.get(where, frozenset())]
    return all((where, role) in caller.lent for where in here)
