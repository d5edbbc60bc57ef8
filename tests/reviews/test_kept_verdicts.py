"""Verdicts kept while nothing happens: what they spare, and everything that ends one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.errors import NotFound
from governance.domain.vocabulary import Role, Scope
from governance.models import ApiToken, Person, Submission
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


class TestAskedAgain:
    """What is answered early is what the view answers; whatever is out of the ordinary goes on to the view."""

    def answers(self, path: str, secret: str, **headers: str) -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as caught:
            answer = Client().get(path, headers={"Authorization": f"Bearer {secret}", **headers})
        return answer, len(caught)

    def test_the_same_status_bytes_and_headers_for_two_statements(self) -> None:
        people = making.everybody()
        row = making.in_review()
        _, secret = issue_token(caller=SYSTEM, person=people["dana"], unit=making.unit(), name="ci", scopes=(Scope.READ,))
        path = f"/api/v1/submissions/{row.number}/verdict"
        first, cost = self.answers(path, secret)
        assert cost > 2
        early, cost = self.answers(path, secret)
        assert cost == 2
        late, _ = self.answers(f"{path}?wait=0", secret)  # a question with a parameter goes on to the view
        assert first.content == early.content == late.content
        ours = {name: value for name, value in early.headers.items() if name != "X-Request-ID"}
        assert {**ours, "Allow": "GET, HEAD, OPTIONS"} == {n: v for n, v in late.headers.items() if n != "X-Request-ID"}
        for tags, status in ((early["ETag"], 304), (f'"x", W/{early["ETag"]}', 304), ('"x"', 200), ("", 200)):
            again, cost = self.answers(path, secret, **({"If-None-Match": tags} if tags else {}))
            assert (again.status_code, cost) == (status, 2), tags
            assert again["ETag"] == early["ETag"]
            assert again.content == (b"" if status == 304 else early.content)
            late, _ = self.answers(f"{path}?wait=0", secret, **({"If-None-Match": tags} if tags else {}))
            assert (late.status_code, late.content) == (again.status_code, again.content)

    def test_whoever_may_not_is_told_so_by_the_view(self) -> None:
        people = making.everybody()
        row = making.in_review()
        path = f"/api/v1/submissions/{row.number}/verdict"
        _, secret = issue_token(caller=SYSTEM, person=people["dana"], unit=making.unit(), name="ci", scopes=(Scope.READ,))
        self.answers(path, secret)
        sam = making.person("sam", Role.SUBMITTER, at=making.unit("payments"))
        token, elsewhere = issue_token(caller=SYSTEM, person=sam, unit=making.unit("payments"), name="ci", scopes=(Scope.READ,))
        _, scopeless = issue_token(caller=SYSTEM, person=people["dana"], unit=making.unit(), name="ci", scopes=(Scope.SUBMIT,))
        assert self.answers(path, elsewhere)[0].status_code == 404
        assert self.answers(path, scopeless)[0].status_code == 403
        assert self.answers(path, secret + "x")[0].status_code == 401
        assert Client().get(path, headers={"Authorization": f"Basic {secret}"}).status_code == 401
        assert Client().get(path).status_code == 401
        assert Client().get(path, headers={"Authorization": f"Bearer {secret}", "Host": "evil.example"}).status_code == 400
        assert Client().post(path, headers={"Authorization": f"Bearer {secret}"}).status_code == 405
        assert self.answers(path, secret, Accept="text/markdown")[0]["Content-Type"].startswith("text/markdown")
        ApiToken.objects.filter(pk=token.pk).update(revoked_at=timezone.now())
        assert self.answers(path, elsewhere)[0].status_code == 401
