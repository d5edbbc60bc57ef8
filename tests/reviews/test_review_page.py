"""The review page: marks that reset, comparisons the reader chooses, requirements, raw lines, and its number of statements."""

from __future__ import annotations

import csv
import io
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gates.models import GateOutcome, GateRun, Measurement
from governance.domain.errors import Conflict, Forbidden, NotFound
from governance.domain.requirements import Requirement
from governance.domain.vocabulary import Role, RunStatus, Track
from governance.models import ApiToken, AuditEvent, Person, Revision, Submission, TrackDecision
from governance.selectors.access import caller_for
from reviews.models import Finding, SectionSeen
from reviews.selectors.case_page import case_page
from reviews.selectors.comparing import CHAMPION, LOOKED, REVISION
from reviews.selectors.dossier import dossier
from reviews.services.deciding import decide
from reviews.services.looking import mark_seen
from reviews.services.refreshing import keep
from tests.reviews import making
from tests.reviews.making import Gate

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def see(row: Submission, who: Person, section: str) -> None:
    page = case_page(row.pk, making.call(who))
    mark_seen(caller=making.call(who), submission_id=row.pk, section=section, digest=page.seen[section].digest)


def against_a_champion(**facts: object) -> Submission:
    """A red case whose champion was measured too."""
    people = making.everybody()
    first = making.in_review(
        Track.YELLOW,
        gates=(Gate("GP101", extra={"observed": 0.80}),),
        facts=making.facts_for(
            Track.YELLOW, model__features=["age"], model__decision_threshold=0.5, performance__metrics={"auc": 0.8}
        ),
    )
    decide(
        caller=making.call(people["pia"]), submission_id=first.pk, dossier_digest=first.dossier_digest, decision=making.approve()
    )
    row = making.in_review(
        gates=(
            Gate("GP101", "warn", extra={"observed": 0.78}),
            Gate("GF101", extra={"group": "age=18-24"}),
            Gate("GX101", "fail"),
        ),
        facts=making.facts_for(
            Track.RED, model__features=["age", "zip"], model__decision_threshold=0.4, performance__metrics={"auc": 0.78}, **facts
        ),
    )
    Submission.objects.filter(pk=row.pk).update(champion=first)
    return making.fresh(row)


class TestSeenMarks:
    def test_a_mark_is_ones_own_audited_and_resets_when_the_section_changes(self) -> None:
        people, row = making.everybody(), making.in_review(gates=(Gate("GP101"), Gate("GF101")))
        amir, ruth = people["amir"], people["ruth"]
        see(row, amir, "performance"), see(row, amir, "fairness")
        states = {name: mark.state for name, mark in case_page(row.pk, making.call(amir)).seen.items()}
        assert (states["performance"], states["fairness"], states["answers"]) == ("seen", "seen", "new")
        assert case_page(row.pk, making.call(ruth)).seen["performance"].state == "new"
        assert AuditEvent.objects.filter(action="section.seen", object=f"submission:{row.pk}").count() == 2
        GateOutcome.objects.create(
            submission=row, revision=1, round=2, code="GP101", name="gp101", verdict="fail", blocking=True, says="auc fell."
        )
        GateOutcome.objects.create(
            submission=row, revision=1, round=2, code="GF101", name="gf101", verdict="pass", blocking=True,
            says="auc is 0.81, limit >= 0.80.",
        )  # fmt: skip
        seen = case_page(row.pk, making.call(amir)).seen
        assert (seen["performance"].state, seen["fairness"].state) == ("changed", "seen")
        page = unescape(signed_in(amir).get(f"/submissions/{row.number}").content.decode())
        assert "Changed since you looked" in page and page.count("changed since you looked") == 1
        see(row, amir, "performance")
        assert SectionSeen.objects.filter(person=amir).count() == 2
        assert case_page(row.pk, making.call(amir)).seen["performance"].state == "seen"

    def test_what_nobody_was_shown_is_not_marked(self) -> None:
        people, row = making.everybody(), making.in_review(gates=(Gate("GP101"),))
        amir = making.call(people["amir"])
        with pytest.raises(Conflict, match="changed since you opened"):
            mark_seen(caller=amir, submission_id=row.pk, section="performance", digest="sha256:old")
        with pytest.raises(NotFound):
            mark_seen(caller=amir, submission_id=row.pk, section="nothing", digest="sha256:old")
        gus = making.person("gus", Role.ANALYST, at=making.unit("shop"))
        with pytest.raises(NotFound):
            mark_seen(caller=making.call(gus), submission_id=row.pk, section="performance", digest="x")
        token = ApiToken(person=people["dana"], unit=row.unit, name="ci", scopes=["read"])
        with pytest.raises(Forbidden):
            mark_seen(caller=caller_for(people["dana"], token=token), submission_id=row.pk, section="performance", digest="x")
        answer = signed_in(people["amir"]).post(f"/submissions/{row.number}/seen", {"section": "performance", "digest": "old"})
        assert answer.status_code == 302 and answer["Location"].endswith("#performance")
        assert not SectionSeen.objects.exists()


