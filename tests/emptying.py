"""Emptying the test database between transactional tests, past the triggers that refuse TRUNCATE in real life."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

_AUDIT_HEAD = "INSERT INTO governance_audithead (id, seq, chain) VALUES (1, 0, decode(repeat('00', 32), 'hex'))"
_TRUNCATE = 1 << 5  # bit of pg_trigger.tgtype
_ENABLE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA", "D": "DISABLE"}


def _refusing() -> list[tuple[str, str, str]]:
    """(table, trigger, how it is enabled) of each trigger on TRUNCATE."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, quote_ident(tgname), tgenabled::text FROM pg_trigger WHERE NOT tgisinternal AND tgtype & %s > 0",
            [_TRUNCATE],
        )
        return cursor.fetchall()


@contextmanager
def allow_emptying() -> Iterator[None]:
    """Within this, Django's flush switches such triggers off for its one transaction and puts them back as they were."""
    plain = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        statements = plain(self, style, tables, **options)
        refusing = _refusing() if statements else []
        off = [f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger, _ in refusing]
        on = [f"ALTER TABLE {table} {_ENABLE[how]} TRIGGER {trigger}" for table, trigger, how in refusing]
        # the one row a migration writes and nothing works without: the head of the audit chain, at its start
        head = [f"{_AUDIT_HEAD} ON CONFLICT DO NOTHING"] if "governance_audithead" in tables else []
        return [*off, *statements, *head, *on]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        DatabaseOperations.sql_flush = plain  # type: ignore[method-assign]
