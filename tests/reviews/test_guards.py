"""Ways round approval, and what keeps each of them shut: with its guards it is refused, without them it goes through.

The ways are the self-approval bugs that GitLab had (no rule; the rule edited; the author among the approvers; another author on
paper; a second account), a second decision, a decision on what changed, and one from another unit. Each guard of the service is
taken away by itself first, and the database still refuses; then the fence of the database is taken away as well, and the attack
succeeds. A test that passes either way would prove nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import DomainError
from governance.domain.vocabulary import Role, State, Track
from governance.models import Person, PolicyPack, RoleGrant, Submission
from governance.policy import load_pack
from governance.selectors.policy import pack_in_force
from governance.services.administration import add_person
from reviews.models import Permit, SignOff
from reviews.services.deciding import decide
from tests.reviews import making

pytestmark = pytest.mark.django_db

REFUSED = (DomainError, IntegrityError)
Take = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Way:
    """`attack` raises when it is refused, else says whether it came to what it wanted.

    `service` takes the guard of the code away, `fence` is the statement that takes the database's away. `up`: a fence that is
    down in other tests and stands in this one.
    """

    attack: Callable[[], bool]
    fence: str = ""
    service: Take | None = None
    up: str = ""


def signs(row: Submission, who: Person) -> bool:
    """Through the service."""
    row = making.fresh(row)
    decide(caller=making.call(who), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    return SignOff.objects.filter(submission=row, by=who).exists()


def written(row: Submission, who: Person, digest: str = "") -> bool:
    """Past every service, as from a console."""
    row, step = making.fresh(row), making.open_step(row)
    with transaction.atomic():
        SignOff.objects.create(
            submission=row, step=step, revision=row.revision, role=step.role, by=who, decision="approve", meaning="m",
            dossier_digest=digest or row.dossier_digest, policy_digest="sha256:p",
        )  # fmt: skip
    return True


def reviewer(who: Person, role: Role = Role.ANALYST) -> Person:
    RoleGrant.objects.create(person=who, role=role, reason="test", valid_from=timezone.now() - timedelta(days=1))
    return who


def no_rule_asks_for_anybody() -> bool:
    row = making.in_review()
    row.steps.update(state="void")
    Submission.objects.filter(pk=row.pk).update(state=State.APPROVED)
    with transaction.atomic():
        Permit.objects.create(
            unit=row.unit, submission=row, version=row.version, environment=row.environment, dossier_digest=row.dossier_digest,
            policy_digest="sha256:p", expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
    return True


def the_author_edits_the_rule() -> bool:
    making.in_review()
    rules: Any = making.PACK["rules"]
    source, questions = json.dumps({**making.PACK, "version": "2026.11.2", "rules": rules[1:]}), json.dumps(making.QUESTIONNAIRE)
    lax = load_pack(source, questions)
    with transaction.atomic():
        PolicyPack.objects.create(
            name=lax.name, kind=lax.kind, version=lax.version, digest=lax.digest, source=source, questionnaire=questions,
            active_from=Now(),
        )  # fmt: skip
    return pack_in_force("ml_model")[0].digest == lax.digest


def the_author_is_among_the_approvers() -> bool:
    row = making.in_review()
    return signs(row, reviewer(row.submitter))


def another_author_on_paper() -> bool:
    row, eli = making.in_review(), making.person("eli")
    author = reviewer(row.submitter)
    Submission.objects.filter(pk=row.pk).update(submitter=eli)
    return signs(row, author)


def a_second_account() -> bool:
    dana = making.person("dana")
    adm = making.call(making.person("adm", Role.ADMIN, everywhere=True))
    new = {"username": "dana2", "first_name": "Dana", "last_name": "O", "email": dana.email.upper(), "unit": making.unit()}
    add_person(caller=adm, proved_at=timezone.now(), **new)  # type: ignore[arg-type]
    return Person.objects.filter(email__iexact=dana.email).count() == 2


def two_decide_the_same_step() -> bool:
    row = making.in_review(Track.YELLOW)
    for name in ("pia", "paul"):
        written(row, making.person(name, Role.PLATFORM_ENGINEER, everywhere=True))
    return SignOff.objects.filter(submission=row).count() == 2


def on_what_is_not_the_case_any_more() -> bool:
    row = making.in_review()
    return written(row, making.everybody()["amir"], "sha256:of-the-day-before")


def from_another_unit() -> bool:
    row = making.in_review()
    return signs(row, making.person("gus", Role.ANALYST, at=making.unit("shop")))


def nobody_is_refused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("reviews.services.deciding.who_may_decide", lambda *args, **more: None)
    patch.setattr("reviews.services.deciding.approval_refusal", lambda *args: None)


def everybody_sees_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("reviews.services.locking.visible", lambda rows, caller: rows)
    nobody_is_refused(patch)


def nobody_is_there_already(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(QuerySet, "exists", lambda self: False)


SIGNING = "ALTER TABLE reviews_signoff DISABLE TRIGGER sign_off_guard"
WAYS = {
    way.attack.__name__: way
    for way in (
        Way(no_rule_asks_for_anybody, "ALTER TABLE reviews_permit DISABLE TRIGGER permit_guard"),
        Way(
            the_author_edits_the_rule,
            "ALTER TABLE governance_policypack DISABLE TRIGGER pack_first",
            up="ALTER TABLE governance_policypack ENABLE ALWAYS TRIGGER pack_first",
        ),
        Way(the_author_is_among_the_approvers, SIGNING, nobody_is_refused),
        Way(another_author_on_paper, SIGNING, nobody_is_refused),
        Way(a_second_account, "DROP INDEX person_one_address", nobody_is_there_already),
        Way(two_decide_the_same_step, "DROP INDEX one_decision_per_step_and_dossier"),
        Way(on_what_is_not_the_case_any_more, SIGNING),
        Way(from_another_unit, SIGNING, everybody_sees_everything),
    )
}


def run(statement: str) -> None:
    if statement:
        with connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize("name", WAYS)
def test_it_is_refused(name: str) -> None:
    run(WAYS[name].up)
    with pytest.raises(REFUSED):
        WAYS[name].attack()


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if way.service is not None])
def test_the_database_refuses_where_the_service_forgot(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    way = WAYS[name]
    assert way.service is not None
    way.service(monkeypatch)
    with pytest.raises(REFUSED):
        way.attack()


@pytest.mark.parametrize("name", WAYS)
def test_without_its_guards_it_goes_through(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    way = WAYS[name]
    run(way.up)
    run(way.fence)
    if way.service is not None:
        way.service(monkeypatch)
    assert way.attack(), "the attack proves nothing: it fails without the guard as well"