class TestComparing:
    def test_against_the_champion_in_groups_with_the_telling_ones_first(self) -> None:
        people, row = making.everybody(), against_a_champion()
        found = case_page(row.pk, making.call(people["amir"]), against=CHAMPION).compared
        assert found is not None
        groups = {name: {line.label: (line.before, line.after) for line in lines} for name, _, lines in found.groups}
        assert groups["metrics"]["GP101 gp101"] == ("0.8 (pass)", "0.78 (warn)")
        assert groups["metrics"]["auc"] == (0.8, 0.78)
        assert groups["features"]["model.features"] == (["age"], ["age", "zip"])
        assert groups["thresholds"]["model.decision_threshold"] == (0.5, 0.4)
        assert [name for name, _, _ in found.groups][:2] == ["metrics", "features"]
        page = unescape(signed_in(people["amir"]).get(f"/submissions/{row.number}?compare=champion").content.decode())
        assert "At a glance" in page and "age=18-24" in page and "Least stable explanation" in page

    def test_against_the_previous_revision_and_since_one_looked(self) -> None:
        people, row = making.everybody(), making.in_review(gates=(Gate("GP101", extra={"observed": 0.8}),))
        amir = making.call(people["amir"])
        see(row, people["amir"], "performance")
        assert case_page(row.pk, amir).choices == ()
        known = making.facts_for(Track.RED, data__sources=["s3://lake/b.parquet"])
        files = [{"role": "candidate_predictions", "sha256": "c" * 64, "columns": {}}]
        said = [{"question": "business.context", "value": "Something else.", "replaced": None}]
        Revision.objects.create(
            submission=row, number=2, facts=known.to_json(), answers=said, evidence=files, sources=[], submitted_by=row.submitter
        )
        Submission.objects.filter(pk=row.pk).update(revision=2)
        policy, assessment = TrackDecision.objects.values_list("policy_id", "assessment").get(submission=row)
        TrackDecision.objects.create(
            submission=row,
            revision=2,
            final=True,
            track="red",
            policy_id=policy,
            facts=known.to_json(),
            assessment=assessment,
        )
        GateOutcome.objects.create(
            submission=row,
            revision=2,
            code="GP101",
            name="gp101",
            verdict="pass",
            blocking=True,
            says="auc is 0.82.",
            observed=0.82,
        )
        fresh = making.fresh(row)
        changed = dossier(fresh)
        assert changed.digest != row.dossier_digest
        keep(fresh, changed)
        page = case_page(row.pk, amir)
        assert page.compared is not None and page.compared.key == REVISION
        lines = {line.label: (line.before, line.after) for _, _, rows in page.compared.groups for line in rows}
        assert lines["GP101 gp101"] == ("0.8 (pass)", "0.82 (pass)")
        assert lines["candidate predictions (file)"] == (None, f"sha256 {'c' * 16}…")
        assert lines["data.sources"][1] == ["s3://lake/b.parquet"] and lines["business.context"][1] == "Something else."
        assert LOOKED in [choice.key for choice in page.choices]
        looked = case_page(row.pk, amir, against=LOOKED).compared
        assert looked is not None and looked.key == LOOKED and looked.groups


def test_every_gate_is_a_requirement_in_one_of_six_states() -> None:
    people = making.everybody()
    gates = (Gate("GP101"), Gate("GF101", "fail"), Gate("GX101", "not_assessed"), Gate("GD101", "not_applicable"))
    row = making.in_review(gates=gates)
    GateRun.objects.create(
        submission=row, revision=1, collector="explanations", input_digest="sha256:i", status=RunStatus.ERROR, error="It stopped."
    )
    page = case_page(row.pk, making.call(people["amir"]))
    states = {each.code: each.state for each in page.requirements}
    assert states["GP101"] is Requirement.SATISFIED and states["GF101"] is Requirement.UNSATISFIED
    assert states["GD101"] is Requirement.NOT_APPLICABLE and states["GX101"] in (Requirement.ERROR, Requirement.UNSATISFIED)


def test_numbers_lead_to_their_raw_lines_as_csv_for_the_unit_only() -> None:
    people, row = making.everybody(), making.in_review(gates=(Gate("GF101"),))
    run = GateRun.objects.create(
        submission=row,
        revision=1,
        collector="fairness",
        input_digest="sha256:in",
        status=RunStatus.DONE,
        inputs={"files": {"a": 1}},
    )
    Measurement.objects.create(run=run, submission=row, metric="fairness.selection_rate", group="=cmd|x", value=0.8, n=90)
    path = f"/submissions/{row.number}/measurements/GF101.csv"
    answer = signed_in(people["amir"]).get(path)
    (line,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (line["value"], line["n"], line["input_digest"], line["group"]) == ("0.8", "90", "sha256:in", "'=cmd|x")
    shown = signed_in(people["amir"]).get(f"/submissions/{row.number}").content.decode()
    assert path in shown
    gus = making.person("gus", Role.ANALYST, at=making.unit("shop"))
    assert signed_in(gus).get(path).status_code == 404
    assert signed_in(people["amir"]).get(path.replace("GF101", "GP101")).status_code == 404


def test_what_holds_is_folded_and_what_needs_looking_at_is_not() -> None:
    people, row = making.everybody(), making.in_review(gates=(Gate("GP101"), Gate("GP102", "warn", says="Near the limit.")))
    page = unescape(signed_in(people["amir"]).get(f"/submissions/{row.number}").content.decode())
    fold = page.index('class="disclose gate-fold"')
    assert page.index('id="gate-GP102"') < fold < page.index('id="gate-GP101"')
    assert page.count('id="gate-GP101"') == page.count('id="gate-GP102"') == 1


def test_the_page_asks_the_database_as_often_for_much_as_for_little() -> None:
    people, row = making.everybody(), against_a_champion()
    amir, counts = making.call(people["amir"]), []
    for number in (1, 12):
        for n in range(number):
            run = GateRun.objects.create(
                submission=row, revision=1, collector=f"c{number}-{n}", input_digest="sha256:i", status=RunStatus.DONE
            )
            Measurement.objects.create(run=run, submission=row, metric="auc", group=f"g={n}", value=0.8)
            Finding.objects.create(submission=row, revision=1, about=f"x{number}-{n}", severity="low", says="says")
        see(row, people["amir"], "performance" if number == 1 else "fairness")
        with CaptureQueriesContext(connection) as caught:
            case_page(row.pk, amir, against=CHAMPION)
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 12, counts
