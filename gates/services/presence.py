"""Signs of life of workers, so that pages can say when nobody is there to do the work."""

from __future__ import annotations

from django.db import connection

_SEEN = """
INSERT INTO gates_workerseen (name, queue, seen_at) VALUES (%(name)s, %(queue)s, statement_timestamp())
ON CONFLICT (name, queue) DO UPDATE SET seen_at = statement_timestamp()
"""


def note_worker(name: str, queue: str) -> None:
    """Write down that a worker serves a queue now."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, {"name": name[:120], "queue": queue[:60]})
