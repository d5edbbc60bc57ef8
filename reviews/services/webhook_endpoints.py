"""Endpoints of webhooks, as administrators make, change, rotate and remove them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, FieldError, InvalidInput
from governance.models import AuditHead, Person, Unit
from governance.selectors.access import Caller
from governance.services.administration import require_administrator
from governance.services.outgoing import unsafe
from governance.services.work import unit_of_work
from reviews.models import WebhookEndpoint
from reviews.models.webhooks import FORMATS
from reviews.selectors.webhooks import EVENTS, find_endpoint
from reviews.services.webhook_secrets import NAME, kept_outside, only_outside, variable_of
from reviews.services.webhook_signing import SecretUnreadable, new_secret, seal, shown

ONLY_OUTSIDE = "No secret is kept in the database here. Name one that lies outside, such as LENDING."
OVERLAP = timedelta(hours=24)
"""How long the secret before stays valid after a rotation: both sign, so that receivers can be changed in their own time."""


def add_endpoint(
    *,
    caller: Caller,
    unit: Unit | None,
    name: str,
    url: str,
    events: Iterable[str],
    format_: str = "standard",
    secret_ref: str = "",
    proved_at: datetime | None = None,
) -> tuple[WebhookEndpoint, str]:
    """Make one for a unit, or for all. Returns the row and its secret, which is shown only now.

    `secret_ref`: the name under which its secret lies outside; then nothing is made or shown, and "" is returned.

    It is told of what happens from now on. Raises `Forbidden`, `ReauthenticationNeeded`, and `InvalidInput` naming each field.
    """
    require_administrator(caller, unit.pk if unit is not None else None, proved_at)
    secret_ref = secret_ref.strip()
    wanted = _checked(name, url, events, format_, secret_ref)
    secret = None if secret_ref else new_secret()
    assert caller.person is not None
    with unit_of_work(caller) as work:
        row = WebhookEndpoint.objects.create(
            unit=unit,
            name=name.strip()[:120],
            url=url.strip(),
            events=wanted,
            format=format_,
            secret=seal(secret) if secret is not None else None,
            secret_ref=secret_ref,
            seen_seq=AuditHead.objects.values_list("seq", flat=True).get(pk=1),
            created_by=_person(caller),
        )
        host, where = urlsplit(row.url).hostname, secret_ref or "kept"
        work.note("webhook.added", row, {"events": wanted, "format": format_, "host": host, "secret": where})
    return row, shown(secret) if secret is not None else ""


def rotate_secret(*, caller: Caller, endpoint_id: int, proved_at: datetime | None = None) -> tuple[WebhookEndpoint, str]:
    """A new secret. The one before goes on signing for a day beside it. Returns the row and the secret, shown only now.

    Raises `Conflict` where the secret lies outside: it is rotated there.
    """
    row = find_endpoint(caller, endpoint_id)
    require_administrator(caller, row.unit_id, proved_at)
    secret = new_secret()
    with unit_of_work(caller) as work:
        row = WebhookEndpoint.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if row.secret is None:
            raise Conflict(
                f"Its secret lies outside. Write the new one above the former in {variable_of(row.secret_ref)}: both sign from "
                "the next message on. Take the former away once the receiver has the new one.",
                code="secret_outside",
            )
        if only_outside():
            raise Conflict(ONLY_OUTSIDE, code="secret_outside")
        WebhookEndpoint.objects.filter(pk=row.pk).update(
            secret=seal(secret), previous=bytes(row.secret), previous_until=timezone.now() + OVERLAP
        )
        work.note("webhook.rotated", row)
    row.refresh_from_db()
    return row, shown(secret)


def move_secret(*, caller: Caller, endpoint_id: int, secret_ref: str, proved_at: datetime | None = None) -> WebhookEndpoint:
    """Sign with a secret that lies outside from now on. One kept here goes on signing for a day, and is forgotten then.

    Raises `InvalidInput` for a reference that is no name, is another webhook's, or leads to no secret.
    """
    row = find_endpoint(caller, endpoint_id)
    require_administrator(caller, row.unit_id, proved_at)
    secret_ref = secret_ref.strip()
    if (why := _bad_reference(secret_ref, but=row.pk)) is not None or not secret_ref:
        why = why or "Name it, such as LENDING."
        raise InvalidInput(why, errors=(FieldError("/secret_ref", "invalid", why),))
    with unit_of_work(caller) as work:
        row = WebhookEndpoint.objects.select_for_update(of=("self",)).get(pk=row.pk)
        kept = {"previous": bytes(row.secret), "previous_until": timezone.now() + OVERLAP} if row.secret is not None else {}
        WebhookEndpoint.objects.filter(pk=row.pk).update(secret=None, secret_ref=secret_ref, **kept)
        work.note("webhook.secret_moved", row, {"secret": secret_ref})
    row.refresh_from_db()
    return row


def forget_former() -> int:
    """Take former secrets away whose day is over. Returns how many."""
    return WebhookEndpoint.objects.filter(previous_until__lte=Now()).update(previous=None, previous_until=None)


def set_enabled(*, caller: Caller, endpoint_id: int, enabled: bool, proved_at: datetime | None = None) -> None:
    """Switch it off, or on again. What happened while it was off is not told later."""
    row = find_endpoint(caller, endpoint_id)
    require_administrator(caller, row.unit_id, proved_at)
    with unit_of_work(caller) as work:
        if enabled:
            head = AuditHead.objects.values_list("seq", flat=True).get(pk=1)
            rows = WebhookEndpoint.objects.filter(pk=row.pk, disabled_at__isnull=False)
            changed = rows.update(disabled_at=None, disabled_why="", failing_since=None, seen_seq=head)
        else:
            rows = WebhookEndpoint.objects.filter(pk=row.pk, disabled_at__isnull=True)
            changed = rows.update(disabled_at=Now(), disabled_why="An administrator switched it off.")
        if changed:
            work.note("webhook.enabled" if enabled else "webhook.disabled", row)


def remove_endpoint(*, caller: Caller, endpoint_id: int, proved_at: datetime | None = None) -> None:
    """Take it away. Its log stays in the database."""
    row = find_endpoint(caller, endpoint_id)
    require_administrator(caller, row.unit_id, proved_at)
    with unit_of_work(caller) as work:
        if WebhookEndpoint.objects.filter(pk=row.pk, removed_at__isnull=True).update(removed_at=Now()):
            work.note("webhook.removed", row)


def _bad_reference(name: str, *, but: int = 0) -> str | None:
    """Why a reference cannot be used, or None; "" is none."""
    if not name:
        return ONLY_OUTSIDE if only_outside() else None
    if not NAME.fullmatch(name):
        return "A name in capitals, digits and underscores, such as LENDING."
    if WebhookEndpoint.objects.filter(secret_ref=name, removed_at__isnull=True).exclude(pk=but).exists():
        return "Another webhook signs with it. Each has a secret of its own."
    try:
        kept_outside(name)
    except SecretUnreadable as exc:
        return str(exc)
    return None


def _checked(name: str, url: str, events: Iterable[str], format_: str, secret_ref: str) -> list[str]:
    problems, wanted = [], sorted(set(events))
    if not name.strip():
        problems.append(FieldError("/name", "missing", "Say what it is for."))
    if (why := _bad_address(url.strip())) is not None:
        problems.append(FieldError("/url", "invalid", why))
    if not wanted or set(wanted) - set(EVENTS):
        problems.append(FieldError("/events", "missing", "Choose at least one event."))
    if format_ not in FORMATS:
        problems.append(FieldError("/format", "unknown", f"One of {', '.join(FORMATS)}."))
    if (why := _bad_reference(secret_ref)) is not None:
        problems.append(FieldError("/secret_ref", "invalid", why))
    if problems:
        raise InvalidInput("The webhook was not made: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    return wanted


def _bad_address(url: str) -> str | None:
    """Why an address is never used, as far as it can be told without asking; names are looked up at every delivery."""
    try:
        where = urlsplit(url)
        host, _ = where.hostname or "", where.port
    except ValueError:
        return "That is no web address."
    allowed = host in settings.OUTGOING_HOSTS
    if not host or len(url) > 500 or not url.isprintable() or " " in url or where.username or where.password:
        return "Write an address such as https://hooks.example.org/guiderail, without a password in it."
    if where.scheme != "https" and not (allowed and where.scheme == "http"):
        return "The address begins with https://."
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if unsafe(address, trusted=allowed):
        return "That address lies inside this network. The operator can allow it in GUIDERAIL_OUTGOING_HOSTS."
    return None


def _person(caller: Caller) -> Person:
    assert caller.person is not None
    return caller.person
