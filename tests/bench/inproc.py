"""Looking at one request from inside: which statements it sends, and which rows it leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.load import Ask

_CONFLICT = re.compile(r" ON CONFLICT(?:\s*\([^()]*\))? DO (?:NOTHING|UPDATE SET .*?)(?= RETURNING |$)", re.DOTALL)
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "SET ")


@contextmanager
def database(name: str) -> Iterator[None]:
    """This process's Django on that database."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def statements_of(ask: Ask, expected: int = 200) -> list[str]:
    """The statements of one request, the second time it is made (what is cached by then is cached in real life too)."""
    request(ask, expected)
    with CaptureQueriesContext(connection) as caught:
        request(ask, expected)
    return [query["sql"] for query in caught.captured_queries if not query["sql"].startswith(CONTROL)]


def request(ask: Ask, expected: int) -> None:
    headers: dict[str, Any] = {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in ask.headers.items() if name != "Content-Type"
    }
    kind = ask.headers.get("Content-Type", "application/octet-stream")
    answer = Client(SERVER_NAME="localhost").generic(ask.method, ask.path, ask.body or b"", kind, **headers)
    if answer.status_code != expected:
        raise AssertionError(f"{ask.method} {ask.path} answered {answer.status_code}: {answer.content[:500]!r}")


def recorded_inserts(ask: Ask) -> tuple[list[str], int, list[str]]:
    """Make the request once more than needed to warm up; gives (its inserts by hand, number of statements, their first words).

    Inserts go to copies of the tables in the schema `floor`. The audit events, which a database function appends, are given
    as the rows they became.
    """
    events = _newest_event()
    with CaptureQueriesContext(connection) as caught:
        request(ask, 201)
    all_of_them = [query["sql"] for query in caught.captured_queries if not query["sql"].startswith(CONTROL)]
    inserts = [text for text in all_of_them if text.startswith("INSERT INTO")]
    # nothing conflicts in the copies, which have no unique index either
    moved = [_CONFLICT.sub("", text.replace('INSERT INTO "', 'INSERT INTO floor."', 1)) for text in inserts]
    return [*moved, *_event_rows(events)], len(all_of_them), [text[:160] for text in all_of_them]


def _newest_event() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(seq), 0) FROM governance_auditevent")
        return int(cursor.fetchone()[0])


def _event_rows(after: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = "
            "'governance_auditevent' "
            "ORDER BY ordinal_position"
        )
        names = [row[0] for row in cursor.fetchall()]
        parts = ", ', ', ".join(f'quote_nullable("{name}"::text)' for name in names)
        cursor.execute(f"SELECT concat('(', {parts}, ')') FROM governance_auditevent WHERE seq > %s ORDER BY seq", [after])
        values = [row[0] for row in cursor.fetchall()]
    columns = ", ".join(f'"{name}"' for name in names)
    return [f'INSERT INTO floor."governance_auditevent" ({columns}) VALUES {", ".join(values)}'] if values else []


FLOOR_TABLES = """
DO $$
DECLARE each record; wanted text;
BEGIN
  CREATE SCHEMA floor;
  CREATE TABLE floor.one (id bigserial PRIMARY KEY, system text, body jsonb);
  FOR each IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^(governance|gates|reviews)_' LOOP
    EXECUTE format('CREATE TABLE floor.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING STORAGE)',
      each.tablename, each.tablename);
  END LOOP;
  FOR each IN SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename ~ '^(governance|gates|reviews)_' LOOP
    wanted := regexp_replace(each.indexdef, '^CREATE UNIQUE INDEX', 'CREATE INDEX');
    EXECUTE replace(wanted, ' ON public.', ' ON floor.');
  END LOOP;
END $$
"""
"""Copies of every table with the same indexes, but nothing unique: the same rows are written into them again and again."""


def json_body(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
