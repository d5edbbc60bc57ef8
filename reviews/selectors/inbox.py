"""A person's messages, and how they want them. What a person cannot see any more is not shown."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from governance.selectors.access import Caller, visible
from reviews.models import Notification, NotificationChoice
from reviews.selectors.notices import HOW, PLANS, Notice, how_for
from reviews.selectors.paging import page_of


def inbox(caller: Caller, *, unread: bool = False, cursor: str = "", size: int = 50) -> tuple[tuple[Notification, ...], str, str]:
    """Messages of the caller, the latest first: rows, next and previous cursor. One query."""
    rows = mine(caller)
    page = page_of(rows.filter(read_at__isnull=True) if unread else rows, keys=("-id",), cursor=cursor, size=size)
    return page.rows, page.next, page.previous


def mine(caller: Caller) -> QuerySet[Notification]:
    """The caller's messages about what they can see now."""
    if caller.person is None or caller.token is not None:
        return Notification.objects.none()
    return visible(Notification.objects.filter(person=caller.person), caller)


@dataclass(frozen=True)
class Chosen:
    """One kind of message with how it comes."""

    kind: str
    label: str
    hint: str
    how: str
    choices: tuple[tuple[str, str], ...]


def choices_of(caller: Caller) -> tuple[Chosen, ...]:
    """Every kind with what the caller chose, or the usual. One query."""
    kept = dict(NotificationChoice.objects.filter(person=caller.person).values_list("kind", "how"))
    return tuple(
        Chosen(
            kind.value,
            plan.label,
            plan.hint,
            how_for(kind, kept.get(kind.value)),
            tuple((how, HOW[how]) for how in plan.choices),
        )
        for kind, plan in PLANS.items()
    )


KINDS = frozenset(kind.value for kind in Notice)
