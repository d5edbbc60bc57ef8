"""Signs of life of workers, so that pages can say when nobody is there to do the work."""

from __future__ import annotations

import json

from django.db import connection

from gates import registry

_SEEN = """
INSERT INTO gates_workerseen (name, queue, seen_at, knows)
SELECT DISTINCT %(name)s, queue, statement_timestamp(), %(knows)s::jsonb FROM unnest(%(queues)s::text[]) AS queue
ON CONFLICT (name, queue) DO UPDATE SET seen_at = statement_timestamp(), knows = EXCLUDED.knows
"""


def note_worker(name: str, *queues: str) -> None:
    """Write down that a worker serves these queues now, and which collectors it has."""
    knows = json.dumps(registry.editions())
    with connection.cursor() as cursor:
        # always in the same order: two workers of one name do not wait for each other crosswise
        cursor.execute(_SEEN, {"name": name[:120], "queues": sorted(queue[:60] for queue in queues), "knows": knows})
