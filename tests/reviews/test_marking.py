"""The data steward marks columns with personal data: who may, what is recorded, what it does to the next revision."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from gates.models import GateRun, Measurement
from gates.services.inputs import surroundings
from governance.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, SegregationOfDuties
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Role, RunStatus, State
from governance.models import AuditEvent, ColumnMark, Contributor, Person, Revision, Submission
from reviews.selectors.columns import columns_of
from reviews.services.marking import NewMark, mark_column
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "The addresses are needed to send the offer; DGA-2026-014 covers it."


def found(row: Submission, **columns: str) -> Submission:
    """What the check of the current revision found: column -> kind."""
    run = GateRun.objects.create(
        submission=row, revision=row.revision, collector="personal_data", input_digest="sha256:x", status=RunStatus.DONE
    )
    for column, kind in columns.items():
        detail = {
            "kind": kind,
            "detector": "format",
            "confidence": 1.0,
            "share": 0.98,
            "shape": "a9@a.a",
            "file": "train.parquet",
        }
        Measurement.objects.create(
            run=run, submission=row, metric="personal_data.column", value=1.0, group=f"column={column}", text=kind, detail=detail
        )
    return row


def case(**columns: str) -> Submission:
    return found(making.in_review(), **(columns or {"email": "e-mail address"}))


def steward() -> Any:
    return making.call(making.person("priya", Role.PRIVACY, everywhere=True))


def browser(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_mark_is_recorded_with_its_reason_in_the_audit_trail_and_shown() -> None:
    row = case(email="e-mail address", phone="phone number")
    mark_column(caller=steward(), submission_id=row.pk, new=NewMark("email", "expected", WHY))
    (event,) = AuditEvent.objects.filter(action="personal_data.column_marked", object=f"submission:{row.pk}")
    said = json.loads(event.payload)["data"]
    assert (said["column"], said["found_as"], said["mark"], said["reason"]) == ("email", "e-mail address", "expected", WHY)
    email, phone = columns_of(row)
    assert (email.marks[0].label, email.marks[0].reason, email.marks[0].by, email.stands) == (
        "expected and declared",
        WHY,
        "Priya",
        True,
    )
    assert phone.marks == () and (phone.detector, phone.confidence, phone.share) == ("format", 1.0, 0.98)
    page = browser(making.person("amir", Role.ANALYST, everywhere=True)).get(f"/submissions/S-{row.pk}/columns")
    text = page.content.decode()
    assert page.status_code == 200 and "Expected and declared" in text and "DGA-2026-014" in text and "a9@a.a" in text


def test_the_latest_mark_counts_and_the_next_revision_reads_it() -> None:
    row = case()
    mark_column(caller=steward(), submission_id=row.pk, new=NewMark("email", "remove", WHY))
    mark_column(caller=steward(), submission_id=row.pk, new=NewMark("email", "wrong", "These are test addresses of the lab."))
    assert [mark.mark for mark in columns_of(row)[0].marks] == ["wrong", "remove"]
    revision = Revision.objects.get(submission=row, number=row.revision)
    around = surroundings(submission=row, revision=revision, settings={}, facts=FactSet.from_json(revision.facts))
    assert around.registers["column_marks"] == {"email": {"mark": "wrong", "kind": "e-mail address"}}
    other = making.in_review(system="another-system")
    revision = Revision.objects.get(submission=other, number=1)
    around = surroundings(submission=other, revision=revision, settings={}, facts=FactSet.from_json(revision.facts))
    assert around.registers["column_marks"] == {}, "a mark holds for its system"


def test_a_column_that_is_no_longer_found_keeps_its_marks_and_one_that_changed_is_asked_about_again() -> None:
    row = case(email="e-mail address", card="payment card number")
    mark_column(caller=steward(), submission_id=row.pk, new=NewMark("email", "wrong", WHY))
    mark_column(caller=steward(), submission_id=row.pk, new=NewMark("card", "wrong", WHY))
    later = found(making.in_review(), card="bank account number (IBAN)")
    card, email = columns_of(later)
    assert (email.column, email.found, email.marks[0].mark) == ("email", False, "wrong")
    assert (card.column, card.found, card.stands) == ("card", True, False)


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_only_data_steward_and_analyst_mark(role: Role) -> None:
    row = case()
    who = making.call(making.person(f"only-{role.value}", role, everywhere=True))
    new = NewMark("email", "wrong", WHY)
    if role in (Role.PRIVACY, Role.ANALYST):
        assert mark_column(caller=who, submission_id=row.pk, new=new).by == who.person
        return
    with pytest.raises(Forbidden):
        mark_column(caller=who, submission_id=row.pk, new=new)
    assert not ColumnMark.objects.exists()


def test_whoever_worked_on_it_does_not_clear_it_and_the_database_holds_the_same() -> None:
    row = case()
    trained = making.person("tess", Role.PRIVACY, everywhere=True)
    Contributor.objects.create(submission=row, person=trained, why="trained it")
    with pytest.raises(SegregationOfDuties, match="You trained it"):
        mark_column(caller=making.call(trained), submission_id=row.pk, new=NewMark("email", "wrong", WHY))
    plain = {"system": row.system, "submission": row, "column": "email", "kind": "x", "mark": "wrong", "reason": WHY}
    nobody = making.person("nobody", Role.AUDITOR, everywhere=True)
    for who, words in ((trained, "contributed"), (row.submitter, "submitted"), (nobody, "data steward or an analyst")):
        with pytest.raises(IntegrityError, match=words), transaction.atomic():
            ColumnMark.objects.create(by=who, **plain)


def test_marks_cannot_be_changed_or_removed() -> None:
    row = case()
    mark_column(caller=steward(), submission_id=row.pk, new=NewMark("email", "remove", WHY))
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ColumnMark.objects.update(mark="wrong")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ColumnMark.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgenabled::text FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = 'governance_columnmark'::regclass"
        )
        assert [row[0] for row in cursor.fetchall()] == ["A", "A", "A"], "a session that calls itself a replica passes no fence"


@pytest.mark.parametrize(
    ("column", "mark", "reason", "field"),
    [
        ("income", "wrong", WHY, "/column"),
        ("", "wrong", WHY, "/column"),
        ("email", "fine", WHY, "/mark"),
        ("email", "", WHY, "/mark"),
        ("email", "wrong", "ok", "/reason"),
        ("email", "wrong", "..........", "/reason"),
    ],
)
def test_what_is_missing_is_named(column: str, mark: str, reason: str, field: str) -> None:
    row = case()
    with pytest.raises(InvalidInput) as refused:
        mark_column(caller=steward(), submission_id=row.pk, new=NewMark(column, mark, reason))
    assert [error.pointer for error in refused.value.errors] == [field]
    assert not AuditEvent.objects.filter(action="personal_data.column_marked").exists()


def test_a_closed_case_and_another_units_case_are_refused() -> None:
    row = case()
    Submission.objects.filter(pk=row.pk).update(state=State.WITHDRAWN)
    with pytest.raises(Conflict):
        mark_column(caller=steward(), submission_id=row.pk, new=NewMark("email", "wrong", WHY))
    elsewhere = making.call(making.person("sam", Role.PRIVACY, at=making.unit("shop")))
    with pytest.raises(NotFound):
        mark_column(caller=elsewhere, submission_id=row.pk, new=NewMark("email", "wrong", WHY))


def test_the_page_records_for_the_data_steward_and_only_shows_to_others() -> None:
    row = case()
    client = browser(making.person("priya", Role.PRIVACY, everywhere=True))
    assert 'name="mark"' in client.get(f"/submissions/S-{row.pk}/columns").content.decode()
    empty = client.post(f"/submissions/S-{row.pk}/columns", {"column": "email"})
    assert empty.status_code == 422 and "Say why, in a sentence" in empty.content.decode()
    sent = client.post(f"/submissions/S-{row.pk}/columns", {"column": "email", "mark": "hashed", "reason": WHY})
    assert sent.status_code == 302 and ColumnMark.objects.get().mark == "hashed"
    dana = browser(row.submitter)
    page = dana.get(f"/submissions/S-{row.pk}/columns").content.decode()
    assert 'name="mark"' not in page and "Only the data steward (privacy)" in page
    refused = dana.post(f"/submissions/S-{row.pk}/columns", {"column": "email", "mark": "wrong", "reason": WHY})
    assert refused.status_code == 403 and ColumnMark.objects.count() == 1
    stranger = browser(making.person("sam", Role.PRIVACY, at=making.unit("shop")))
    assert stranger.get(f"/submissions/S-{row.pk}/columns").status_code == 404
