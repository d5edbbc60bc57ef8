"""Webhooks go out. The audit trail is the outbox: an event is written in the transaction of its change, or there is no change.

Two steps, both harmless when run twice or by two at once. `spread` reads the trail onward from where each endpoint stands and
makes a delivery row for each event it wants. `deliver_due` claims a row for a while, posts it, and writes down what came of it; a
worker that dies in between only lets the claim run out, and the message goes out again under the same `webhook-id`.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import NotFound
from governance.domain.vocabulary import Role
from governance.models import AuditEvent, AuditHead
from governance.selectors.access import SYSTEM, Caller
from governance.services.administration import require_administrator
from governance.services.outgoing import Unreachable, ask
from governance.services.work import unit_of_work
from reviews.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from reviews.selectors.notices import Notice
from reviews.selectors.webhooks import FROM_AUDIT, TEST, body_of, find_endpoint, messages
from reviews.services.telling import holders, tell_unit
from reviews.services.webhook_secrets import keys_of
from reviews.services.webhook_signing import SecretUnreadable, signature

log = logging.getLogger(__name__)

WAITS = tuple(timedelta(seconds=s) for s in (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 50_400, 72_000))
"""Between attempts, as the specification proposes; each up to a fifth longer or shorter, so that nothing comes in waves."""
DEAD_AFTER = timedelta(days=5)
CLAIM = timedelta(seconds=60)
SECONDS = 10.0
MOST_REPLY = 64 * 1024
PAGE = 500


def spread() -> int:
    """Make the deliveries of what happened since. Returns how many."""
    live = WebhookEndpoint.objects.filter(removed_at__isnull=True, disabled_at__isnull=True)
    return sum(_spread(pk) for pk in list(live.order_by("pk").values_list("pk", flat=True)))


def _spread(endpoint_id: int) -> int:
    with transaction.atomic(durable=True):
        row = WebhookEndpoint.objects.select_for_update(skip_locked=True).filter(pk=endpoint_id).first()
        # the chain has no gaps and commits in the order of its numbers: whatever is below its head is there to be read
        head = AuditHead.objects.values_list("seq", flat=True).get(pk=1)
        if row is None or row.seen_seq >= head:
            return 0
        actions = [action for action, event in FROM_AUDIT.items() if event in row.events]
        events = AuditEvent.objects.filter(seq__gt=row.seen_seq, seq__lte=head, action__in=actions)
        if row.unit_id is not None:
            events = events.filter(unit=row.unit_id)
        page = list(events.order_by("seq")[:PAGE])
        made = [
            WebhookDelivery(endpoint=row, event_id=event.id, seq=event.seq, event=name, body=body)
            for event, name, body in messages(page, row.format)
        ]
        WebhookDelivery.objects.bulk_create(made, ignore_conflicts=True)
        WebhookEndpoint.objects.filter(pk=row.pk).update(seen_seq=page[-1].seq if len(page) == PAGE else head)
    return len(made)


def deliver_due(*, limit: int = 100, seconds: float = 60) -> int:
    """Post what is due, the oldest first. Returns how many arrived. An endpoint that fails waits until the next run."""
    until, arrived, failing = time.monotonic() + seconds, 0, set[int]()
    for _ in range(limit):
        row = _claim(failing) if time.monotonic() < until else None
        if row is None:
            break
        if _post(row):
            arrived += 1
        else:
            failing.add(row.endpoint_id)
    return arrived


def send_again(*, caller: Caller, delivery_id: int, proved_at: datetime | None = None) -> WebhookDelivery:
    """Send a message once more, now, under its own `webhook-id`: a receiver that had it already recognises it."""
    row = WebhookDelivery.objects.select_related("endpoint").filter(pk=delivery_id).first()
    if row is None:
        raise NotFound("There is no such delivery.")
    endpoint = find_endpoint(caller, row.endpoint_id)
    require_administrator(caller, endpoint.unit_id, proved_at)
    with unit_of_work(caller) as work:
        WebhookDelivery.objects.filter(pk=row.pk).update(
            state=WebhookDelivery.DUE, attempts=0, not_before=Now(), delivered_at=None
        )
        work.note("webhook.sent_again", endpoint, {"delivery": row.pk})
        work.enqueue("reviews.webhooks")
    row.refresh_from_db()
    return row


def send_test(*, caller: Caller, endpoint_id: int, proved_at: datetime | None = None) -> WebhookDelivery:
    """Send a message that says only that it is a test."""
    endpoint = find_endpoint(caller, endpoint_id)
    require_administrator(caller, endpoint.unit_id, proved_at)
    with unit_of_work(caller) as work:
        body = body_of(endpoint.format, TEST, timezone.now().isoformat(), None, {})
        row = WebhookDelivery.objects.create(
            endpoint=endpoint, event_id=uuid.uuid4(), seq=endpoint.seen_seq, event=TEST, body=body
        )
        work.note("webhook.tested", endpoint, {"delivery": row.pk})
        work.enqueue("reviews.webhooks")
    return row


def _claim(but: set[int]) -> WebhookDelivery | None:
    """Take one that is due: counted as an attempt, and nobody else's for a minute."""
    with transaction.atomic(durable=True):
        row = (
            WebhookDelivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("endpoint")
            .filter(
                state=WebhookDelivery.DUE,
                not_before__lte=Now(),
                endpoint__removed_at__isnull=True,
                endpoint__disabled_at__isnull=True,
            )
            .exclude(endpoint_id__in=but)
            .order_by("not_before", "id")
            .first()
        )
        if row is not None:
            WebhookDelivery.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1, not_before=Now() + CLAIM)
            row.attempts += 1
    return row


