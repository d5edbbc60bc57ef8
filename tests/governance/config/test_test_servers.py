"""The fixtures of tests/conftest.py themselves: real servers, real processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests.stack import PREFIX, Running, Stack


@pytest.mark.django_db
def test_the_database_is_this_runs_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_setting('is_superuser')")
        name, superuser = cursor.fetchone()
    assert str(os.getpid()) in name
    assert superuser == "off"


@pytest.mark.django_db(transaction=True)
def test_other_processes_reach_the_same_database(database_url: str) -> None:
    with connection.cursor() as cursor, psycopg.connect(database_url) as other:
        cursor.execute("SELECT current_database()")
        assert other.execute("SELECT current_database()").fetchone() == cursor.fetchone()


def test_a_killed_broker_is_there_again(broker: Running | None, stack: Stack) -> None:
    if broker is None:
        pytest.skip("REDIS_URL names a broker that is not ours to kill")
    broker.kill()
    again = stack.start_redis()
    assert again is not None
    assert again.pid != broker.pid


def test_what_a_killed_run_left_is_ended_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tmp_path.chmod(0o755)
    left = Stack.make()
    server = left.start_postgres()
    assert server is not None
    # the run itself died: its number now belongs to nobody
    noted = left.folder / "processes.json"
    noted.write_text(noted.read_text().replace(f'"pid": {os.getpid()}', '"pid": 4194303'))

    fresh = Stack.make()

    assert server.process.wait(timeout=10) in (0, -signal.SIGKILL, -signal.SIGINT, -signal.SIGTERM)
    assert list(tmp_path.glob(f"{PREFIX}*")) == [fresh.folder]
    fresh.stop()


@pytest.mark.django_db(transaction=True)
def test_emptying_gets_past_a_transaction_that_is_still_open(database_url: str) -> None:
    """As a worker leaves one when it is killed: the next test begins with empty tables all the same."""
    table = connection.introspection.django_table_names(only_existing=True)[0]
    with psycopg.connect(database_url) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")

        call_command("flush", interactive=False, verbosity=0)

        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")


@pytest.mark.django_db(transaction=True)
def test_emptying_leaves_the_triggers_as_they_were() -> None:
    ask = "SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 > 0 ORDER BY tgname"
    with connection.cursor() as cursor:
        cursor.execute(ask)
        before = cursor.fetchall()
        assert before
        call_command("flush", interactive=False, verbosity=0)
        cursor.execute(ask)
        assert cursor.fetchall() == before
