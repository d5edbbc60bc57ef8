"""Freeze windows: two people set one, nothing new is released in it, and a third person's word lets a single case pass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from governance.domain.errors import Conflict, Forbidden, InvalidInput, ReauthenticationNeeded, SegregationOfDuties
from governance.domain.vocabulary import Role, Track
from governance.models import AuditEvent, FreezeException, FreezeExceptionRuling, FreezeRuling, FreezeWindow, Person, Submission
from governance.selectors.freezes import freeze_of, in_force, state_of
from governance.selectors.previewing import preview_draft
from governance.services.freezes import NewFreeze, ask_to_pass, propose_freeze, rule_on_exception, rule_on_freeze
from reviews.models import Notification
from reviews.selectors.permits import PermitAnswer, permit_answer
from reviews.services.deciding import decide
from reviews.services.deploying import NewDeployment, report_deployment
from reviews.services.telling_freezes import tell_exception, tell_freeze
from tests.reviews import making
from tests.reviews.test_waiver_pages import client_of, proved

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> dict[str, Person]:
    gwen = making.person("gwen", Role.POLICY_AUTHOR, everywhere=True)
    return {**making.everybody(), "gwen": gwen}


def terms(**more: Any) -> NewFreeze:
    now = timezone.now()
    given: dict[str, Any] = {
        "unit_id": making.unit().pk,
        "title": "end of year",
        "why": "Nobody is on call.",
        "starts_at": now - timedelta(hours=1),
        "ends_at": now + timedelta(days=3),
        "pass_role": "risk_officer",
        "pass_with": "a fix for a live incident",
    }
    return NewFreeze(**{**given, **more})


def frozen(people: dict[str, Person], **more: Any) -> FreezeWindow:
    row = propose_freeze(caller=making.call(people["gwen"]), new=terms(**more))
    rule_on_freeze(
        caller=making.call(people["ruth"]), freeze_id=row.pk, approve=True, why="As every year.", proved_at=timezone.now()
    )
    return FreezeWindow.objects.get(pk=row.pk)


def approved(people: dict[str, Person], version: str = "1.0") -> Submission:
    row = making.in_review(Track.YELLOW, version=version)
    decide(
        caller=making.call(people["pia"]),
        submission_id=row.pk,
        dossier_digest=row.dossier_digest,
        decision=making.approve(),
    )
    return making.fresh(row)


def may(people: dict[str, Person], version: str = "1.0") -> PermitAnswer:
    return permit_answer(making.call(people["dana"]), system="credit-default", version=version)


def passing(people: dict[str, Person], asked: FreezeException, who: str = "ruth", **more: Any) -> FreezeExceptionRuling:
    given: dict[str, Any] = {"approve": True, "why": "It mends the incident.", "proved_at": timezone.now(), **more}
    return rule_on_exception(caller=making.call(people[who]), exception_id=asked.pk, **given)


def test_a_freeze_stops_permits_until_an_exception_of_its_own_role_lets_one_case_pass(people: dict[str, Person]) -> None:
    row, other = approved(people), making.draft(version="2.0")
    assert may(people).allowed
    proposed = propose_freeze(caller=making.call(people["gwen"]), new=terms())
    assert may(people).allowed and state_of(proposed) == "proposed", "one person alone stops nothing"
    freeze = frozen(people)
    answer = may(people)
    assert (answer.allowed, answer.verdict) == (False, "frozen")
    assert "end of year" in answer.reasons[0] and "Nobody is on call." in answer.reasons[0]
    assert "ask for an exception" in answer.reasons[1] and "a fix for a live incident" in answer.reasons[1]
    with pytest.raises(InvalidInput, match="why it cannot wait"):
        ask_to_pass(caller=making.call(people["dana"]), submission_id=row.pk, why="now")
    asked = ask_to_pass(caller=making.call(people["dana"]), submission_id=row.pk, why="It mends incident 12.")
    with pytest.raises(Conflict, match="asked for already"):
        ask_to_pass(caller=making.call(people["dana"]), submission_id=row.pk, why="It mends incident 12.")
    with pytest.raises(Forbidden):
        passing(people, asked, "amir")
    with pytest.raises(ReauthenticationNeeded):
        passing(people, asked, proved_at=timezone.now() - timedelta(days=1))
    assert not may(people).allowed
    passing(people, asked)
    assert may(people).allowed
    assert freeze_of(row) is None and freeze_of(other) == freeze, "it is for this case and no other"
    with pytest.raises(Conflict):
        passing(people, asked, approve=False)
    told = AuditEvent.objects.filter(action__startswith="freeze.").order_by("seq").values_list("action", flat=True)
    assert list(told) == [
        "freeze.proposed",
        "freeze.proposed",
        "freeze.approved",
        "freeze.exception_asked",
        "freeze.exception_approved",
    ]


@pytest.mark.parametrize(
    ("more", "stops"),
    [
        ({}, True),
        ({"unit_id": None}, True),
        ({"kind": "ml_model", "environment": "production"}, True),
        ({"environment": "staging"}, False),
        ({"starts_at": timedelta(hours=1)}, False),
    ],
    ids=str,
)
def test_it_holds_where_and_when_it_says(people: dict[str, Person], more: dict[str, Any], stops: bool) -> None:
    approved(people)
    given = {name: timezone.now() + value if isinstance(value, timedelta) else value for name, value in more.items()}
    frozen(people, **given)
    assert may(people).allowed is not stops
    elsewhere = in_force(unit_id=making.unit().pk, kind="application", environment="production")
    assert elsewhere.exists() is (stops and "kind" not in more)
    assert permit_answer(making.call(people["dana"]), system="credit-default", version="nowhere").verdict == "unknown"


def test_what_serves_goes_on_and_the_way_back_stays_open(people: dict[str, Person]) -> None:
    first = approved(people)
    unit = first.unit_id
    pia = making.call(people["pia"])
    report_deployment(caller=pia, unit_id=unit, new=NewDeployment(system="credit-default", version="1.0", target="a"))
    second = approved(people, "2.0")
    frozen(people)
    assert may(people).allowed, "it serves already"
    assert may(people, "2.0").verdict == "frozen"
    with pytest.raises(Conflict, match="Not deployed: A freeze holds until"):
        report_deployment(caller=pia, unit_id=unit, new=NewDeployment(system="credit-default", version="2.0", target="a"))
    assert making.fresh(second).state == "approved" and making.fresh(first).state == "superseded"


def test_two_people_and_the_right_ones(people: dict[str, Person]) -> None:
    gwen, ruth = making.call(people["gwen"]), making.call(people["ruth"])
    with pytest.raises(Forbidden):
        propose_freeze(caller=making.call(people["dana"]), new=terms())
    row = propose_freeze(caller=gwen, new=terms())
    signed = {"freeze_id": row.pk, "approve": True, "why": "As every year.", "proved_at": timezone.now()}
    with pytest.raises(SegregationOfDuties):
        rule_on_freeze(caller=gwen, **signed)
    with pytest.raises(Forbidden):
        rule_on_freeze(caller=making.call(people["dana"]), **signed)
    with pytest.raises(ReauthenticationNeeded):
        rule_on_freeze(caller=ruth, **{**signed, "proved_at": None})
    for by, words in (("gwen", "somebody else rules"), ("dana", "Only a policy author")):
        with pytest.raises(DatabaseError, match=words), transaction.atomic():
            FreezeRuling.objects.create(freeze=row, approve=True, why="Mine.", by=people[by], reauthenticated_at=timezone.now())
    rule_on_freeze(caller=ruth, **signed)
    with pytest.raises(Conflict):
        rule_on_freeze(caller=ruth, **signed)
    with pytest.raises(DatabaseError), transaction.atomic():
        FreezeWindow.objects.filter(pk=row.pk).update(ends_at=timezone.now() + timedelta(days=300))
    submission = approved(people)
    asked = ask_to_pass(caller=making.call(people["dana"]), submission_id=submission.pk, why="It mends incident 12.")
    for by, words in (("dana", "somebody else rules"), ("gwen", "role the freeze names")):
        with pytest.raises(DatabaseError, match=words), transaction.atomic():
            FreezeExceptionRuling.objects.create(
                exception=asked, approve=True, why="Mine.", by=people[by], reauthenticated_at=timezone.now()
            )


def test_those_concerned_are_told_once(people: dict[str, Person]) -> None:
    freeze = frozen(people)
    submission = approved(people)
    asked = ask_to_pass(caller=making.call(people["dana"]), submission_id=submission.pk, why="It mends incident 12.")
    proposed = propose_freeze(caller=making.call(people["gwen"]), new=terms(title="quarter end"))
    for _ in range(2):
        tell_freeze(proposed.pk)
        tell_freeze(freeze.pk)
        tell_exception(asked.pk)
    passing(people, asked)
    tell_exception(asked.pk)
    told = Notification.objects.filter(path__startswith="/freezes/").order_by("id").values_list("person__username", "title")
    by: dict[str, list[str]] = {}
    for who, title in told:
        by.setdefault(who, []).append(title)
    ends = f"{freeze.ends_at:%d %B %Y, %H:%M} UTC"
    assert by["ruth"] == [
        f"{proposed.number} “quarter end” waits for a second person",
        f"May credit-default 1.0 pass {freeze.number}?",
    ]
    assert by["dana"][0].endswith(ends) and by["dana"][1:] == [f"credit-default 1.0 may pass {freeze.number}"]
    assert [title.endswith(ends) for title in by["gwen"]] == [True] and set(by) == {"ruth", "dana", "gwen", "pia"}


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"why": " "}, "/why"),
        ({"pass_with": ""}, "/pass_with"),
        ({"ends_at": None}, "/ends_at"),
        ({"ends_at": timedelta(hours=-2)}, "/ends_at"),
        ({"ends_at": timedelta(days=70)}, "/ends_at"),
        ({"pass_role": "submitter"}, "/pass_role"),
        ({"kind": "toaster"}, "/kind"),
    ],
    ids=str,
)
def test_terms_that_say_too_little_are_refused(people: dict[str, Person], more: dict[str, Any], pointer: str) -> None:
    given = {name: timezone.now() + value if isinstance(value, timedelta) else value for name, value in more.items()}
    with pytest.raises(InvalidInput) as refused:
        propose_freeze(caller=making.call(people["gwen"]), new=terms(**given))
    assert pointer in {each.pointer for each in refused.value.errors}


def test_drafts_cases_and_pages_say_so_and_what_to_do(people: dict[str, Person]) -> None:
    row, draft = approved(people), making.draft(version="3.0")
    gwen, ruth, dana = client_of(people["gwen"]), proved(people["ruth"]), client_of(people["dana"])
    assert "Nothing new is released now" not in page(dana, f"/submissions/{row.number}")
    now = timezone.now()
    given = {
        "title": "end of year",
        "why": "Nobody is on call.",
        "unit": str(making.unit().pk),
        "kind": "every",
        "starts_at": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "ends_at": f"{now + timedelta(days=2):%Y-%m-%dT%H:%M}",
        "pass_role": "risk_officer",
        "pass_with": "a fix for a live incident",
    }
    assert gwen.post("/freezes/new", {**given, "ends_at": "soon"}).status_code == 422
    where = gwen.post("/freezes/new", given).url
    assert "You proposed this freeze" in page(gwen, where)
    assert ruth.post(where, {"do": "approve", "why": ""}).status_code == 422
    assert ruth.post(where, {"do": "approve", "why": "As every year."}).status_code == 302
    said = page(dana, f"/submissions/{row.number}")
    assert "Nothing new is released now" in said and f"/submissions/{row.number}/freeze" in said
    assert any(item.code == "FREEZE" and item.blocks_at == "release" for item in preview_draft(draft).advice)
    assert dana.post(f"/submissions/{row.number}/freeze", {"why": "It mends incident 12."}).url == where
    asked = FreezeException.objects.get()
    assert "You asked for it or worked on" in page(dana, where) or "Only the risk officer" in page(dana, where)
    given = {"do": "approve", "exception": str(asked.pk), f"why-{asked.pk}": "It mends the incident."}
    assert ruth.post(where, given).status_code == 302
    assert "It may pass: It mends the incident." in page(dana, where)
    assert "Nothing new is released now" not in page(dana, f"/submissions/{row.number}")
    assert "in force" in page(dana, "/freezes")


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())
