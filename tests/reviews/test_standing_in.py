"""Whoever stands in for somebody hears of it, and of each case that comes to them because of it; and finds only what they may
decide in their queue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from governance.domain.vocabulary import Role
from governance.models import AuditEvent, ColumnMark, Contributor, Person, RoleGrant, Submission
from governance.selectors.access import caller_for
from reviews.models import Notification, ReviewStep
from reviews.selectors.case import who_may_decide
from reviews.selectors.queue import review_queue
from reviews.services.deciding import decide
from reviews.services.interests import declare_conflict
from reviews.services.standing_in import hand_on
from reviews.services.telling import able_to_decide
from tests.governance.ui.test_administration_pages import signed_in
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


def stand_in(who: Person, for_: Person) -> RoleGrant:
    grant = RoleGrant.objects.get(person=for_, delegated_by=None, role=Role.ANALYST)
    until = timezone.now() + timedelta(days=7)
    return hand_on(caller=making.call(for_), grant_id=grant.pk, to=who, until=until, reason="on leave", proved_at=timezone.now())


def queue_of(who: Person) -> list[int]:
    return [row.id for row in review_queue(caller_for(who)).rows]


def test_the_delegate_is_told_at_once_with_what_waits_and_of_each_case_that_comes() -> None:
    amir, noor = making.person("amir", Role.ANALYST), making.person("noor")
    waiting = making.in_review()
    assert queue_of(noor) == []
    stand_in(noor, amir)
    told = Notification.objects.get(person=noor)
    assert (told.kind, told.title) == ("your_turn", "You stand in for Amir as ML Governance Analyst")
    assert told.mail == Notification.DUE and told.path == "/queue" and told.why == "Amir chose you."
    assert "Cases that wait for it now: 1" in told.says and "(on leave)" in told.says
    assert review_queue(caller_for(noor)).rows[0].why == "You stand in as ML Governance Analyst for Lending."
    assert not Notification.objects.filter(person=amir, title__startswith="You stand in").exists()
    event = AuditEvent.objects.get(action="role.delegated")
    assert "on leave" not in event.payload
    later = making.in_review(version="9.0.0")
    message = Notification.objects.get(person=noor, submission=later)
    assert message.why == "You stand in for Amir as ML Governance Analyst for Lending."
    assert message.mail == Notification.DUE
    assert queue_of(noor) == [waiting.pk, later.pk]


def test_what_bars_the_giver_is_neither_offered_nor_told_unless_the_role_is_held_in_ones_own_right() -> None:
    people, row = making.everybody(), making.in_review()
    amir, noor, both = people["amir"], making.person("noor"), making.person("both", Role.ANALYST, everywhere=True)
    stand_in(noor, amir)
    other = making.in_review(version="9.0.0")
    RoleGrant.objects.create(
        person=both, role=Role.ANALYST, unit=both.unit, reason="t", granted_by=amir, delegated_by=amir,
        valid_until=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    declare_conflict(caller=making.call(amir), submission_id=row.pk, why="I advised the team on it.")
    Contributor.objects.create(submission=other, person=amir, why="trained it")
    for case in (row, other):
        assert who_may_decide(case, caller_for(noor)) is not None
        assert who_may_decide(case, caller_for(both)) is None
        able = able_to_decide(case, Role.ANALYST)
        assert noor.pk not in able and able[both.pk].startswith("You are")
    assert queue_of(noor) == [] and queue_of(both) == [row.pk, other.pk]
    next_one = making.in_review(version="10.0.0")
    assert queue_of(noor) == [next_one.pk]


@pytest.mark.parametrize(("line", "offered"), [("same", False), ("other", True), ("unknown", True)])
def test_a_step_outside_of_the_team_is_offered_to_nobody_of_it(monkeypatch: pytest.MonkeyPatch, line: str, offered: bool) -> None:
    red = making.PACK["tracks"]["red"]  # type: ignore[index]
    steps = [{**step, "outside_team": True} for step in red["steps"]]
    monkeypatch.setitem(making.PACK, "tracks", {**making.PACK["tracks"], "red": {**red, "steps": steps}})  # type: ignore[dict-item]
    people, row = making.everybody(), making.in_review()
    boss = making.person("boss")
    if line != "unknown":
        Person.objects.filter(pk=row.submitter_id).update(manager=boss)
    Person.objects.filter(pk=people["amir"].pk).update(manager=boss if line == "same" else people["ada"])
    row = Submission.objects.get(pk=row.pk)
    assert (queue_of(people["amir"]) == [row.pk]) is offered
    assert (people["amir"].pk in able_to_decide(row, Role.ANALYST)) is offered, "who is told and who is shown are the same"
    assert review_queue(caller_for(people["amir"])).mine.number == offered
    # a second step, open beside it and not bound to the team, is theirs
    step = ReviewStep.objects.filter(submission=row, state="open").get()
    step.pk, step.outside_team, step.order = None, False, 90
    step.save()
    assert queue_of(people["amir"]) == [row.pk]


def test_who_judged_the_columns_is_not_offered_the_risk() -> None:
    people, row = making.everybody(), making.in_review()
    both = making.person("both", Role.RISK_OFFICER, Role.PRIVACY)
    decide(caller=making.call(people["amir"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    assert queue_of(both) == [row.pk]
    ColumnMark.objects.create(
        system=row.system, submission=row, column="email", kind="e-mail", mark="expected", reason="Contract.", by=both
    )
    assert queue_of(both) == []


def test_the_page_hands_on_and_tells() -> None:
    amir, noor = making.person("amir", Role.ANALYST), making.person("noor")
    client = signed_in(amir)
    grant = RoleGrant.objects.get(person=amir)
    until = (timezone.now() + timedelta(days=3)).date().isoformat()
    answer = client.post("/stand-ins", {"grant": grant.pk, "to": noor.pk, "until": until, "reason": "On leave."})
    assert answer.status_code == 302 and Notification.objects.filter(person=noor, kind="your_turn").count() == 1
    assert "stands in for you until" in client.get("/stand-ins").content.decode()