def _post(row: WebhookDelivery) -> bool:
    began, status, error = time.monotonic(), 0, ""
    try:
        reply = ask(
            "POST",
            row.endpoint.url,
            body=row.body.encode(),
            headers=_headers(row),
            seconds=SECONDS,
            most=MOST_REPLY,
        )
        status = reply.status
        if 300 <= status < 400:
            error = "It answered with a redirect, which is never followed. Enter the address it leads to."
        elif not 200 <= status < 300:
            error = f"It answered with {status}."
    except (Unreachable, SecretUnreadable) as exc:
        error = str(exc)
    took = int((time.monotonic() - began) * 1000)
    _write_down(row, status, error, took)
    return not error


def _headers(row: WebhookDelivery) -> dict[str, str]:
    endpoint, timestamp = row.endpoint, int(time.time())
    keys = keys_of(endpoint)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Guiderail-Webhooks/1",
        "webhook-id": str(row.event_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(keys, str(row.event_id), timestamp, row.body.encode()),
    }


def _write_down(row: WebhookDelivery, status: int, error: str, took: int) -> None:
    with unit_of_work(SYSTEM) as work:
        WebhookAttempt.objects.create(delivery=row, status=status, error=error[:300], took_ms=took)
        mine = WebhookDelivery.objects.filter(pk=row.pk, state=WebhookDelivery.DUE, attempts=row.attempts)
        if not error:
            mine.update(state=WebhookDelivery.DELIVERED, delivered_at=Now())
            WebhookEndpoint.objects.filter(pk=row.endpoint_id, failing_since__isnull=False).update(failing_since=None)
            return
        log.warning("webhook %s, delivery %s: %s", row.endpoint_id, row.pk, error)
        if row.attempts > len(WAITS):
            mine.update(state=WebhookDelivery.FAILED)
        else:
            mine.update(not_before=Now() + WAITS[row.attempts - 1] * random.uniform(0.8, 1.2))
        endpoint = WebhookEndpoint.objects.select_for_update(of=("self",)).select_related("created_by").get(pk=row.endpoint_id)
        if endpoint.failing_since is None:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=Now())
        elif status != 410 and endpoint.failing_since > timezone.now() - DEAD_AFTER:
            return
        if status == 410 or endpoint.failing_since is not None:
            why = (
                "The receiver said that it is gone." if status == 410 else f"Nothing arrived for {DEAD_AFTER.days} days. {error}"
            )
            if WebhookEndpoint.objects.filter(Q(pk=endpoint.pk), disabled_at__isnull=True).update(
                disabled_at=Now(), disabled_why=why[:300]
            ):
                work.note("webhook.disabled", endpoint, {"status": status})
                unit_id = endpoint.unit_id or endpoint.created_by.unit_id
                if unit_id is not None:
                    tell_unit(
                        work,
                        unit_id,
                        Notice.WEBHOOK_DEAD,
                        holders(unit_id, Role.ADMIN) | {endpoint.created_by_id: "You made it."},
                        key=f"webhook:{endpoint.pk}:{row.pk}",
                        title=f"The webhook “{endpoint.name}” was switched off",
                        says=f"{why} Mend the receiver, then switch it on again.",
                        path=f"/administration/webhooks/{endpoint.pk}",
                    )
