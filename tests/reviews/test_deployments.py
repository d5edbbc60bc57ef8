"""Deployments: refused without a permit, listed when they run without one, rolled back with everybody told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from governance.domain.vocabulary import Scope, Track
from governance.models import AuditEvent, Person, Submission
from governance.selectors.access import SYSTEM
from governance.services.tokens import issue_token
from reviews.models import Deployment, Finding, Notification
from reviews.selectors.deployments import deployments
from reviews.services.deciding import decide
from reviews.services.deploying import reconcile
from reviews.services.permits import revoke
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> dict[str, Person]:
    return making.everybody()


def approved(people: dict[str, Person], version: str) -> Submission:
    row = making.in_review(Track.YELLOW, version=version)
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    return making.fresh(row)


def call(people: dict[str, Person], path: str, body: dict[str, Any], *scopes: Scope) -> Any:
    token = issue_token(caller=SYSTEM, person=people["dana"], unit=making.unit(), name="t", scopes=scopes or (Scope.DEPLOY,))[1]
    return Client().post(
        f"/api/v1/{path}", json.dumps(body), content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {token}"
    )


def deploy(people: dict[str, Person], version: str, **more: Any) -> Any:
    return call(people, "deployments", {"system": "credit-default", "version": version, **more})


def test_a_permitted_version_goes_live_once_and_takes_the_place_of_the_one_before(people: dict[str, Person]) -> None:
    approved(people, "1.0")
    first = deploy(people, "1.0", target="eu-1")
    assert (first.status_code, first.json()["state"], first.json()["allowed"]) == (201, "live", True)
    assert deploy(people, "1.0", target="eu-1").status_code == 200, "reported again it is the same"
    assert Deployment.objects.count() == 1
    approved(people, "2.0")
    assert deploy(people, "2.0", target="eu-1").status_code == 201
    assert Deployment.objects.get(pk=first.json()["id"]).state == "replaced"
    assert AuditEvent.objects.filter(action="deployment.reported").count() == 2


@pytest.mark.parametrize("version", ["1.0", "9.9"])
def test_without_a_permit_it_is_refused_and_the_attempt_is_on_record(people: dict[str, Person], version: str) -> None:
    making.in_review(Track.YELLOW, version="1.0")
    answer = deploy(people, version)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_permit")
    assert not Deployment.objects.exists()
    assert AuditEvent.objects.filter(action="deployment.refused").count() == 1


def test_scope_and_body_are_checked(people: dict[str, Person]) -> None:
    body = {"system": "credit-default", "version": "1.0"}
    assert call(people, "deployments", body, Scope.PERMIT, Scope.READ).status_code == 403
    assert call(people, "deployments", {"system": "x"}).status_code == 422
    assert call(people, "deployments", {**body, "digest": "sha256:" + "a" * 64}).status_code == 422
    assert call(people, "deployments", {**body, "permit": "mine"}).status_code == 422
    assert call(people, "deployments/77/rollback", {"reason": "It answers far too slowly."}).status_code == 404


def test_the_nightly_look_lists_what_runs_without_a_valid_permit(people: dict[str, Person]) -> None:
    row = approved(people, "1.0")
    deploy(people, "1.0")
    assert reconcile() == 0
    revoke(caller=making.call(people["pia"]), submission_id=row.pk, reason="Complaints came in.")
    Notification.objects.all().delete()
    assert reconcile() == 1
    assert reconcile() == 1, "it still runs"
    kept = Deployment.objects.get()
    assert kept.unpermitted_since is not None
    finding = Finding.objects.get(about="deployment")
    assert (finding.severity, finding.submission) == ("critical", row)
    told = list(Notification.objects.filter(kind="unpermitted").values_list("person__username", flat=True))
    assert sorted(told) == ["dana", "pia", "ruth"], "said once"
    line = deployments(making.call(people["ada"]), only="unpermitted")[0][0]
    assert (line.version, line.owner, line.first_seen) == ("1.0", "Dana", kept.unpermitted_since)


def test_what_serves_and_nobody_knows_is_listed_too(people: dict[str, Person]) -> None:
    answer = call(people, "deployments", {"system": "shadow-model", "version": "0.1", "observed": True})
    assert (answer.status_code, answer.json()["allowed"], answer.json()["permit"]) == (201, False, None)
    assert reconcile() == 1
    assert Notification.objects.filter(kind="unpermitted", person=people["pia"]).count() == 1
    assert [row.system for row in deployments(making.call(people["ada"]), only="unpermitted")[0]] == ["shadow-model"]


def test_what_is_covered_again_loses_its_mark_and_its_finding_closes(people: dict[str, Person]) -> None:
    row = making.in_review(Track.YELLOW, version="1.0")
    deploy(people, "1.0", observed=True)
    assert reconcile() == 1
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    assert reconcile() == 0
    assert Deployment.objects.get().unpermitted_since is None
    assert Finding.objects.get(about="deployment").state == "closed"


def test_a_rollback_returns_to_the_version_before_and_tells_who_answers_for_it(people: dict[str, Person]) -> None:
    approved(people, "1.0")
    deploy(people, "1.0")
    approved(people, "2.0")
    live = deploy(people, "2.0").json()["id"]
    Notification.objects.all().delete()
    answer = call(people, f"deployments/{live}/rollback", {"reason": "Latency doubled for mobile customers."})
    assert (answer.status_code, answer.json()["version"]) == (200, "1.0")
    before, now = Deployment.objects.get(pk=live), Deployment.objects.get(pk=answer.json()["live"])
    assert (before.state, before.rolled_back_to, now.state) == ("rolled_back", now, "live")
    assert set(Notification.objects.filter(kind="rolled_back").values_list("person__username", flat=True)) == {"pia"}
    again = call(people, f"deployments/{live}/rollback", {"reason": "Latency doubled for mobile customers."})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


def test_nothing_is_rolled_back_to_what_no_permit_covers(people: dict[str, Person]) -> None:
    first = approved(people, "1.0")
    live = deploy(people, "1.0").json()["id"]
    no_way = call(people, f"deployments/{live}/rollback", {"reason": "Latency doubled for mobile customers."})
    assert (no_way.status_code, no_way.json()["code"]) == (409, "no_rollback_target")
    approved(people, "2.0")
    live = deploy(people, "2.0").json()["id"]
    from reviews.models import Permit  # noqa: PLC0415

    Permit.objects.filter(submission=first).update(revoked_at=first.created_at, revoked_why="it was wrong")
    refused = call(people, f"deployments/{live}/rollback", {"reason": "Latency doubled for mobile customers."})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_permit")


def test_another_unit_sees_no_deployment(people: dict[str, Person]) -> None:
    approved(people, "1.0")
    live = deploy(people, "1.0").json()["id"]
    gus = making.person("gus", making.Role.SUBMITTER, at=making.unit("shop"))
    token = issue_token(caller=SYSTEM, person=gus, unit=making.unit("shop"), name="t", scopes=[Scope.DEPLOY, Scope.READ])[1]
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    assert Client().get("/api/v1/deployments", **headers).json()["results"] == []
    body = json.dumps({"reason": "Because I can, it seems."})
    assert Client().post(f"/api/v1/deployments/{live}/rollback", body, "application/json", **headers).status_code == 404
    body = json.dumps({"system": "credit-default", "version": "1.0"})
    assert Client().post("/api/v1/deployments", body, "application/json", **headers).json()["code"] == "no_permit"
