"""What the database itself refuses, whatever the code above it does: raw inserts, as from an administrator's console."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.vocabulary import Role, State, Track
from governance.models import Contributor, Person, RoleGrant, Submission
from reviews.models import Permit, ReviewStep, SignOff
from reviews.services.deciding import decide
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = """
INSERT INTO reviews_signoff (submission_id, step_id, revision, role, by_id, decision, meaning, comment, residual_risk,
                             accepted_instead, readings, dossier_digest, policy_digest, voided_why)
VALUES (%s, %s, %s, %s, %s, 'approve', 'm', '', '', '', '{}', %s, 'sha256:p', '')
"""


def raw_sign_off(row: Submission, by: Person, *, step: ReviewStep | None = None, digest: str = "") -> None:
    step = step or making.open_step(row)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [row.pk, step.pk, step.revision, step.role, by.pk, digest or row.dossier_digest])


def refused(sqlstate: str, row: Submission, by: Person, **given: Any) -> None:
    before = SignOff.objects.count()
    with pytest.raises(IntegrityError) as caught:
        raw_sign_off(row, by, **given)
    assert getattr(caught.value.__cause__, "sqlstate", "") == sqlstate, str(caught.value)
    assert SignOff.objects.count() == before


def test_the_role_holder_may_sign_the_open_step() -> None:
    people, row = making.everybody(), making.in_review()
    raw_sign_off(row, people["amir"])
    assert SignOff.objects.get().by == people["amir"]


def test_the_submitter_is_refused_even_with_the_role() -> None:
    row = making.in_review()
    RoleGrant.objects.create(person=row.submitter, role=Role.ANALYST, reason="test")
    refused("23G01", row, row.submitter)


def test_a_contributor_is_refused_even_with_the_role() -> None:
    people, row = making.everybody(), making.in_review()
    Contributor.objects.create(submission=row, person=people["amir"], why="trained it")
    refused("23G01", row, people["amir"])


def test_who_signed_another_step_is_refused() -> None:
    people, row = making.everybody(), making.in_review()
    RoleGrant.objects.create(person=people["amir"], role=Role.RISK_OFFICER, reason="test")
    decide(caller=making.call(people["amir"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    refused("23G01", making.fresh(row), people["amir"])


def test_a_void_decision_does_not_bar_from_another_step() -> None:
    people, row = making.everybody(), making.in_review()
    RoleGrant.objects.create(person=people["amir"], role=Role.RISK_OFFICER, reason="test")
    decide(caller=making.call(people["amir"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    SignOff.objects.update(voided_at=Now(), voided_why="test")
    raw_sign_off(making.fresh(row), people["amir"])


@pytest.mark.parametrize("how", ["none", "ended", "future", "other unit", "inactive", "superuser"])
def test_without_an_active_grant_of_the_role(how: str) -> None:
    row, who = making.in_review(), making.person("eve")
    grant = RoleGrant(person=who, role=Role.ANALYST, unit=row.unit, reason="test", valid_from=timezone.now() - timedelta(days=2))
    if how == "ended":
        grant.valid_until = timezone.now() - timedelta(seconds=1)
    elif how == "future":
        grant.valid_from = timezone.now() + timedelta(hours=1)
    elif how == "other unit":
        grant.unit = making.unit("shop")
    elif how == "inactive":
        who.is_active = False
    elif how == "superuser":
        who.is_superuser = True
    who.save()
    if how not in ("none", "superuser"):
        grant.save()
    refused("23G03", row, who)


def test_a_step_that_is_not_open_or_not_of_this_case() -> None:
    people, row, other = making.everybody(), making.in_review(), making.in_review()
    waiting = row.steps.get(role=Role.RISK_OFFICER)
    refused("23G02", row, people["ruth"], step=waiting)
    with pytest.raises(IntegrityError):
        raw_sign_off(row, people["amir"], step=making.open_step(other))
    Submission.objects.filter(pk=row.pk).update(state=State.WITHDRAWN)
    refused("23G02", row, people["amir"])


def test_a_dossier_that_is_not_the_present_one() -> None:
    people, row = making.everybody(), making.in_review()
    refused("23G02", row, people["amir"], digest="sha256:" + "0" * 64)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reviews_signoff SET decision = 'reject'",
        "UPDATE reviews_signoff SET by_id = by_id + 1",
        "UPDATE reviews_signoff SET comment = 'nicer'",
        "UPDATE reviews_signoff SET voided_at = now()",
        "DELETE FROM reviews_signoff",
        "UPDATE reviews_reviewstep SET role = 'legal'",
        "DELETE FROM reviews_reviewstep",
        "UPDATE reviews_reviewstep SET state = 'done' WHERE role = 'risk_officer'",
        "UPDATE reviews_dossier SET content = '{}'",
        "DELETE FROM reviews_dossier",
    ],
)
def test_what_was_signed_stays_as_it_was(statement: str) -> None:
    people, row = making.everybody(), making.in_review()
    raw_sign_off(row, people["amir"])
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_void_decision_is_never_valid_again() -> None:
    people, row = making.everybody(), making.in_review()
    raw_sign_off(row, people["amir"])
    SignOff.objects.update(voided_at=Now(), voided_why="test")
    with pytest.raises(IntegrityError), transaction.atomic():
        SignOff.objects.update(voided_at=None, voided_why="")


def permit(row: Submission) -> Permit:
    with transaction.atomic():
        return Permit.objects.create(
            unit=row.unit,
            submission=row,
            version=row.version,
            environment=row.environment,
            dossier_digest=row.dossier_digest,
            policy_digest="sha256:p",
            expires_at=timezone.now() + timedelta(days=1),
        )


def test_no_permit_without_every_step_signed() -> None:
    people, row = making.everybody(), making.in_review()
    with pytest.raises(IntegrityError):
        permit(row)
    decide(caller=making.call(people["amir"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    # somebody writes the state by hand: the analyst signed, the risk officer did not
    Submission.objects.filter(pk=row.pk).update(state=State.APPROVED)
    with pytest.raises(IntegrityError, match="1 of 2"):
        permit(making.fresh(row))


def test_no_permit_for_a_red_case_written_without_steps() -> None:
    row = making.in_checks(Track.RED)
    Submission.objects.filter(pk=row.pk).update(
        state=State.APPROVED, track=Track.RED, track_is_final=True, dossier_digest="sha256:x"
    )
    with pytest.raises(IntegrityError, match="signed"):
        permit(making.fresh(row))


def test_a_permit_can_only_be_revoked_and_only_once() -> None:
    people, row = making.everybody(), making.in_review(Track.YELLOW)
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    for change in ({"expires_at": timezone.now() + timedelta(days=999)}, {"environment": "staging"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Permit.objects.update(**change)
    Permit.objects.update(revoked_at=Now(), revoked_why="test")
    with pytest.raises(IntegrityError), transaction.atomic():
        Permit.objects.update(revoked_at=None, revoked_why="")
