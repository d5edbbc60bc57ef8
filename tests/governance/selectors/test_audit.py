"""The audit chain: every kind of tampering is found, and the fence refuses the ordinary ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from governance.domain.errors import Unavailable
from governance.models import AuditEvent, AuditHead, Unit
from governance.selectors.access import SYSTEM
from governance.selectors.audit import Outcome, verify
from governance.services.checkpoints import (
    exported_checkpoints,
    key_id_of,
    public_bytes,
    signed_text,
    signing_key,
    write_checkpoint,
)
from governance.services.work import unit_of_work

pytestmark = pytest.mark.django_db


def some_events(count: int = 5) -> None:
    for number in range(count):
        with unit_of_work(SYSTEM, durable=False) as work:
            work.note("test.happened", f"thing:{number}", {"number": number, "words": "naïve “quotes” \\ and \n lines"})


@contextmanager
def fence_down() -> Iterator[None]:
    """What somebody with the owner's rights in the database could do."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_auditevent DISABLE TRIGGER ALL")
        cursor.execute("ALTER TABLE governance_audithead DISABLE TRIGGER ALL")
        yield
        cursor.execute("ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER audit_append_only")
        cursor.execute("ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER audit_insert")
        cursor.execute("ALTER TABLE governance_audithead ENABLE ALWAYS TRIGGER audit_head_guard")


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_an_untouched_trail_verifies() -> None:
    some_events()
    found = verify()
    assert (found.outcome, found.events) == (Outcome.OK, 5)


def test_numbers_are_contiguous_and_the_clock_is_the_databases() -> None:
    some_events(3)
    assert list(AuditEvent.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE governance_auditevent SET actor = 'somebody' WHERE seq = 2",
        "DELETE FROM governance_auditevent WHERE seq = 2",
        "TRUNCATE governance_auditevent",
        "INSERT INTO governance_auditevent SELECT 99, gen_random_uuid(), at, actor, action, object, unit, origin, "
        "request_id, payload, leaf, chain "
        "FROM governance_auditevent WHERE seq = 1",
        "UPDATE governance_audithead SET seq = 1",
    ],
)
def test_the_fence_refuses(sql: str) -> None:
    some_events()
    with pytest.raises(DatabaseError), transaction.atomic():
        run(sql)
    assert verify().outcome is Outcome.OK


@pytest.mark.parametrize(
    ("kind", "sql", "first_bad"),
    [
        (
            "edit of the payload",
            "UPDATE governance_auditevent SET payload = replace(payload, '\"number\":1', '\"number\":7') WHERE seq = 2",
            2,
        ),
        ("edit of a column", "UPDATE governance_auditevent SET actor = 'person:1' WHERE seq = 3", 3),
        ("edit of the clock", "UPDATE governance_auditevent SET at = at - interval '1 day' WHERE seq = 3", 3),
        ("delete", "DELETE FROM governance_auditevent WHERE seq = 3", 4),
        ("cut at the end", "DELETE FROM governance_auditevent WHERE seq = 5", 4),
        (
            "swap",
            "UPDATE governance_auditevent a SET payload = b.payload, leaf = b.leaf FROM governance_auditevent b "
            "WHERE (a.seq, b.seq) IN ((2, 3), (3, 2))",
            2,
        ),
        (
            "payload and leaf together",
            "UPDATE governance_auditevent SET payload = '{}', leaf = sha256('\\x00'::bytea || '{}'::bytea) WHERE seq = 4",
            4,
        ),
    ],
)
def test_tampering_behind_the_fence_is_found(kind: str, sql: str, first_bad: int) -> None:
    some_events()
    with fence_down():
        run(sql)
    found = verify()
    assert found.outcome is Outcome.TAMPERED, kind
    assert found.seq == first_bad


def test_a_rechained_history_is_found_by_an_exported_checkpoint(tmp_path: Path) -> None:
    with override_settings(AUDIT_SINKS=[str(tmp_path)], AUDIT_KEY_FILE=str(tmp_path / "key")):
        some_events()
        write_checkpoint()
        key = signing_key().public_key()
        known = {key_id_of(key): public_bytes(key)}
        assert verify(checkpoints=exported_checkpoints(), keys=known, signed_text=signed_text).outcome is Outcome.OK
        assert verify(checkpoints=exported_checkpoints(), keys={}, signed_text=signed_text).outcome is Outcome.KEY_UNKNOWN
        with fence_down():
            run("DELETE FROM governance_auditevent")
            AuditHead.objects.update(seq=0, chain=bytes(32))
        found = verify(checkpoints=exported_checkpoints(), keys=known, signed_text=signed_text)
        assert found.outcome is Outcome.SHORTER
        some_events(6)
        found = verify(checkpoints=exported_checkpoints(), keys=known, signed_text=signed_text)
        assert found.outcome is Outcome.TAMPERED


def test_the_event_and_the_change_come_together_or_not_at_all() -> None:
    with pytest.raises(RuntimeError), unit_of_work(SYSTEM, durable=False) as work:
        work.note("test.happened", "thing:1")
        raise RuntimeError
    assert not AuditEvent.objects.exists()


def test_when_the_trail_cannot_be_written_nothing_changes() -> None:
    run("DROP FUNCTION audit_append(text[])")
    with pytest.raises(Unavailable), transaction.atomic(), unit_of_work(SYSTEM, durable=False) as work:
        Unit.objects.create(slug="x", name="X")
        work.note("unit.made", "unit:x")
    assert not Unit.objects.exists()
