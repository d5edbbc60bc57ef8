"""The queue: whose turn, in which order, for whom it is hidden, and in how many statements."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.domain.vocabulary import Role, Track
from governance.models import Contributor, Person, RoleGrant, Submission
from reviews.selectors import queue
from reviews.selectors.queue import Counted, Filters, review_queue
from reviews.services.deciding import decide
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


def mine(who: Person) -> list[str]:
    return [row.submission for row in review_queue(making.call(who)).rows]


def test_each_role_sees_its_own_turn_longest_waiting_first() -> None:
    people = making.everybody()
    first, second, yellow = making.in_review(), making.in_review(), making.in_review(Track.YELLOW)
    assert mine(people["amir"]) == [first.number, second.number]
    assert mine(people["pia"]) == [yellow.number]
    assert mine(people["ruth"]) == mine(people["ada"]) == mine(people["dana"]) == []
    decide(
        caller=making.call(people["amir"]), submission_id=first.pk, dossier_digest=first.dossier_digest, decision=making.approve()
    )
    assert mine(people["amir"]) == [second.number]
    assert mine(people["ruth"]) == [first.number]


def test_what_one_may_not_decide_is_not_in_ones_queue() -> None:
    people = making.everybody()
    own, built, signed = making.in_review(), making.in_review(), making.in_review()
    RoleGrant.objects.create(person=own.submitter, role=Role.ANALYST, reason="test")
    assert mine(own.submitter) == []
    Contributor.objects.create(submission=built, person=people["amir"], why="trained it")
    RoleGrant.objects.create(person=people["amir"], role=Role.RISK_OFFICER, reason="test")
    decide(
        caller=making.call(people["amir"]),
        submission_id=signed.pk,
        dossier_digest=signed.dossier_digest,
        decision=making.approve(),
    )
    assert mine(people["amir"]) == [own.number]


def test_a_role_held_in_one_unit_shows_that_unit_only() -> None:
    shop = making.unit("shop")
    lender, seller = making.in_review(), making.in_review(at=shop, submitter=making.person("sue", Role.SUBMITTER, at=shop))
    only_shop = making.person("sam", Role.ANALYST, at=shop)
    assert mine(only_shop) == [seller.number]
    assert {row.submission for row in review_queue(making.call(only_shop), scope="all").rows} == {seller.number}
    auditor = making.person("ada", Role.AUDITOR, everywhere=True)
    assert {row.submission for row in review_queue(making.call(auditor), scope="all").rows} == {seller.number, lender.number}


def test_a_draft_is_its_submitters_turn() -> None:
    row = making.draft()
    other = making.person("dora", Role.SUBMITTER)
    assert mine(row.submitter) == [row.number]
    assert mine(other) == []


def test_pages_of_mine_lose_and_repeat_nothing_and_go_back() -> None:
    people = making.everybody()
    numbers = [making.in_review().number for _ in range(7)]
    # several that came in the same moment: the number decides
    Submission.objects.update(turn_since=Submission.objects.order_by("pk")[3].turn_since)
    caller, seen, cursor, pages = making.call(people["amir"]), [], "", []
    while True:
        page = review_queue(caller, cursor=cursor, size=3)
        pages.append(page)
        seen += [row.submission for row in page.rows]
        cursor = page.next
        if not cursor:
            break
    assert seen == numbers
    back = review_queue(caller, cursor=pages[2].previous, size=3)
    assert [r.submission for r in back.rows] == numbers[3:6]
    assert (pages[0].mine, pages[0].all) == (Counted(7), Counted(7))


def test_three_statements_whatever_the_size() -> None:
    people = making.everybody()
    caller = making.call(people["amir"])
    counts = []
    for _ in range(2):
        for _ in range(3):
            making.in_review()
        for scope in ("mine", "all"):
            with CaptureQueriesContext(connection) as caught:
                review_queue(caller, scope=scope, filters=Filters(track="red"))
            counts.append(len(caught))
    assert counts == [3, 3, 3, 3]


def test_counting_stops_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    people = making.everybody()
    for _ in range(3):
        making.in_review()
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    found = review_queue(making.call(people["amir"])).mine
    assert (found.number, found.capped, found.says) == (3, True, "more than 2")
