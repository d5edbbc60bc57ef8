"""The admission webhook, with AdmissionReview documents as a cluster sends them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.domain.vocabulary import Scope, Track
from governance.models import AuditEvent, Submission
from governance.selectors.access import SYSTEM
from governance.services.tokens import issue_token
from reviews.api.kubernetes import shortened
from reviews.services.deciding import decide
from reviews.services.permits import revoke
from tests.governance.policy.test_exposure import PLAN
from tests.reviews import making
from tests.stack import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
CONTAINERS = [{"name": "serve", "image": "registry.example.org/scoring@sha256:" + "a" * 64}]


def pod(**annotations: str) -> dict[str, Any]:
    named = {f"guiderail.io/{key}": value for key, value in annotations.items()}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "scoring-0", "namespace": "scoring", "annotations": named},
        "spec": {"containers": copy.deepcopy(CONTAINERS)},
    }


def deployment(**annotations: str) -> dict[str, Any]:
    template = pod(**annotations)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "scoring", "namespace": "scoring"},
        "spec": {"replicas": 2, "template": {"metadata": template["metadata"], "spec": template["spec"]}},
    }


def cron_job(**annotations: str) -> dict[str, Any]:
    inner = deployment(**annotations)["spec"]["template"]
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": inner}}},
    }


def review(thing: Any, operation: str = "CREATE", old: Any = None) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": operation,
            "userInfo": {"username": "system:serviceaccount:ci:deployer", "groups": ["system:authenticated"]},
            "namespace": "scoring",
            "object": thing,
            "oldObject": old,
            "dryRun": False,
        },
    }


class Cluster:
    """The API server behind its ingress, which adds the token."""

    def __init__(self, *scopes: Scope) -> None:
        who = making.person("deployer")
        _, self.secret = issue_token(caller=SYSTEM, person=who, unit=making.unit(), name="cluster", scopes=scopes)

    def ask(self, body: Any, path: str = "/kubernetes/validate") -> Any:
        headers = {"Authorization": f"Bearer {self.secret}"}
        return Client().post(path, json.dumps(body), content_type="application/json", headers=headers)

    def __call__(self, body: Any, path: str = "/kubernetes/validate") -> dict[str, Any]:
        answer = self.ask(body, path)
        assert answer.status_code == 200, answer.content
        document = answer.json()
        assert (document["apiVersion"], document["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        assert document["response"]["uid"] == body["request"]["uid"]
        return dict(document["response"])


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(Scope.PERMIT)


@pytest.fixture
def approved() -> Submission:
    people, row = making.everybody(), making.in_review(Track.YELLOW)
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    return row


def by_version(row: Submission) -> dict[str, str]:
    return {"system": row.version.system.slug, "version": row.version.version}


@pytest.mark.parametrize("make", [pod, deployment, cron_job])
def test_a_permit_lets_it_in_wherever_the_annotation_stands(
    cluster: Cluster, approved: Submission, make: Callable[..., dict[str, Any]]
) -> None:
    digest = approved.version.artifact_digest
    for named in (by_version(approved), {"digest": digest}, {**by_version(approved), "digest": digest}):
        assert cluster(review(make(**named))) == {"uid": review({})["request"]["uid"], "allowed": True}


@pytest.mark.parametrize("make", [pod, deployment, cron_job])
def test_what_is_not_named_or_not_known_stays_out(cluster: Cluster, make: Callable[..., dict[str, Any]]) -> None:
    for named in ({}, {"system": "credit-default"}, {"system": "x", "version": "1"}, {"digest": "sha256:" + "0" * 64}):
        answer = cluster(review(make(**named)))
        assert answer["allowed"] is False
        assert answer["status"]["code"] == 403 and answer["status"]["message"].startswith("Guiderail: ")
    assert "guiderail.io/system" in cluster(review(pod()))["status"]["message"], "it says what to add"


def test_the_message_says_why_and_where(cluster: Cluster) -> None:
    making.everybody()
    row = making.in_review(Track.YELLOW)
    message = cluster(review(pod(**by_version(row))))["status"]["message"]
    assert f"{row.number} is in review, so there is no permit." in message
    assert message.endswith(f"/submissions/{row.number}")


def test_who_deploys_does_not_choose_the_environment(cluster: Cluster, approved: Submission) -> None:
    named = {**by_version(approved), "environment": "production"}
    assert cluster(review(pod(**named)), "/kubernetes/validate/staging")["allowed"] is False
    assert cluster(review(pod(**{**named, "environment": "staging"})), "/kubernetes/validate/production")["allowed"]


def test_two_names_have_to_be_one_thing(cluster: Cluster, approved: Submission) -> None:
    mixed = {**by_version(approved), "digest": "sha256:" + "0" * 64}
    assert cluster(review(pod(**mixed)))["allowed"] is False
    torn = deployment(**by_version(approved))
    torn["metadata"]["annotations"] = {"guiderail.io/version": "0.0.0"}
    assert "name different things" in cluster(review(torn))["status"]["message"]
    assert cluster(review(pod(digest="sha256:short")))["allowed"] is False


def test_what_runs_already_may_be_scaled_and_taken_down_after_its_permit(cluster: Cluster, approved: Submission) -> None:
    running = deployment(**by_version(approved))
    revoke(caller=making.call(making.everybody()["ruth"]), submission_id=approved.pk, reason="Customers were refused by mistake.")
    assert cluster(review(running))["allowed"] is False, "new ones stay out"
    scaled = copy.deepcopy(running)
    scaled["spec"]["replicas"] = 0
    answer = cluster(review(scaled, "UPDATE", running))
    assert answer["allowed"] and "was revoked" in answer["warnings"][0]
    other = copy.deepcopy(running)
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.org/other:latest"
    assert cluster(review(other, "UPDATE", running))["allowed"] is False, "another image is a deployment"
    pointed = copy.deepcopy(running)
    pointed["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "MODEL_URI", "value": "s3://other/model"}]
    assert cluster(review(pointed, "UPDATE", running))["allowed"] is False, "another model by a variable is one as well"
    assert cluster(review(running, "UPDATE", deployment()))["allowed"] is False, "another name is one as well"
    leaving = copy.deepcopy(other)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-21T10:00:00Z"
    assert cluster(review(leaving, "UPDATE", running))["allowed"]
    assert cluster(review(None, "DELETE", running))["allowed"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"apiVersion": "admission.k8s.io/v1beta1", "request": {"uid": "1"}},
        {"apiVersion": "admission.k8s.io/v1", "request": {"uid": 7}},
        {"apiVersion": "admission.k8s.io/v1", "request": "x"},
    ],
)
def test_what_is_no_review_is_refused(cluster: Cluster, body: Any) -> None:
    assert cluster.ask(body).status_code == 422


ODD = [None, [], "x", {"guiderail.io/system": 1, "guiderail.io/version": ["2"]}, {"guiderail.io/system": ""}]


@pytest.mark.parametrize("annotations", ODD)
def test_odd_objects_stay_out(cluster: Cluster, annotations: Any) -> None:
    thing = pod()
    thing["metadata"]["annotations"] = annotations
    assert cluster(review(thing))["allowed"] is False
    for odd in (None, "x", {"spec": []}, {"metadata": [], "spec": {"template": 1}}):
        assert cluster(review(odd))["allowed"] is False


def test_it_needs_the_scope_and_writes_nothing(approved: Submission) -> None:
    body = review(pod(**by_version(approved)))
    assert Client().post("/kubernetes/validate", json.dumps(body), content_type="application/json").status_code == 401
    cluster = Cluster(Scope.SUBMIT)
    assert cluster.ask(body).status_code == 403
    reader = Cluster(Scope.PERMIT)
    reader(body)  # the token's last use is noted once a minute
    before = AuditEvent.objects.count()
    with CaptureQueriesContext(connection) as asked:
        assert reader(body)["allowed"]
    assert AuditEvent.objects.count() == before
    assert all(query["sql"].lstrip().startswith("SELECT") for query in asked), [q["sql"][:80] for q in asked]
    assert len(asked) <= 4


def test_a_warning_is_short_whatever_it_says() -> None:
    assert len(shortened("é" * 400).encode()) <= 255
    assert shortened("a\nb") == "a b"


def test_the_manifest_asks_this_address_and_fails_closed() -> None:
    text = (ROOT / "integrations/kubernetes/webhook.yaml").read_text(encoding="utf-8")
    parts = {part["kind"]: part for part in yaml.safe_load_all(text)}
    (hook,) = parts["ValidatingWebhookConfiguration"]["webhooks"]
    assert (hook["failurePolicy"], hook["sideEffects"], hook["admissionReviewVersions"]) == ("Fail", "None", ["v1"])
    assert hook["namespaceSelector"]["matchLabels"] == {"guiderail.io/environment": "production"}
    assert hook["clientConfig"]["service"]["path"] == "/kubernetes/validate/production"


def test_it_answers_by_exposure(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setitem(making.PACK, "exposure", PLAN)
    named = by_version(request.getfixturevalue("approved"))
    answers = {share: cluster(review(pod(**named, exposure=share))) for share in ("25", "26", "5 %", "0")}
    assert [answer["allowed"] for answer in answers.values()] == [True, False, False, False]
    assert "Stay at 25 %" in answers["26"]["status"]["message"]
    assert "whole percentage" in answers["5 %"]["status"]["message"]
    assert not cluster(review(pod(**named)))["allowed"], "not said, it is about all of it"
    more = review(pod(**named, exposure="60"), "UPDATE", pod(**named, exposure="25"))
    assert not cluster(more)["allowed"], "going further is no scaling"
