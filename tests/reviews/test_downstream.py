"""Teams downstream: named, told of approval, release and rollback, and asked to take note; and how much findings weigh."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from governance.domain.vocabulary import Role, Scope, Track
from governance.models import AuditEvent, Person, Submission
from governance.selectors.access import SYSTEM
from governance.services.tokens import issue_token
from reviews.models import ChangeNote, DownstreamTeam, Finding, Notification
from reviews.selectors.risk import score, system_risk
from reviews.services.deciding import decide
from reviews.services.incidents import NewIncident, open_incident
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> dict[str, Person]:
    return making.everybody() | {"cora": making.person("cora", Role.PRODUCT)}


def browser(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def api(people: dict[str, Person], path: str, body: dict[str, Any] | None, scope: Scope) -> Any:
    token = issue_token(caller=SYSTEM, person=people["dana"], unit=making.unit(), name="t", scopes=[scope])[1]
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    if body is None:
        return Client().get(f"/api/v1/{path}", **headers)
    return Client().post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", **headers)


def approve(people: dict[str, Person], row: Submission) -> None:
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())


def test_a_team_is_told_of_approval_release_and_rollback_and_takes_note(people: dict[str, Person]) -> None:
    first = making.in_review(Track.YELLOW, version="1.0")
    form = {"name": "Collections", "uses": "Orders its queue by the score.", "contact": people["cora"].pk}
    page = f"/systems/{first.system_id}/downstream"
    assert browser(people["amir"]).post(page, form).status_code == 403
    assert browser(people["pia"]).post(page, {**form, "contact": "", "uses": "x"}).status_code == 422
    assert browser(people["pia"]).post(page, form).status_code == 302
    approve(people, first)
    assert api(people, "deployments", {"system": "credit-default", "version": "1.0"}, Scope.DEPLOY).status_code == 201
    approve(people, making.in_review(Track.YELLOW, version="2.0"))
    live = api(people, "deployments", {"system": "credit-default", "version": "2.0"}, Scope.DEPLOY).json()["id"]
    back = {"reason": "It answers far too slowly."}
    assert api(people, f"deployments/{live}/rollback", back, Scope.DEPLOY).status_code == 200
    notes = list(ChangeNote.objects.values_list("what", "submission__version__version"))
    assert notes == [("approved", "1.0"), ("deployed", "1.0"), ("approved", "2.0"), ("deployed", "2.0"), ("rolled_back", "2.0")]
    told = Notification.objects.filter(kind="change_note", person=people["cora"])
    assert told.count() == 5 and "auc changes by +6.0%" in told.first().says  # type: ignore[union-attr]
    last = ChangeNote.objects.get(what="rolled_back")
    assert "1.0 takes its place. It answers far too slowly." in last.says
    system = f"/systems/{first.system_id}"
    assert browser(people["dana"]).get(system).content.decode().count("Not taken note of") == 5
    note = f"/change-notes/{last.pk}"
    assert browser(people["pia"]).post(note).status_code == 403, "only the team's contact takes note"
    assert browser(people["cora"]).post(note, {"comment": "We sort by hand today."}).status_code == 302
    assert browser(people["cora"]).post(note).status_code == 409
    assert browser(people["dana"]).get(system).content.decode().count("Not taken note of") == 4
    assert AuditEvent.objects.filter(action="downstream.acknowledged").count() == 1
    team = DownstreamTeam.objects.get()
    assert browser(people["pia"]).post(f"/downstream/{team.pk}/remove").status_code == 302
    approve(people, making.in_review(Track.YELLOW, version="3.0"))
    assert ChangeNote.objects.count() == 5, "told no more"
    gus = browser(making.person("gus", at=making.unit("shop")))
    assert [gus.get(path).status_code for path in (page, note, system)] == [404, 404, 404]


@pytest.mark.parametrize(
    ("given", "value", "level"),
    [
        (("low", "green", False, False), 1.0, "low"),
        (("medium", "yellow", True, True), 10.12, "low"),
        (("high", "yellow", False, False), 13.5, "medium"),
        (("high", "red", True, True), 40.5, "high"),
        (("critical", "", False, False), 54.0, "high"),
    ],
)
def test_how_much_a_finding_weighs(given: tuple[str, str, bool, bool], value: float, level: str) -> None:
    severity, track, live, overdue = given
    found = score(severity, track, live=live, overdue=overdue)
    assert (found.score, found.level) == (value, level) and found.because
    assert score(severity, track, live=live, overdue=overdue, is_open=False).score == 0


def test_findings_are_read_with_severity_score_owner_and_due_date(people: dict[str, Person]) -> None:
    row = making.in_review(Track.YELLOW, version="1.0")
    Finding.objects.create(
        submission=row, revision=1, about="GP101", severity="high", says="too low", owner=people["dana"], due_on="2026-01-01"
    )
    Finding.objects.create(submission=row, revision=1, about="GP102", severity="low", says="slow", raised_by=people["pia"])
    result = api(people, "findings?owner=dana", None, Scope.READ).json()["results"]
    assert [(r["severity"], r["owner"], r["due_on"], r["overdue"]) for r in result] == [("high", "Dana", "2026-01-01", True)]
    assert result[0]["risk"] == {"score": 20.25, "level": "medium", "because": ["high severity", "yellow track", "overdue"]}
    assert len(api(people, "findings", None, Scope.READ).json()["results"]) == 2
    assert api(people, "findings?severity=dire", None, Scope.READ).status_code == 422
    assert api(people, "findings", None, Scope.SUBMIT).status_code == 403
    before = system_risk(making.call(people["pia"]), row.system_id).score
    new = NewIncident("other", "high", "It stopped answering", "It stopped answering at noon for everybody.")
    open_incident(caller=making.call(people["pia"]), submission_id=row.pk, new=new)
    after = system_risk(making.call(people["pia"]), row.system_id)
    assert after.score == before + 27 and after.because == ("2 open findings", "1 open incident")
