"""What the database refuses by itself, whatever the code above it does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError

from governance.domain.vocabulary import Provenance, Role, State
from governance.models import (
    Answer,
    AuditCheckpoint,
    Contributor,
    Evidence,
    EvidenceFile,
    MetadataSource,
    Revision,
    RoleGrant,
    Submission,
    System,
    SystemVersion,
)
from reviews.services.intake import submit
from tests.governance import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> Submission:
    making.policy()
    draft = making.opened(making.new(sources=[making.source()]))
    submit(caller=making.caller(), submission_id=draft.pk)
    draft.refresh_from_db()
    return draft


def refused(work: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        work()


def run(sql: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql)


@pytest.mark.parametrize(
    "table",
    [
        "governance_revision",
        "governance_trackdecision",
        "governance_auditevent",
        "governance_auditcheckpoint",
        "governance_policypack",
    ],
)
def test_append_only_tables_refuse_change_removal_and_emptying(row: Submission, table: str) -> None:
    if table == "governance_auditcheckpoint":
        AuditCheckpoint.objects.create(seq=1, root=b"r", signature=b"s", key_id="k", at="2026-11-21T00:00:00Z")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        before = cursor.fetchone()[0]
        assert before
    column = {"governance_auditevent": "actor", "governance_auditcheckpoint": "root", "governance_policypack": "source"}
    changed = column.get(table, "submission_id")
    run(f"UPDATE {table} SET {changed} = {changed}")
    run(f"DELETE FROM {table}")
    run(f"TRUNCATE {table} CASCADE")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] == before


def test_the_fences_hold_in_replica_mode_as_well() -> None:
    """`ENABLE ALWAYS`: a session that calls itself a replica passes ordinary triggers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal "
            "AND tgrelid::regclass::text IN ('governance_auditevent', 'governance_audithead', 'governance_revision', "
            "'governance_trackdecision', 'governance_auditcheckpoint', 'governance_policypack') "
            "AND tgname <> 'pack_first'"  # down in tests, see tests/conftest.py; tried in tests/reviews/test_policy_journey.py
        )
        found = cursor.fetchall()
    assert len(found) >= 12
    assert {how for _, _, how in found} == {"A"}, found


def test_one_open_submission_for_each_version_and_environment(row: Submission) -> None:
    def again(environment: str, state: str) -> Submission:
        return Submission.objects.create(
            unit=row.unit,
            system=row.system,
            version=row.version,
            kind=row.kind,
            environment=environment,
            submitter=row.submitter,
            state=state,
        )

    for state in (State.DRAFT, State.IN_CHECKS, State.CHECKS_FAILED, State.IN_REVIEW, State.CHANGES_REQUESTED):
        refused(lambda state=state: again("production", state))
    again("staging", State.DRAFT)
    again("production", State.WITHDRAWN)
    again("production", State.APPROVED)


@pytest.mark.parametrize(("field", "value"), [("state", "done"), ("track", "blue"), ("kind", "Toaster!")])
def test_words_that_do_not_exist(row: Submission, field: str, value: str) -> None:
    refused(lambda: Submission.objects.filter(pk=row.pk).update(**{field: value}))


def test_an_idempotency_key_is_used_once_in_a_unit(row: Submission) -> None:
    Submission.objects.filter(pk=row.pk).update(idempotency_key="k", state=State.APPROVED)
    refused(
        lambda: Submission.objects.create(
            unit=row.unit,
            system=row.system,
            version=row.version,
            kind=row.kind,
            environment="staging",
            submitter=row.submitter,
            idempotency_key="k",
        )
    )


def test_an_edited_answer_needs_its_reason(row: Submission) -> None:
    def edited(reason: str, provenance: str = Provenance.EDITED) -> Answer:
        return Answer.objects.create(
            submission=row, question="model.framework", value="x", provenance=provenance, reason=reason, by=row.submitter
        )

    refused(lambda: edited(""))
    refused(lambda: edited("because", "guessed"))
    edited("because")
    refused(lambda: edited("another one to the same question"))


def test_nobody_grants_a_role_to_oneself(row: Submission) -> None:
    who, other = row.submitter, making.person("adm", Role.ADMIN)
    refused(lambda: RoleGrant.objects.create(person=who, role=Role.ANALYST, reason="mine", granted_by=who))
    refused(lambda: RoleGrant.objects.create(person=who, role="emperor", reason="x", granted_by=other))
    refused(lambda: RoleGrant.objects.create(person=who, role=Role.ANALYST, reason="x", granted_by=other))  # nor one alone
    RoleGrant.objects.create(person=who, role=Role.SUBMITTER, reason="x", granted_by=other)


def test_once_only(row: Submission) -> None:
    refused(lambda: System.objects.create(unit=row.unit, slug=row.system.slug, name="x", kind="ml_model"))
    refused(lambda: SystemVersion.objects.create(system=row.system, version=row.version.version))
    source = row.sources.get()
    refused(
        lambda: MetadataSource.objects.create(
            submission=row, name=source.name, sha256="0" * 64, content=b"", added_by=row.submitter
        )
    )
    refused(lambda: Contributor.objects.create(submission=row, person=row.submitter, why="submitted it"))
    refused(
        lambda: Revision.objects.create(
            submission=row, number=1, facts=[], answers=[], evidence=[], sources=[], submitted_by=row.submitter
        )
    )


def test_evidence_has_a_known_role_once_and_its_file_once_in_a_unit(row: Submission) -> None:
    def file() -> EvidenceFile:
        return EvidenceFile.objects.create(
            unit=row.unit, sha256="0" * 64, size=1, name="x", media_type="x", uploaded_by=row.submitter
        )

    kept = file()
    refused(file)

    def attach(role: str) -> Evidence:
        return Evidence.objects.create(submission=row, role=role, file=kept, added_by=row.submitter)

    refused(lambda: attach("bribe"))
    attach("document")
    refused(lambda: attach("document"))
    with pytest.raises(ProtectedError):
        kept.delete()


def test_what_the_record_refers_to_cannot_be_deleted(row: Submission) -> None:
    for thing in (row.submitter, row.system, row.version, row.unit, row):
        with pytest.raises((ProtectedError, DatabaseError)), transaction.atomic():
            thing.delete()
