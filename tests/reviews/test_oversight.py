"""The three panels of oversight: policy, incidents, evidence; for the units of the reader, at a fixed cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.vocabulary import Role, Track
from governance.models import Person, Submission
from reviews.models import Deployment, Evaluation, Finding, Incident
from reviews.selectors.oversight import oversight
from reviews.services.deciding import decide
from reviews.services.permits import revoke
from tests.governance.making import BACKEND
from tests.reviews.making import approve, call, everybody, in_review, person, unit

pytestmark = pytest.mark.django_db(transaction=True)


def serving(people: dict[str, Person], system: str = "credit-default") -> Submission:
    """A case approved by the platform engineer whose version is reported to serve."""
    case = in_review(Track.YELLOW, submitter=people["dana"], system=system)
    decide(caller=call(people["pia"]), submission_id=case.pk, dossier_digest=case.dossier_digest, decision=approve())
    Deployment.objects.create(
        unit=case.unit, system=case.system.slug, version=case.version, version_name=case.version.version, target=case.number,
        environment="production", observed=True, reported_by=people["pia"],
    )  # fmt: skip
    return case


def incident(case: Submission, people: dict[str, Person], **more: object) -> Incident:
    return Incident.objects.create(
        unit=case.unit, system=case.system, version=case.version, submission=case, kind="degradation", severity="high",
        title="It drifted", says="s", playbook="degradation", playbook_version="1", playbook_digest="sha256:0",
        opened_by=people["pia"], **more,
    )  # fmt: skip


def test_a_version_serves_with_a_valid_decision_until_its_permit_is_revoked() -> None:
    people = everybody()
    auditor = call(people["ada"])
    empty = oversight(auditor).evidence
    assert (empty.serving, empty.share) == (0, None), "nothing serves, so there is no share"
    first = serving(people)
    serving(people, "next-best-offer")
    assert oversight(auditor).evidence.share == 1.0
    revoke(caller=call(people["ruth"]), submission_id=first.pk, reason="It answers late and nobody knows why.")
    panel = oversight(auditor)
    assert (panel.evidence.covered, panel.evidence.serving) == (1, 2)
    assert panel.incidents.months[0].revoked == 1


def test_incidents_and_findings_say_how_long_mending_took() -> None:
    people = everybody()
    case = serving(people)
    now = timezone.now()
    incident(case, people, began_at=now - timedelta(hours=5), resolved_at=now, state="resolved")
    old = {"submission": case, "revision": 1, "severity": "high", "says": "s"}
    Finding.objects.create(
        **old, about="GF101", state="closed", opened_at=now - timedelta(days=4), closed_at=now, closed_why="mended"
    )
    Finding.objects.create(**old, about="GF102", due_on=now.date() - timedelta(days=1))
    Evaluation.objects.filter(submission=case).update(due_on=now.date() - timedelta(days=1))
    found = oversight(call(people["ada"]))
    (line,) = found.incidents.latest
    assert round(line.resolved_after.total_seconds() / 3_600) == 5 if line.resolved_after else False
    assert line.learnt_after is None
    (high,) = found.incidents.remediation
    assert (high.severity, high.open, high.late, high.closed) == ("high", 1, 1, 1)
    assert high.median_days == pytest.approx(4, abs=0.01)
    assert {item.label: item.number for item in found.evidence.overdue}["findings"] == 1
    client = Client()
    client.force_login(people["ada"], backend=BACKEND)
    page = client.get("/oversight").content.decode()
    assert "It drifted" in page and "5 hours" in page and "no post-mortem yet" in page and "in force since" in page


def test_another_unit_sees_none_of_it_and_more_rows_cost_no_more() -> None:
    people = everybody()
    case = serving(people)
    incident(case, people, began_at=timezone.now())
    elsewhere = oversight(call(person("gus", Role.SUBMITTER, at=unit("insurance"))))
    assert elsewhere.evidence.serving == 0 and elsewhere.incidents.latest == () and elsewhere.incidents.open == 0
    assert elsewhere.policy.in_force[0].cases == 0
    with CaptureQueriesContext(connection) as first:
        oversight(call(people["ada"]))
    incident(serving(people), people, began_at=timezone.now())
    with CaptureQueriesContext(connection) as second:
        oversight(call(people["ada"]))
    assert len(first) == len(second) <= 32
