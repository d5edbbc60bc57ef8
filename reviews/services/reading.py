"""What a person does with messages: opens them, and chooses how they come. Their own business: no audit event."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models.functions import Now

from governance.domain.errors import FieldError, Forbidden, InvalidInput
from governance.selectors.access import Caller
from reviews.models import Notification, NotificationChoice
from reviews.selectors.inbox import mine
from reviews.selectors.notices import PLANS, Notice


@transaction.atomic
def mark_read(*, caller: Caller, notification_id: int | None = None) -> int:
    """Mark one message as read, or all of the caller's. Returns how many were unread."""
    rows = mine(caller).filter(read_at__isnull=True)
    if notification_id is not None:
        rows = rows.filter(pk=notification_id)
    return Notification.objects.filter(pk__in=rows.values("pk")).update(read_at=Now())


@transaction.atomic
def choose(*, caller: Caller, chosen: Mapping[str, str]) -> None:
    """Set how kinds of messages come. Raises `InvalidInput` for a kind or way that cannot be chosen."""
    if caller.person is None or caller.token is not None:
        raise Forbidden("A person chooses how they are told.", code="person_needed")
    wrong = [
        FieldError(f"/{kind}", "unknown", "Choose one of the ways offered.")
        for kind, how in chosen.items()
        if kind not in set(Notice) or how not in PLANS[Notice(kind)].choices
    ]
    if wrong:
        raise InvalidInput("That cannot be chosen.", errors=tuple(wrong))
    for kind, how in chosen.items():
        NotificationChoice.objects.update_or_create(person=caller.person, kind=kind, defaults={"how": how})
