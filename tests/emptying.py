"""Emptying the test database between transactional tests, past the triggers that refuse it in real life.

Django truncates every table and writes content types and permissions anew, which takes longer than most tests: mostly a dozen
tables hold a few rows, so those are deleted instead. Where somebody else is at it, where that fails, and now and then to give
back the space, all are truncated as Django does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import flush
from django.db import DatabaseError, OperationalError, connection
from django.db.backends.postgresql.operations import DatabaseOperations

_AUDIT_HEAD = "INSERT INTO governance_audithead (id, seq, chain) VALUES (1, 0, decode(repeat('00', 32), 'hex'))"
_TRUNCATE = 1 << 5  # bit of pg_trigger.tgtype
_ENABLE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA", "D": "DISABLE"}
_STAY = frozenset({"django_content_type", "auth_permission"})  # what models there are: the same in every test
_TRUNCATED_EVERY = 60

_DELETE = """
DO $emptying$
DECLARE
  each text; filled boolean; named text[] := '{}'; fence record; fences text[] := '{}';
BEGIN
  FOREACH each IN ARRAY %s::text[] LOOP
    EXECUTE 'SELECT EXISTS (SELECT FROM ' || each || ')' INTO filled;
    IF filled THEN named := named || each; END IF;
  END LOOP;
  FOREACH each IN ARRAY named LOOP
    FOR fence IN SELECT quote_ident(tgname) AS name, tgenabled AS how FROM pg_trigger
        WHERE tgrelid = each::regclass AND NOT tgisinternal AND tgenabled <> 'D' LOOP
      EXECUTE 'ALTER TABLE ' || each || ' DISABLE TRIGGER ' || fence.name;
      fences := fences || ('ALTER TABLE ' || each || CASE fence.how WHEN 'A' THEN ' ENABLE ALWAYS' WHEN 'R' THEN ' ENABLE REPLICA'
        ELSE ' ENABLE' END || ' TRIGGER ' || fence.name);
    END LOOP;
  END LOOP;
  FOREACH each IN ARRAY named LOOP EXECUTE 'DELETE FROM ' || each; END LOOP;
  SET CONSTRAINTS ALL IMMEDIATE;
  FOREACH each IN ARRAY fences LOOP EXECUTE each; END LOOP;
END $emptying$
"""


def _refusing() -> list[tuple[str, str, str]]:
    """(table, trigger, how it is enabled) of each trigger on TRUNCATE."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, quote_ident(tgname), tgenabled::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgtype & %s > 0",
            [_TRUNCATE],
        )
        return list(cursor.fetchall())


_OTHERS = "datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"


def _end_other_transactions() -> None:
    """A worker that is still at it, or was killed a moment ago, holds locks; its rows go anyway."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OTHERS}")


def _somebody_at_it() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE {_OTHERS})")
        return bool(cursor.fetchone()[0])


@contextmanager
def allow_emptying() -> Iterator[None]:
    """Within this, Django's flush switches such triggers off for its one transaction and puts them back as they were.

    Where a worker's transaction is in its way, that one ends.
    """
    plain, plain_execute, plain_signal = (
        DatabaseOperations.sql_flush,
        DatabaseOperations.execute_sql_flush,
        flush.emit_post_migrate_signal,  # type: ignore[attr-defined]
    )
    times, kept = 0, False
    emptied: list[str] = []

    def sql_flush(self: DatabaseOperations, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        nonlocal emptied
        statements = plain(self, style, tables, **options)
        refusing = _refusing() if statements else []
        off = [f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger, _ in refusing]
        on = [f"ALTER TABLE {table} {_ENABLE[how]} TRIGGER {trigger}" for table, trigger, how in refusing]
        # the one row a migration writes and nothing works without: the head of the audit chain, at its start
        head = [f"{_AUDIT_HEAD} ON CONFLICT DO NOTHING"] if "governance_audithead" in tables else []
        emptied = [] if options.get("reset_sequences") else [self.quote_name(name) for name in tables if name not in _STAY]
        return [*off, *statements, *head, *on]

    def deleted(self: DatabaseOperations) -> bool:
        """Delete rows where there are some; whether that was possible."""
        nonlocal times
        times += 1
        if not emptied or times % _TRUNCATED_EVERY == 0 or _somebody_at_it():
            return False
        names = "ARRAY[" + ", ".join(f"'{name}'" for name in emptied) + "]"
        try:
            plain_execute(self, ["SET LOCAL lock_timeout = '1s'", _DELETE % names, _AUDIT_HEAD])
        except DatabaseError:
            return False
        return True

    def execute_sql_flush(self: DatabaseOperations, sql_list: Sequence[str]) -> None:
        nonlocal kept
        kept = deleted(self)
        if kept:
            return None
        for attempts_left in (4, 3, 2, 1, 0):
            try:
                return plain_execute(self, ["SET LOCAL lock_timeout = '3s'", *sql_list])
            except OperationalError:  # a deadlock, or a lock not given in time
                if not attempts_left:
                    raise
                _end_other_transactions()

    def signal(*args: Any, **options: Any) -> None:
        """Content types and permissions are written anew where they went with the rest."""
        if not kept:
            plain_signal(*args, **options)

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign,assignment]
    DatabaseOperations.execute_sql_flush = execute_sql_flush  # type: ignore[method-assign,assignment]
    flush.emit_post_migrate_signal = signal  # type: ignore[attr-defined]
    try:
        yield
    finally:
        DatabaseOperations.sql_flush = plain  # type: ignore[method-assign]
        DatabaseOperations.execute_sql_flush = plain_execute  # type: ignore[method-assign]
        flush.emit_post_migrate_signal = plain_signal  # type: ignore[attr-defined]
