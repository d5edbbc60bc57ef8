"""Emptying the test database between transactional tests, past the triggers that refuse TRUNCATE in real life."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection
from django.db.backends.postgresql.operations import DatabaseOperations

_AUDIT_HEAD = "INSERT INTO governance_audithead (id, seq, chain) VALUES (1, 0, decode(repeat('00', 32), 'hex'))"
_TRUNCATE = 1 << 5  # bit of pg_trigger.tgtype
_ENABLE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA", "D": "DISABLE"}


def _refusing() -> list[tuple[str, str, str]]:
    """(table, trigger, how it is enabled) of each trigger on TRUNCATE."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, quote_ident(tgname), tgenabled::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgtype & %s > 0",
            [_TRUNCATE],
        )
        return cursor.fetchall()


def _end_other_transactions() -> None:
    """A worker that is still at it, or was killed a moment ago, holds locks; its rows go anyway."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )


@contextmanager
def allow_emptying() -> Iterator[None]:
    """Within this, Django's flush switches such triggers off for its one transaction and puts them back as they were.

    Where a worker's transaction is in its way, that one ends.
    """
    plain, plain_execute = DatabaseOperations.sql_flush, DatabaseOperations.execute_sql_flush

    def sql_flush(self: DatabaseOperations, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        statements = plain(self, style, tables, **options)
        refusing = _refusing() if statements else []
        off = [f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger, _ in refusing]
        on = [f"ALTER TABLE {table} {_ENABLE[how]} TRIGGER {trigger}" for table, trigger, how in refusing]
        # the one row a migration writes and nothing works without: the head of the audit chain, at its start
        head = [f"{_AUDIT_HEAD} ON CONFLICT DO NOTHING"] if "governance_audithead" in tables else []
        return [*off, *statements, *head, *on]

    def execute_sql_flush(self: DatabaseOperations, sql_list: Sequence[str]) -> None:
        for attempts_left in (4, 3, 2, 1, 0):
            try:
                return plain_execute(self, ["SET LOCAL lock_timeout = '3s'", *sql_list])
            except OperationalError:  # a deadlock, or a lock not given in time
                if not attempts_left:
                    raise
                _end_other_transactions()

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign,assignment]
    DatabaseOperations.execute_sql_flush = execute_sql_flush  # type: ignore[method-assign]
    try:
        yield
    finally:
        DatabaseOperations.sql_flush = plain  # type: ignore[method-assign]
        DatabaseOperations.execute_sql_flush = plain_execute  # type: ignore[method-assign]
