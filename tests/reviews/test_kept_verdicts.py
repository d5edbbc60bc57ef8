"""Verdicts kept while nothing happens: what they spare, and everything that ends one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.errors import NotFound
from governance.domain.vocabulary import Role, Scope
from governance.models import Person, Submission
from governance.selectors.access import SYSTEM, Caller, caller_for
from governance.services.tokens import issue_token
from reviews.models import Permit
from reviews.selectors import kept_verdicts
from reviews.selectors.kept_verdicts import LONGEST, Kept, _moments, verdict_of
from reviews.selectors.loading import load
from reviews.services.deciding import decide
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


def program(person: Person) -> Caller:
    """A token of that person."""
    assert person.unit is not None
    token, _ = issue_token(caller=SYSTEM, person=person, unit=person.unit, name="ci", scopes=(Scope.READ,))
    return caller_for(person, token=token, origin="api")


def asked(row: Submission, caller: Caller) -> tuple[Kept, int]:
    """The verdict and what it cost in statements."""
    with CaptureQueriesContext(connection) as caught:
        found = verdict_of(row.pk, caller)
    return found, len(caught)


def test_asked_again_it_costs_one_statement_until_something_happens() -> None:
    people = making.everybody()
    row = making.in_review()
    ci = program(people["dana"])
    first, _ = asked(row, ci)
    again, cost = asked(row, ci)
    assert again is first
    assert cost == 1
    decide(caller=making.call(people["amir"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    after, cost = asked(row, ci)
    assert cost > 1
    assert after.tag != first.tag
    assert [step["state"] for step in after.document["steps"]] == ["done", "open"]


def test_a_change_without_an_event_on_the_submission_itself_ends_it_too() -> None:
    people = making.everybody()
    row, ci = making.in_review(), program(people["dana"])
    asked(row, ci)
    Submission.objects.filter(pk=row.pk).update(state="withdrawn")
    assert asked(row, ci)[0].document["state"] == "withdrawn"


def test_whoever_may_not_see_the_submission_is_told_nothing_that_was_kept() -> None:
    people = making.everybody()
    row = making.in_review()
    asked(row, program(people["dana"]))
    stranger = program(making.person("sam", Role.SUBMITTER, at=making.unit("payments")))
    with pytest.raises(NotFound):
        verdict_of(row.pk, stranger)
    with pytest.raises(NotFound):
        verdict_of(row.pk + 1_000, stranger)


def test_people_and_drafts_are_read_anew() -> None:
    people = making.everybody()
    row, ci = making.in_review(), program(people["dana"])
    asked(row, ci)
    assert asked(row, making.call(people["dana"]))[1] > 1
    draft = making.draft()
    asked(draft, ci)
    assert asked(draft, ci)[1] > 1


def test_it_lasts_until_time_alone_could_change_it() -> None:
    people = making.everybody()
    row, ci = making.in_review(), program(people["dana"])
    for who in ("amir", "ruth"):
        decide(
            caller=making.call(people[who]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve()
        )
    permit = Permit.objects.get(submission=row)
    now = permit.expires_at - timedelta(seconds=20)
    assert permit.expires_at in set(_moments(load(caller=ci, submission_id=row.pk, history=False), now))
    first, _ = asked(row, ci)
    assert first.until - timezone.now() <= LONGEST
    kept_verdicts._kept[row.pk] = replace(first, until=timezone.now() - timedelta(seconds=1))
    assert asked(row, ci)[1] > 1


def test_no_more_than_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    people = making.everybody()
    one, two, ci = making.in_review(), making.in_review(system="gift-ideas"), program(people["dana"])
    monkeypatch.setattr(kept_verdicts, "MOST", 1)
    asked(one, ci)
    asked(two, ci)
    assert asked(two, ci)[1] == 1
    assert asked(one, ci)[1] > 1
