"""Monitors' reports: bound to a deployed version, judged by its policy, findings opened and joined, series to read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from governance.domain.vocabulary import Scope, Track
from governance.models import AuditEvent, Person, Submission
from governance.selectors.access import SYSTEM
from governance.services.tokens import issue_token
from reviews.models import Deployment, Finding, Incident, MonitoringEvent, MonitoringReading, Notification
from reviews.selectors.monitoring import series
from reviews.services.deciding import decide
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

LIMITS = {
    "why": "Things change after a release.",
    "limits": [
        {
            "signal": "drift", "metrics": ["psi"], "medium": ">= 0.10", "high": ">= 0.25", "why": "w", "fix": "Retrain.",
            "due_days": 14, "incident": "degradation", "note": "convention",
        },
        {
            "signal": "cost", "metrics": ["per_1k_predictions"], "compare": "rise", "approved": "cost.per_1k_predictions",
            "medium": ">= 0.20", "why": "w", "fix": "Find the calls.", "due_days": 14, "note": "convention",
        },
        {
            "signal": "privacy", "metrics": ["incidents"], "high": ">= 1", "why": "w", "fix": "Act.", "due_days": 3,
            "incident": "privacy", "note": "convention",
        },
    ],
}  # fmt: skip


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> dict[str, Person]:
    monkeypatch.setitem(making.PACK, "monitoring", LIMITS)
    return making.everybody()


def approved(people: dict[str, Person], version: str = "1.0") -> Submission:
    facts = making.facts_for(Track.YELLOW, cost__per_1k_predictions=0.05)
    row = making.in_review(Track.YELLOW, version=version, facts=facts)
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    return making.fresh(row)


def call(who: Person, path: str, body: dict[str, Any] | None = None, *scopes: Scope, **headers: str) -> Any:
    token = issue_token(caller=SYSTEM, person=who, unit=who.unit, name="t", scopes=scopes or (Scope.MONITOR,))[1]  # type: ignore[arg-type]
    given = {"HTTP_AUTHORIZATION": f"Bearer {token}", **headers}
    if body is None:
        return Client().get(f"/api/v1/{path}", **given)
    return Client().post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", **given)


@pytest.fixture
def live(people: dict[str, Person]) -> Submission:
    row = approved(people)
    body = {"system": "credit-default", "version": "1.0", "target": "eu-1"}
    assert call(people["dana"], "deployments", body, Scope.DEPLOY).status_code == 201
    return row


def drift(people: dict[str, Person], name: str, *values: float | None, **more: Any) -> Any:
    readings = [{"metric": "psi", "subject": f"feature_{at}", "value": value} for at, value in enumerate(values)]
    body = {
        "system": "credit-default",
        "version": "1.0",
        "kind": "drift",
        "id": name,
        "source": "evidently",
        "readings": readings,
    }
    return call(people["dana"], "monitoring/events", {**body, **more})


def test_within_its_limits_a_report_is_recorded_and_nobody_is_bothered(people: dict[str, Person], live: Submission) -> None:
    answer = drift(people, "d-1", 0.02, 0.0999)
    assert (answer.status_code, answer.json()["verdict"], answer.json()["submission"]) == (201, "within", live.number)
    assert [row["verdict"] for row in answer.json()["readings"]] == ["within", "within"]
    assert not Finding.objects.exists() and not Notification.objects.filter(kind="monitoring").exists()
    assert AuditEvent.objects.filter(action="monitoring.reported").count() == 1


def test_over_a_limit_it_opens_a_finding_and_further_reports_join_it(people: dict[str, Person], live: Submission) -> None:
    first = drift(people, "d-1", 0.02, 0.12, 0.15, link="https://monitor.example.org/7").json()
    finding = Finding.objects.get()
    assert first["verdict"] == "over" and first["findings"] == [finding.number]
    assert (finding.severity, finding.owner, finding.about) == ("medium", people["dana"], "monitoring.drift.psi")
    assert finding.due_on == timezone.now().date() + timedelta(days=14)
    assert "psi of feature_2 is 0.15" in finding.says and "https://monitor.example.org/7" in finding.says
    assert drift(people, "d-2", 0.14).json()["findings"] == [finding.number], "it joins"
    assert Finding.objects.count() == 1 and not Incident.objects.exists()
    assert Notification.objects.filter(kind="monitoring", person=people["dana"]).count() == 0, "dana's token reported it"
    assert Notification.objects.filter(kind="monitoring", person=people["pia"]).count() == 1, "told once"
    worse = drift(people, "d-3", 0.40).json()
    assert (
        worse["findings"] == [Finding.objects.get(state="open").number] and Finding.objects.get(state="open").severity == "high"
    )
    assert Finding.objects.get(state="closed").closed_why.startswith("It got worse")


def test_monitor_input_to_finding_to_playbook(people: dict[str, Person], live: Submission) -> None:
    answer = drift(people, "d-1", 0.31, 0.27).json()
    finding, incident = Finding.objects.get(), Incident.objects.get()
    assert answer["incidents"] == [incident.number]
    assert (incident.kind, incident.playbook, incident.finding, incident.submission) == (
        "degradation",
        "degradation",
        finding,
        live,
    )
    assert incident.opened_by is None and incident.deployment == Deployment.objects.get()
    assert [step.part for step in incident.steps.all()] == ["contain", "notify", "mend", "mend", "learn"]
    assert AuditEvent.objects.filter(action="incident.opened", object=f"submission:{live.pk}").count() == 1
    drift(people, "d-2", 0.5)
    assert Incident.objects.count() == 1 and incident.notes.filter(what="signal").count() == 1, "the next report joins"


def test_a_cost_above_the_approved_estimate_opens_a_finding(people: dict[str, Person], live: Submission) -> None:
    def cost(name: str, value: float) -> Any:
        readings = [{"metric": "per_1k_predictions", "value": value}]
        return drift(people, name, kind="cost", readings=readings).json()

    assert cost("c-1", 0.0599)["verdict"] == "within"
    over = cost("c-2", 0.06)
    assert over["verdict"] == "over" and over["readings"][0]["against"] == 0.05
    assert "+20.0% against 0.05 as approved" in Finding.objects.get().says


def test_the_same_report_is_recorded_once_and_a_key_is_used_once(people: dict[str, Person], live: Submission) -> None:
    assert [drift(people, "d-1", 0.3).status_code for _ in range(2)] == [201, 200]
    assert MonitoringEvent.objects.count() == 1 and Incident.objects.get().notes.count() == 1
    other = drift(people, "d-1", 0.4)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    by_header = call(
        people["dana"], "monitoring/events",
        {"system": "credit-default", "version": "1.0", "kind": "drift", "readings": [{"metric": "psi", "value": 0.3}]},
        HTTP_IDEMPOTENCY_KEY="k-1",
    )  # fmt: skip
    assert by_header.status_code == 201 and by_header.json()["key"] == "k-1"


def test_what_is_not_known_or_not_deployed_is_answered_clearly(people: dict[str, Person]) -> None:
    assert (drift(people, "a", 0.1).status_code, drift(people, "a", 0.1).json()["code"]) == (404, "unknown_version")
    approved(people)
    answer = drift(people, "a", 0.1)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_deployed")
    assert "POST /api/v1/deployments" in answer.json()["detail"]
    assert not MonitoringEvent.objects.exists()


def test_what_was_not_measured_or_has_no_limit_is_not_shown_as_fine(people: dict[str, Person], live: Submission) -> None:
    assert drift(people, "d-1", 0.01, None).json()["verdict"] == "unknown"
    odd = [{"metric": "hellinger", "value": 0.9}]
    assert drift(people, "d-2", readings=odd).json()["verdict"] == "unjudged"
    assert not Finding.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "weather"},
        {"readings": []},
        {"readings": [{"metric": "psi", "value": 0.1}, {"metric": "psi", "value": 0.2}]},
        {"readings": [{"metric": "PSI!", "value": 0.1}]},
        {"id": ""},
        {"at": "2999-01-01T00:00:00Z"},
        {"at": "2026-01-01T00:00:00"},
        {"track": "green"},
        {"link": "javascript:alert(1)"},
        {"kind": "incident", "readings": []},
    ],
)
def test_a_report_that_cannot_be_meant_is_refused_by_field(
    people: dict[str, Person], live: Submission, more: dict[str, Any]
) -> None:
    answer = drift(people, "d-1", 0.1, **more)
    assert answer.status_code == 422 and answer.json()["errors"]
    assert not MonitoringEvent.objects.exists()


def test_a_monitor_can_report_an_incident(people: dict[str, Person], live: Submission) -> None:
    words = {"kind": "incident", "incident": "bias", "severity": "high", "note": "Refusals of one group doubled since Monday."}
    answer = drift(people, "i-1", **words)
    assert answer.status_code == 201 and answer.json()["incidents"] == [Incident.objects.get().number]
    assert (Incident.objects.get().playbook, Incident.objects.get().severity) == ("bias_finding", "high")


def test_four_series_are_read_page_by_page_within_the_unit(people: dict[str, Person], live: Submission) -> None:
    for at in range(3):
        drift(people, f"d-{at}", 0.01 * at, kind="drift")
    drift(people, "p", kind="privacy", readings=[{"metric": "incidents", "value": 0}])
    drift(people, "a", kind="access", readings=[{"metric": "violations", "value": 2}])
    drift(people, "q", kind="data_quality", readings=[{"metric": "failed_expectations", "value": 1, "subject": "age"}])

    def read(path: str, who: Person = people["dana"]) -> Any:
        return call(who, path, None, Scope.READ)

    values = [point["value"] for point in read("monitoring/series?kind=drift").json()["results"]]
    assert values == [0.02, 0.01, 0.0]
    first, following, _ = series(making.call(people["dana"]), signal="drift", size=2)
    last = read(f"monitoring/series?kind=drift&cursor={following}").json()
    assert [point.value for point in first] == [0.02, 0.01] and [point["value"] for point in last["results"]] == [0.0]
    assert last["next"] is None and last["previous"]
    for kind, value in (("privacy", 0), ("access", 2), ("data_quality", 1)):
        assert [row["value"] for row in read(f"monitoring/series?kind={kind}").json()["results"]] == [value]
    assert len(read("monitoring/events").json()["results"]) == 6
    assert read("monitoring/series?kind=weather").status_code == 422
    assert call(people["dana"], "monitoring/events", None, Scope.MONITOR).status_code == 403
    assert call(people["dana"], "monitoring/events", {}, Scope.READ).status_code == 403
    gus = making.person("gus", at=making.unit("shop"))
    assert read("monitoring/events", gus).json()["results"] == [] == read("monitoring/series?kind=drift", gus).json()["results"]
    foreign = {
        "system": "credit-default",
        "version": "1.0",
        "kind": "drift",
        "id": "x",
        "readings": [{"metric": "psi", "value": 1}],
    }
    assert call(gus, "monitoring/events", foreign).status_code == 404


def test_reports_stay_as_they_were_written(people: dict[str, Person], live: Submission) -> None:
    drift(people, "d-1", 0.3)
    for sql in (
        "UPDATE reviews_monitoringreading SET value = 0",
        "DELETE FROM reviews_monitoringevent",
        "DELETE FROM reviews_incidentnote",
        "DELETE FROM reviews_incident",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert MonitoringReading.objects.get().value == 0.3


def test_the_pages_show_reports_with_their_findings(people: dict[str, Person], live: Submission) -> None:
    drift(people, "d-1", 0.3, 0.12)
    client = Client()
    client.force_login(people["pia"], backend="django.contrib.auth.backends.ModelBackend")
    text = client.get("/monitoring").content.decode()
    assert "psi of feature_0 is 0.3" in text and Finding.objects.get().number in text
    text = client.get(f"/monitoring/{MonitoringEvent.objects.get().pk}").content.decode()
    assert "feature_1" in text and Incident.objects.get().number in text
    assert client.get("/monitoring?kind=weather").status_code == 200, "a filter that cannot be is said and left out"
