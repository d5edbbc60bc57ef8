"""The decision view: what it holds, for whom, and in how many statements."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates.models import Chart, GateRun, Measurement
from governance.domain.decision_json import to_json
from governance.domain.errors import NotFound
from governance.domain.vocabulary import DecisionKind, Role, RunStatus, Track
from governance.models import Answer, Submission
from reviews.models import Finding
from reviews.selectors.decision_view import decision_view, view_for_verdict
from reviews.selectors.verdict import verdict_document
from reviews.services.deciding import decide
from reviews.services.decision_input import NewChange, NewDecision
from tests.reviews import making
from tests.reviews.making import Gate

pytestmark = pytest.mark.django_db(transaction=True)


def rich(copies: int = 1) -> Submission:
    """A red case with a champion and several rows in each joined table."""
    people = making.everybody()
    champion = making.in_review(Track.YELLOW, facts=making.facts_for(Track.YELLOW, model__features=["age", "income"]))
    decide(
        caller=making.call(people["pia"]),
        submission_id=champion.pk,
        dossier_digest=champion.dossier_digest,
        decision=making.approve(),
    )
    warning = Gate("GF101", "warn", says="The interval reaches past the limit.")
    gates = (*(Gate(f"GP{100 + n}") for n in range(copies)), warning)
    row = making.in_review(
        gates=gates, facts=making.facts_for(Track.RED, model__features=["age", "income", "zip"], rollout__rollback_target="2.1.0")
    )
    Submission.objects.filter(pk=row.pk).update(champion=champion)
    for n in range(copies):
        run = GateRun.objects.create(
            submission=row, revision=1, collector=f"collector{n}", input_digest="sha256:i", status=RunStatus.DONE
        )
        Measurement.objects.create(run=run, submission=row, metric="auc", group=f"g={n}", value=0.8)
        Chart.objects.create(run=run, submission=row, key="k", title="t", description="d", svg_light="<svg/>", svg_dark="<svg/>")
        Finding.objects.create(
            submission=row, revision=1, about=f"GF{200 + n}", severity="medium", says="says", owner=row.submitter
        )
        Answer.objects.create(submission=row, question=f"q.{n}", value=n, provenance="typed", by=row.submitter)
    return making.fresh(row)


def statements(row: Submission, who: Any) -> int:
    caller = making.call(who)
    decision_view(row.pk, caller)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        decision_view(row.pk, caller)
    return len(caught)


def test_ten_statements_whatever_the_size() -> None:
    people = making.everybody()
    small, large = rich(1), rich(7)
    assert statements(small, people["amir"]) == statements(large, people["amir"]) <= 10


def test_it_tells_the_whole_case() -> None:
    people, row = making.everybody(), rich(2)
    view = decision_view(row.pk, making.call(people["amir"]))
    assert (view.track, view.track_is_final, view.state, view.turn) == ("red", True, "in_review", ("analyst",))
    assert view.track_says == "This deployment requires ML Governance Analyst review because: makes credit decisions."
    assert [(r.rule, r.editable_by) for r in view.reasons] == [("TR-020", "nobody")]
    assert {way.to for way in view.would_change} <= {"yellow", "green"}
    assert [(s.role, s.state, s.mine) for s in view.steps] == [("analyst", "open", True), ("risk_officer", "waiting", False)]
    assert view.steps[0].due_at is not None
    assert view.gates[0].code == "GF101"  # what needs attention comes first
    assert view.gates[0].needs_reading
    assert view.against_champion is not None
    features = next(line for line in view.against_champion.changes if line.label == "model.features")
    assert (features.about, features.hint) == ("features", "added: zip")
    assert view.champion
    assert view.context == "Pre-screens applications."
    assert view.findings[0].owner == "Dana"
    assert view.history[0].says == "asked the ML Governance Analyst to review"
    assert view.dossier_digest.startswith("sha256:")
    domain = next(q for q in view.answers if q.id == "decision.domain")
    assert domain.provenance is not None
    assert (domain.provenance.kind, domain.provenance.origin, domain.provenance.by) == ("confirmed", "MLmodel", "Dana")
    assert view.questions.total == len(view.answers) == 3
    json.dumps(to_json(view))


def test_buttons_say_why_not() -> None:
    people, row = making.everybody(), rich()
    offered = {a.action: a for a in decision_view(row.pk, making.call(people["amir"])).actions}
    assert (
        offered["approve"].available
        and offered["request_changes"].available
        and offered["reject"].available
        and offered["claim"].available
    )
    assert not offered["withdraw"].available
    dana = {a.action: a for a in decision_view(row.pk, making.call(people["dana"])).actions}
    assert dana["withdraw"].available
    assert "belongs to the ML Governance Analyst" in dana["approve"].why_not


def test_what_is_offered_is_what_the_service_takes() -> None:
    people = making.everybody()
    for name in people:
        row = making.in_review()
        view = decision_view(row.pk, making.call(people[name]))
        offered = next(a for a in view.actions if a.action == "approve").available
        try:
            decide(
                caller=making.call(people[name]),
                submission_id=row.pk,
                dossier_digest=view.dossier_digest,
                decision=making.approve(),
            )
            taken = True
        except Exception:
            taken = False
        assert offered is taken, name


def test_another_unit_finds_nothing() -> None:
    row = rich()
    stranger = making.person("sam", Role.ANALYST, at=making.unit("shop"))
    with pytest.raises(NotFound):
        decision_view(row.pk, making.call(stranger))


def test_the_digest_shown_is_the_one_that_is_decided_on_and_items_come_back() -> None:
    people, row = making.everybody(), rich()
    view = decision_view(row.pk, making.call(people["amir"]))
    item = NewChange("Show the groups by age.", "A ratio above 0.8 in each band.", "GF101")
    decide(
        caller=making.call(people["amir"]),
        submission_id=row.pk,
        dossier_digest=view.dossier_digest,
        decision=NewDecision(DecisionKind.REQUEST_CHANGES, change_items=(item,)),
    )
    after = decision_view(row.pk, making.call(people["dana"]))
    assert [(i.about, i.good_enough, i.asked_by) for i in after.change_items] == [
        ("GF101", "A ratio above 0.8 in each band.", "Amir")
    ]
    assert next(a for a in after.actions if a.action == "revise").available


def test_a_draft_is_judged_as_it_stands() -> None:
    people = making.everybody()
    making.policy()
    row = making.draft()
    view = decision_view(row.pk, making.call(people["dana"]))
    assert (view.state, view.track, view.track_is_final) == ("draft", "red", False)
    assert next(a for a in view.actions if a.action == "submit").available


def test_the_verdict_needs_no_history() -> None:
    """Read without what only people look at, the document is the same, and costs five statements whatever the size."""
    people = making.everybody()
    making.policy()
    draft, small, large = making.draft(), rich(1), rich(7)
    caller = making.call(people["amir"])
    decide(
        caller=caller,
        submission_id=small.pk,
        dossier_digest=decision_view(small.pk, caller).dossier_digest,
        decision=NewDecision(
            DecisionKind.REQUEST_CHANGES, change_items=(NewChange("Show the groups.", "Above 0.8 in each.", "GF101"),)
        ),
    )
    costs = set()
    for row in (draft, small, large):
        whole = verdict_document(decision_view(row.pk, caller))
        with CaptureQueriesContext(connection) as caught:
            assert verdict_document(view_for_verdict(row.pk, caller)) == whole
        costs.add(len(caught) if row is not draft else 0)  # a draft is judged now
    assert max(costs) <= 5 and len(costs) == 2
