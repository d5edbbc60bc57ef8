"""Sending again what nobody took: lost messages, expired leases, retries whose time has come."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from gates.models import WorkerSeen
from gates.services.claiming import CLAIMABLE
from gates.services.finishing import stop_exhausted
from gates.services.unknown import end_unknown, mark_unknown
from governance.services.work import send

LIGHT, HEAVY = "gates.run_light", "gates.run_heavy"

# A run whose lease ran out is sent at once, a first time; everything else waits longer each time (up to eight times), so that
# a long queue is not made longer by its own reminders.
_DUE = f"""
UPDATE gates_gaterun SET dispatched_at = statement_timestamp(), dispatches = dispatches + 1
WHERE id = ANY(ARRAY(
    SELECT id FROM gates_gaterun
    WHERE status IN ('queued', 'running') AND {CLAIMABLE} AND unknown_since IS NULL
        AND (dispatched_at IS NULL OR (status = 'running' AND dispatched_at < lease_until)
             OR dispatched_at < statement_timestamp() - make_interval(secs => %(again)s * power(2, least(dispatches, 3))))
    ORDER BY priority, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING priority, id, submission_id, heavy
"""


def relay(*, limit: int = 2_000) -> int:
    """End runs without attempts left and those that no worker has known for long, then wake workers for what is due.

    Returns how many messages were posted.
    """
    stop_exhausted()
    mark_unknown()
    end_unknown()
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"again": settings.GATE_REDISPATCH_SECONDS, "limit": limit})
        due = sorted(cursor.fetchall())
    messages: dict[tuple[str, int], int] = {}
    for priority, run_id, submission_id, heavy in due:
        messages.setdefault((HEAVY, run_id) if heavy else (LIGHT, submission_id), priority)
    for (task, id_), priority in messages.items():
        send(task, id_, priority=priority)
    WorkerSeen.objects.filter(seen_at__lt=Now() - timedelta(days=1)).delete()
    return len(messages)
