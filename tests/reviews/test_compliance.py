"""The compliance table and the lineage graph: what they show, to whom, at what cost."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.errors import InvalidInput, NotFound
from governance.domain.vocabulary import Role, State, Track
from governance.models import DataSource, Person, Submission, System
from reviews.models import Deployment, MonitoringEvent
from reviews.selectors.compliance import ComplianceFilters, compliance
from reviews.selectors.lineage import STAGES, lineage, to_document
from reviews.services.deciding import decide
from reviews.services.permits import revoke
from tests.reviews import making
from tests.reviews.making import Gate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> dict[str, Person]:
    return making.everybody()


def approve(people: dict[str, Person], row: Submission) -> Submission:
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    return making.fresh(row)


def signed_in(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


class TestTheTable:
    def test_one_row_a_version_with_state_permit_findings_monitoring_decision_policy_and_what_is_missing(
        self, people: dict[str, Person]
    ) -> None:
        row = approve(people, making.in_review(Track.YELLOW, gates=(Gate("GP101"), Gate("GM101"))))
        waiting = making.in_review(Track.RED)
        rows = {line.submission: line for line in compliance(making.call(people["ada"]), filters=ComplianceFilters())[0]}
        assert set(rows) == {row.number, waiting.number}
        done = rows[row.number]
        assert done.permit_until is not None and (done.decided_by, done.monitoring) == ("platform_engineer", "pass")
        assert done.missing == () and done.policy == "ml_model 2026.11.1" and done.policy_is_current
        # the small pack asks for no monitoring plan
        assert rows[waiting.number].missing == ("a decision",)

    def test_what_runs_without_a_monitor_that_reports_is_listed(
        self, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every model that runs has a monitor: the rule over the registry and the monitors, with its offenders."""
        row = approve(people, making.in_review(Track.YELLOW, gates=(Gate("GM101"),)))
        approve(people, making.in_review(Track.YELLOW, system="not-running", gates=(Gate("GM101"),)))
        live = Deployment.objects.create(
            unit=row.unit, system=row.system.slug, version_name=row.version.version, version=row.version,
            environment="production", observed=True, reported_by=people["pia"],
        )  # fmt: skip
        silent = ComplianceFilters(only="unmonitored")
        offenders, ada = compliance(making.call(people["ada"]), filters=silent)[0], signed_in(people["ada"])
        assert [line.submission for line in offenders] == [row.number] and offenders[0].missing == ("a monitor that reports",)
        assert row.system.slug in text_of(ada.get("/compliance?only=unmonitored"))
        MonitoringEvent.objects.create(
            unit=row.unit, system=row.system, version=row.version, environment="production", submission=row, deployment=live,
            key="k", content_digest="d", signal="drift", at=timezone.now(), verdict="within", reported_by=people["pia"],
        )  # fmt: skip
        assert not compliance(making.call(people["ada"]), filters=silent)[0]
        monkeypatch.setattr("reviews.selectors.compliance.SILENT_AFTER", timedelta(0))  # it has been silent for too long
        assert len(compliance(making.call(people["ada"]), filters=silent)[0]) == 1

    def test_a_revoked_approval_loses_its_permit_here_too(self, people: dict[str, Person]) -> None:
        row = approve(people, making.in_review(Track.YELLOW))
        revoke(caller=making.call(people["pia"]), submission_id=row.pk, reason="Complaints came in.")
        line = compliance(making.call(people["ada"]), filters=ComplianceFilters())[0][0]
        assert (line.state, line.permit_until) == (State.REVOKED, None)

    def test_filters_narrow_and_what_cannot_be_is_refused(self, people: dict[str, Person]) -> None:
        yellow, red = making.in_review(Track.YELLOW), making.in_review(Track.RED)
        caller = making.call(people["ada"])

        def found(**given: str) -> set[str]:
            return {line.submission for line in compliance(caller, filters=ComplianceFilters(**given))[0]}

        assert found(track="yellow") == {yellow.number}
        assert found(system="credit-default", unit="lending") == {yellow.number, red.number}
        assert found(unit="shop") == found(only="waivers") == found(only="findings") == found(only="old_policy") == set()
        with pytest.raises(InvalidInput):
            found(track="pink")

    def test_another_unit_sees_its_own_only(self, people: dict[str, Person]) -> None:
        making.in_review()
        gus = making.person("gus", Role.ANALYST, at=making.unit("shop"))
        assert compliance(making.call(gus), filters=ComplianceFilters())[0] == ()
        assert signed_in(gus).get("/compliance.csv").getvalue().decode().count("\n") == 1

    def test_pages_go_on_and_statements_do_not_grow_with_rows(self, people: dict[str, Person]) -> None:
        client = signed_in(people["ada"])
        counts = []
        for _ in range(2):
            approve(people, making.in_review(Track.YELLOW))
            making.in_review()
            with CaptureQueriesContext(connection) as queries:
                assert client.get("/compliance").status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1]
        caller, seen, cursor = making.call(people["ada"]), [], ""
        while True:
            rows, cursor, _ = compliance(caller, filters=ComplianceFilters(), cursor=cursor, size=3)
            seen += [line.id for line in rows]
            if not cursor:
                break
        assert seen == sorted(seen, reverse=True) and len(set(seen)) == 4

    def test_the_csv_runs_nothing_in_a_spreadsheet(self, people: dict[str, Person]) -> None:
        making.in_review()
        System.objects.update(slug='=HYPERLINK("http://x")')
        rows = list(csv.DictReader(io.StringIO(signed_in(people["ada"]).get("/compliance.csv").getvalue().decode())))
        assert rows[0]["system"] == '\'=HYPERLINK("http://x")'
        assert rows[0]["missing"] == "a decision"


