"""What shows a control in a period: counted from stored rows, for those who may see them, at a fixed cost."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.errors import InvalidInput
from governance.domain.vocabulary import Role, Track
from reviews.selectors.control_evidence import ControlRow, RegimeEvidence, control_evidence, period
from reviews.services.deciding import decide
from tests.reviews.making import Gate, approve, call, everybody, facts_for, in_review, person, unit

pytestmark = pytest.mark.django_db(transaction=True)


def row(table: RegimeEvidence, control: str) -> ControlRow:
    return next(row for row in table.rows if row.control.id == control)


def number(found: ControlRow, name: str) -> int:
    return next(item.count for item in found.evidence if item.name == name)


def test_what_was_recorded_counts_and_what_was_not_is_said() -> None:
    people = everybody()
    case = in_review(
        Track.RED,
        submitter=people["dana"],
        gates=(Gate("GP101"), Gate("GX101", "not_assessed", blocking=False)),
        facts=facts_for(Track.RED, regulation__regimes=["EU-AI-ACT", "GDPR"]),
    )
    reading = "GX101 was not assessed; the explanations of ten cases were read one by one instead, and they hold."
    decide(
        caller=call(people["amir"]),
        submission_id=case.pk,
        dossier_digest=case.dossier_digest,
        decision=approve(readings={"GX101": reading}),
    )
    (act,) = control_evidence(call(people["ada"]), period(), "eu_ai_act")
    assert act.named == 1
    risk = row(act, "Article 9")
    assert number(risk, "TR-020") == 1
    assert number(risk, "analyst") == 1 and number(risk, "risk_officer") == 0
    accuracy = row(act, "Article 15")
    assert number(accuracy, "GP101") == 1
    assert number(accuracy, "GX101") == 0, "a gate that could not speak shows nothing"
    assert accuracy.standing == "partly"
    assert row(act, "Article 49").standing == "gap"
    assert row(act, "Article 20").standing == "quiet"
    assert sum(act.standings.values()) == len(act.rows)


def test_another_unit_and_another_period_see_nothing_of_it() -> None:
    people = everybody()
    in_review(Track.RED, submitter=people["dana"])
    gus = person("gus", Role.SUBMITTER, at=unit("insurance"))
    (elsewhere,) = control_evidence(call(gus), period(), "us_mrm")
    assert number(row(elsewhere, "Materiality"), "TR-020") == 0
    earlier = period("2020-01-01", (timezone.localdate() - timedelta(days=1)).isoformat())
    (before,) = control_evidence(call(people["ada"]), earlier, "us_mrm")
    assert number(row(before, "Materiality"), "TR-020") == 0


@pytest.mark.parametrize(
    ("since", "until", "says"),
    [
        ("soon", "", "2026-11-21"),
        ("2026-02-02", "2026-02-01", "after"),
        ("2001-01-01", "2020-01-01", "ten years"),
        ("1066-10-14", "", "2000"),
    ],
)
def test_a_period_that_cannot_be_is_refused(since: str, until: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        period(since, until)


def test_page_and_exports_say_the_same_at_the_same_cost() -> None:
    people = everybody()
    in_review(Track.RED, submitter=people["dana"])
    client = Client()
    client.force_login(people["ada"])
    page = client.get("/controls?regime=iso_42001").content.decode()
    assert "A.6.2.4: Tested before use" in page and "gap" in page
    assert client.get("/controls?regime=nothing").status_code == 404
    assert "The last 90 days are shown" in client.get("/controls?since=soon").content.decode()
    assert client.get("/controls.csv?since=soon").status_code == 422
    rows = list(csv.DictReader(io.StringIO(client.get("/controls.csv?regime=iso_42001").content.decode())))
    document = json.loads(client.get("/controls.json?regime=iso_42001").content)
    controls = document["regimes"][0]["controls"]
    assert {line["control"] for line in rows} == {control["id"] for control in controls}
    assert "A.6.2.4 Tested" in client.get("/controls.md?regime=iso_42001").content.decode()
    with CaptureQueriesContext(connection) as first:
        control_evidence(call(people["ada"]), period())
    in_review(Track.RED, submitter=people["dana"])
    with CaptureQueriesContext(connection) as second:
        control_evidence(call(people["ada"]), period())
    assert len(first) == len(second) <= 40
