"""The queue: whose turn, in which order, for whom it is hidden, and in how many statements."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.errors import Forbidden, InvalidInput, SegregationOfDuties
from governance.domain.vocabulary import Role, Track
from governance.models import AuditEvent, Contributor, Person, RoleGrant, Submission
from reviews.models import DeclaredConflict, HandOver, Notification
from reviews.selectors import queue
from reviews.selectors.queue import Counted, Filters, review_queue
from reviews.selectors.queue_groups import by_system, by_unit
from reviews.services.claiming import claim, claim_several, hand_over
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


def test_four_statements_whatever_the_size() -> None:
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
    assert counts == [7, 4, 7, 4]  # one's own are looked for in a transaction of three: begin, how, end


def test_counting_stops_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    people = making.everybody()
    for _ in range(3):
        making.in_review()
    monkeypatch.setattr(queue, "MOST_MINE", 2)
    found = review_queue(making.call(people["amir"])).mine
    assert (found.number, found.capped, found.says) == (3, True, "more than 2")


def signed_in(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def aged(row: Submission, *, due: timedelta, soon: timedelta) -> Submission:
    now = timezone.now()
    Submission.objects.filter(pk=row.pk).update(due_at=now + due, soon_at=now + soon)
    return row


HOUR = timedelta(hours=1)


def test_each_row_says_why_it_is_mine_and_counts_follow_the_due_time() -> None:
    people = making.everybody()
    late, soon, fine = making.in_review(), making.in_review(), making.in_review()
    aged(late, due=-HOUR, soon=-2 * HOUR), aged(soon, due=HOUR, soon=-HOUR), aged(fine, due=9 * HOUR, soon=8 * HOUR)
    claim(caller=making.call(people["amir"]), submission_id=soon.pk)
    found = review_queue(making.call(people["amir"]))
    assert (found.mine.number, found.mine.soon, found.mine.overdue) == (3, 1, 1)
    assert [(row.age, row.why) for row in found.rows] == [
        ("overdue", "You are ML Governance Analyst for Lending."),
        ("soon", "You took it on."),
        ("in_time", "You are ML Governance Analyst for Lending."),
    ]
    for age, row in (("overdue", late), ("soon", soon), ("in_time", fine)):
        narrowed = review_queue(making.call(people["amir"]), filters=Filters(age=age)).rows
        assert [each.submission for each in narrowed] == [row.number]


def test_filters_and_search_live_in_the_address_and_what_cannot_be_is_said() -> None:
    people = making.everybody()
    shop = making.unit("shop")
    mine, other = making.in_review(), making.in_review(at=shop, submitter=making.person("sue", Role.SUBMITTER, at=shop))
    claim(caller=making.call(people["amir"]), submission_id=mine.pk)
    amir = signed_in(people["amir"])
    every = {"": {mine, other}, "unit=shop": {other}, "claimed=me": {mine}, "claimed=nobody": {other}, "submitter=sue": {other}}
    every |= {"claimed=amir&track=red": {mine}, f"q={mine.number}": {mine}, "track=green": set(), "turn=analyst": {mine, other}}
    for query, expected in every.items():
        page = amir.get(f"/queue?scope=all&{query}").content.decode()
        assert {row for row in (mine, other) if f"/submissions/{row.number}" in page} == expected, query
    shown = unescape(amir.get("/queue?scope=all&unit=shop&claimed=nobody&track=red").content.decode())
    for chosen in ('value="shop" selected', 'value="nobody" selected', 'value="red" selected'):
        assert chosen in shown
    assert "A filter was left out" in amir.get("/queue?claimed=%00x&age=old").content.decode()


def test_by_system_and_by_unit_count_what_waits() -> None:
    people = making.everybody()
    shop = making.unit("shop")
    aged(making.in_review(), due=-HOUR, soon=-2 * HOUR)
    aged(making.in_review(), due=HOUR, soon=-HOUR)
    making.in_review(at=shop, submitter=making.person("sue", Role.SUBMITTER, at=shop), system="basket")
    systems, _, _ = by_system(making.call(people["amir"]))
    assert [(g.slug, g.waiting, g.soon, g.overdue) for g in systems] == [("basket", 1, 0, 0), ("credit-default", 2, 1, 1)]
    first, following, _ = by_system(making.call(people["amir"]), size=1)
    second, _, before = by_system(making.call(people["amir"]), size=1, cursor=following)
    assert [g.slug for g in (*first, *second)] == ["basket", "credit-default"]
    assert by_system(making.call(people["amir"]), size=1, cursor=before)[0] == first
    only_shop = making.call(making.person("sam", Role.ANALYST, at=shop))
    with CaptureQueriesContext(connection) as caught:
        units, _, _ = by_unit(only_shop)
    assert [(g.slug, g.waiting) for g in units] == [("shop", 1)]
    assert len(caught) == 1


def test_the_page_asks_the_database_as_often_for_twelve_rows_as_for_two() -> None:
    people = making.everybody()
    amir, counts = signed_in(people["amir"]), {}
    for rows in (2, 12):
        while Submission.objects.count() < rows:
            claim(caller=making.call(people["amir"]), submission_id=making.in_review().pk)
        for path in ("/queue", "/queue?scope=all&track=red", "/queue?scope=systems"):
            with CaptureQueriesContext(connection) as caught:
                assert amir.get(path).status_code == 200
            counts.setdefault(path, []).append(len(caught))
    assert all(few == many for few, many in counts.values()), counts


def test_several_are_claimed_each_for_itself() -> None:
    people = making.everybody()
    zoe = making.person("zoe", Role.ANALYST)
    free, taken, own = making.in_review(), making.in_review(), making.in_review()
    claim(caller=making.call(zoe), submission_id=taken.pk)
    Contributor.objects.create(submission=own, person=people["amir"], why="trained it")
    done = claim_several(caller=making.call(people["amir"]), submission_ids=[free.pk, taken.pk, own.pk, free.pk, 10**9])
    assert [(row.number, bool(row.refused)) for row in done] == [
        (free.number, False), (taken.number, True), (own.number, True), (f"S-{10**9}", True),
    ]  # fmt: skip
    assert making.fresh(free).claimed_by == people["amir"] and making.fresh(taken).claimed_by == zoe
    page = signed_in(zoe).post("/queue/claim", {"pick": [str(own.pk), "x"], "back": "/queue?track=red"})
    assert page.status_code == 302 and page["Location"] == "/queue?track=red"
    assert making.fresh(own).claimed_by == zoe
    assert signed_in(zoe).post("/queue/claim", {"back": "//evil.example"})["Location"] == "/queue"


class TestHandingOver:
    def test_the_receiver_gets_the_claim_the_note_and_a_message(self) -> None:
        people, row = making.everybody(), making.in_review()
        zoe = making.person("zoe", Role.ANALYST)
        claim(caller=making.call(people["amir"]), submission_id=row.pk)
        note = "Fairness is read; the cost is not."
        amir = signed_in(people["amir"])
        form = unescape(amir.get(f"/submissions/{row.number}/hand-over").content.decode())
        assert "Zoe</option>" in form and "Dana</option>" not in form and "Amir</option>" not in form
        assert amir.post(f"/submissions/{row.number}/hand-over", {"to": zoe.pk, "note": note}).status_code == 302
        assert making.fresh(row).claimed_by == zoe
        told = Notification.objects.get(person=zoe, key__contains="handed")
        assert note in told.says and told.why == "Amir handed it over to you."
        event = AuditEvent.objects.get(action="review.handed_over", object=f"submission:{row.pk}")
        assert zoe.reference in event.payload and note not in event.payload
        (line,) = review_queue(making.call(zoe)).rows
        assert (line.why, line.note) == ("It was handed over to you.", note)

    def test_nobody_receives_what_they_may_not_decide(self) -> None:
        people, row = making.everybody(), making.in_review()
        built, torn = making.person("zoe", Role.ANALYST), making.person("tom", Role.ANALYST)
        Contributor.objects.create(submission=row, person=built, why="trained it")
        DeclaredConflict.objects.create(submission=row, by=torn, why="My sister built it.")
        for receiver in (built, torn, people["ruth"], people["dana"]):
            with pytest.raises(InvalidInput, match="may not decide it"):
                hand_over(caller=making.call(people["amir"]), submission_id=row.pk, to=receiver.pk, note="Please go on with it.")
        stranger = making.person("gus", Role.ANALYST, at=making.unit("shop"))
        with pytest.raises(InvalidInput, match=r"^Choose somebody\.$"):  # not even the name of who cannot see the case
            hand_over(caller=making.call(people["amir"]), submission_id=row.pk, to=stranger.pk, note="Please go on with it.")
        assert not HandOver.objects.exists() and making.fresh(row).claimed_by is None
        page = signed_in(people["amir"]).post(f"/submissions/{row.number}/hand-over", {"to": built.pk, "note": "Please go on."})
        assert page.status_code == 422 and "You trained it" in unescape(page.content.decode())

    def test_only_the_holder_their_manager_or_who_could_decide_hands_over(self) -> None:
        people, row = making.everybody(), making.in_review()
        lead, zoe = making.person("lena", Role.SUBMITTER), making.person("zoe", Role.ANALYST)
        claim(caller=making.call(people["amir"]), submission_id=row.pk)
        note = "She knows this model."
        with pytest.raises(Forbidden):
            hand_over(caller=making.call(lead), submission_id=row.pk, to=zoe.pk, note=note)
        with pytest.raises((Forbidden, SegregationOfDuties)):
            hand_over(caller=making.call(row.submitter), submission_id=row.pk, to=zoe.pk, note=note)
        Person.objects.filter(pk=people["amir"].pk).update(manager=lead)
        assert hand_over(caller=making.call(lead), submission_id=row.pk, to=zoe.pk, note=note).held_by == people["amir"]
        with pytest.raises(InvalidInput, match="note says too little"):
            hand_over(caller=making.call(zoe), submission_id=row.pk, to=people["amir"].pk, note="x")