class TestLineage:
    def facts(self) -> dict[str, object]:
        return {
            "data__sources": ["s3://lake/credit/2026q3.parquet", "ftp://somewhere"],
            "training__dataset_digest": "sha256:" + "d" * 64,
            "training__run_id": "4f1c",
            "training__code_commit": "abc1234",
            "model__digest": "sha256:" + "e" * 64,
        }

    def test_from_raw_source_to_permit_each_with_its_digest_and_what_shows_it(self, people: dict[str, Person]) -> None:
        DataSource.objects.create(unit=making.unit(), name="s3://lake/credit/", owner="credit-data", approved=True)
        row = approve(people, making.in_review(Track.YELLOW, facts=making.facts_for(Track.YELLOW, **self.facts())))
        found = lineage(making.call(people["ada"]), row.pk)
        assert [node.stage for node in found.nodes] == sorted((n.stage for n in found.nodes), key=STAGES.index)
        sources = found.of("source")
        assert sources[0].says == "registered, approved, owner credit-data"
        assert sources[1].says == "not in the register of data sources"
        assert found.of("data")[0].digest == "sha256:" + "d" * 64
        assert found.of("run")[0].says == "code abc1234"
        assert found.of("model")[0].digest == "sha256:" + "e" * 64
        assert found.of("decision")[0].digest == row.dossier_digest
        assert found.of("permit")[0].says.startswith("for production, up to 100 %, until")
        assert found.missing == ("Deployment: no deployment was reported",)
        assert all(edge.evidence or edge.broken for edge in found.edges)
        assert {(e.says, e.broken) for e in found.edges} >= {("read into", False), ("let go live", True)}

    def test_what_nobody_recorded_is_named(self, people: dict[str, Person]) -> None:
        row = making.in_review()
        Submission.objects.filter(pk=row.pk).update(updated_at=row.updated_at)
        missing = lineage(making.call(people["ada"]), row.pk).missing
        assert [text.split(":")[0] for text in missing] == [
            "Raw source",
            "Data set",
            "Training run",
            "Decision",
            "Permit",
            "Deployment",
        ]

    def test_the_same_facts_give_the_same_graph_and_another_digest_another(self, people: dict[str, Person]) -> None:
        row = making.in_review(facts=making.facts_for(Track.RED, **self.facts()))
        caller = making.call(people["ada"])
        assert lineage(caller, row.pk).digest == lineage(caller, row.pk).digest
        changed = {**self.facts(), "training__dataset_digest": "sha256:" + "c" * 64}
        other = making.in_review(facts=making.facts_for(Track.RED, **changed))
        assert lineage(caller, row.pk).digest != lineage(caller, other.pk).digest

    def test_page_and_json_say_the_same(self, people: dict[str, Person]) -> None:
        row = making.in_review(facts=making.facts_for(Track.RED, **self.facts()))
        client = signed_in(people["ada"])
        page = unescape(client.get(f"/submissions/{row.number}/lineage").content.decode())
        document = json.loads(client.get(f"/submissions/{row.number}/lineage.json").content)
        assert document == json.loads(json.dumps(to_document(lineage(making.call(people["ada"]), row.pk))))
        for node in document["nodes"]:
            assert node["name"] in page
        for text in document["missing"]:
            assert text in page

    def test_another_unit_finds_nothing(self, people: dict[str, Person]) -> None:
        row = making.in_review()
        gus = making.person("gus", Role.ANALYST, at=making.unit("shop"))
        with pytest.raises(NotFound):
            lineage(making.call(gus), row.pk)
        assert signed_in(gus).get(f"/submissions/{row.number}/lineage.json").status_code == 404
