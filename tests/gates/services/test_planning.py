"""Planning runs: which collectors, carried over or not, and never waiting for the broker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from gates import registry
from gates.models import Chart, GateRun, Measurement
from gates.services.claiming import claim_light
from gates.services.control import run_again
from gates.services.finishing import Result, finish
from gates.services.planning import PRIORITY, missing_words, needed_collectors, plan_runs
from governance.domain.errors import Conflict
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Kind, RunStatus, Track
from governance.models import AuditEvent, DataSource, Revision, Submission
from governance.policy import evaluate
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_in_force
from governance.services import work as work_module
from governance.services.messages import BOX, Message
from governance.services.packs import load_shipped_packs
from governance.services.work import unit_of_work
from tests.gates import making
from tests.gates.services.test_finishing import found
from tests.stack import Running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plugin")]


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    sent: list[Message] = []
    monkeypatch.setattr(work_module.BOX, "post", lambda message: bool(sent.append(message)) or True)
    return sent


@pytest.fixture(autouse=True)
def packs(transactional_db: None) -> None:
    load_shipped_packs(caller=SYSTEM)


def plan(of: Submission) -> list[GateRun]:
    """As the submit transaction does it."""
    _, pack = pack_in_force("ml_model")
    revision = Revision.objects.get(submission=of, number=of.revision)
    facts = FactSet.from_json(revision.facts)
    with unit_of_work(SYSTEM) as work:
        assessment = evaluate(pack, facts, pending=frozenset().union(*pack.measured.values()))
        return plan_runs(work, submission=of, revision=revision, pack=pack, assessment=assessment, facts=facts)


def with_files(**columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [making.evidence(role, f"{role}\n1\n".encode(), columns=given) for role, given in columns.items()]


FILES = {"candidate_predictions": {"label": "y"}, "baseline_predictions": {"label": "y"}, "candidate_model": {}}


def test_each_collector_that_a_gate_or_rule_needs_gets_one_run(posted: list[Message]) -> None:
    of = making.submission(facts={"decision.domain": "credit"}, evidence=with_files(**FILES))
    runs = plan(of)
    names = [run.collector for run in runs]
    assert names == sorted(set(names))
    assert {"performance", "fairness", "explanations"} <= set(names)
    assert all(run.heavy == registry.collector(run.collector).heavy for run in runs)
    assert {run.priority for run in runs} == {PRIORITY[Track.RED]}
    heavy = [run.pk for run in runs if run.heavy and run.status == RunStatus.QUEUED]
    assert [(message.task, message.ids, message.priority) for message in posted] == [
        *dict.fromkeys(
            ("gates.run_heavy", (run.pk,), 0) if run.heavy else ("gates.run_light", (of.pk,), 0)
            for run in runs
            if run.status == RunStatus.QUEUED
        )
    ]
    assert heavy
    assert AuditEvent.objects.filter(action="gate_runs.planned", object=f"submission:{of.pk}").count() == 1


def test_a_green_plan_measures_what_a_stricter_track_would_need_too() -> None:
    _, pack = pack_in_force("ml_model")
    red = {collector.name for collector in needed_collectors(pack, Kind.ML_MODEL, Track.RED)}
    green = {collector.name for collector in needed_collectors(pack, Kind.ML_MODEL, Track.GREEN)}
    assert red <= green


def test_inputs_are_frozen_and_hold_only_what_the_collector_uses(posted: list[Message]) -> None:
    of = making.submission(facts={"model.task": "classification", "vendor.third_party": True}, evidence=with_files(**FILES))
    DataSource.objects.create(unit=of.unit, name="s3://loans", owner="data office", approved=True, consent_basis="contract")
    DataSource.objects.create(unit=making.unit("shop"), name="s3://carts", owner="shop", approved=True)
    plan(of)
    run = GateRun.objects.get(collector="performance")
    assert set(run.inputs["evidence"]) == {"candidate_predictions", "baseline_predictions"}
    assert run.inputs["evidence"]["candidate_predictions"]["columns"] == {"label": "y"}
    assert run.inputs["facts"] == {"model.task": "classification"}
    assert "registered_sources" not in run.inputs["settings"]
    lineage = GateRun.objects.get(collector="lineage")
    assert set(lineage.inputs["settings"]["registered_sources"]) == {"s3://loans"}
    assert "path" not in run.inputs["evidence"]["candidate_predictions"]


def test_a_missing_required_file_is_said_at_once(posted: list[Message]) -> None:
    of = making.submission()
    plan(of)
    run = GateRun.objects.get(collector="performance")
    assert (run.status, run.attempt) == (RunStatus.DONE, 0)
    assert run.not_measured == missing_words(["candidate_predictions"])
    assert "Add it under Evidence" in run.not_measured


def finish_everything(of: Submission) -> None:
    for claim in claim_light(of.pk, worker="w"):
        finish([Result(claim, found(), pictures={"bars": ("<svg/>", "<svg/>")})])


def test_a_revision_carries_over_what_did_not_change_and_runs_the_rest(posted: list[Message]) -> None:
    of = making.submission(evidence=with_files(**FILES))
    plan(of)
    finish_everything(of)
    before = {run.collector: run for run in GateRun.objects.filter(revision=1)}
    changed = with_files(**{**FILES, "baseline_predictions": {"label": "other"}})
    making.revise(of, 2, evidence=changed)
    after = {run.collector: run for run in plan(of)}
    performance, other = after["performance"], after["serialization"]
    assert (performance.status, performance.carried_from_id) == (RunStatus.QUEUED, None)
    assert performance.input_digest != before["performance"].input_digest
    assert (other.status, other.carried_from_id) == (RunStatus.DONE, before["serialization"].pk)
    rows = list(Measurement.objects.filter(run=other).values_list("metric", "group", "value", "low", "high", "n", "detail"))
    assert rows == list(
        Measurement.objects.filter(run=before["serialization"]).values_list(
            "metric", "group", "value", "low", "high", "n", "detail"
        )
    )
    assert len(rows) == 2
    assert Chart.objects.filter(run=other).count() == 1
    assert other.facts == before["serialization"].facts
    assert other.results_digest == before["serialization"].results_digest != ""


def test_the_name_of_a_file_does_not_make_it_another_measurement(posted: list[Message]) -> None:
    of = making.submission(evidence=[making.evidence("candidate_predictions", name="a.csv")])
    first = {run.collector: run.input_digest for run in plan(of)}
    making.revise(of, 2, evidence=[making.evidence("candidate_predictions", name="b.csv")])
    assert {run.collector: run.input_digest for run in plan(of)} == first


def test_a_new_revision_cancels_what_the_earlier_one_still_runs(posted: list[Message]) -> None:
    of = making.submission(evidence=with_files(**FILES))
    plan(of)
    claims = claim_light(of.pk, worker="w")
    making.revise(of, 2, evidence=with_files(**FILES))
    plan(of)
    assert set(GateRun.objects.filter(revision=1).values_list("status", flat=True)) <= {RunStatus.CANCELLED, RunStatus.DONE}
    assert finish([Result(claims[0], found())]) == []
    assert AuditEvent.objects.filter(action="gate_runs.cancelled").count() == 1


def test_nothing_to_run_settles_at_once(posted: list[Message]) -> None:
    of = making.submission()
    plan(of)
    finish_everything(of)
    GateRun.objects.filter(status=RunStatus.QUEUED).update(status=RunStatus.DONE)
    posted.clear()
    making.revise(of, 2)
    assert {run.status for run in plan(of)} == {RunStatus.DONE}
    assert posted == [Message("reviews.settle", (of.pk,))]


def test_error_runs_can_be_run_again_and_an_old_answer_stays_old(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "tally_one", attempt=2)
    (claim,) = claim_light(of.pk, worker="w")
    finish([Result(claim, failure="It crashed.")])
    assert GateRun.objects.get().status == RunStatus.ERROR
    posted.clear()
    with unit_of_work(SYSTEM) as work:
        (run,) = run_again(work, submission=of)
    assert posted == [Message("gates.run_light", (of.pk,), 9)]
    (again,) = claim_light(of.pk, worker="w")
    # a row of its own: the one that stopped keeps its place in the record and its words
    assert (run.pk, run.again_of_id, again.attempt, again.max_attempts) == (again.id, claim.id, 1, 3)
    earlier = GateRun.objects.get(pk=claim.id)
    assert (earlier.current, earlier.status, earlier.attempt) == (False, RunStatus.ERROR, 3)
    assert earlier.error.startswith("It crashed.")
    assert finish([Result(claim, found())]) == []
    assert finish([Result(again, found())]) == [again.id]
    with pytest.raises(Conflict, match="nothing to run again"), unit_of_work(SYSTEM) as work:
        run_again(work, submission=of)


def test_a_dead_broker_does_not_slow_the_plan_and_loses_nothing(broker: Running | None) -> None:
    if broker is None:
        pytest.skip("REDIS_URL names a broker that the tests may not kill")
    of = making.submission(evidence=with_files(**FILES))
    broker.kill()
    started = time.monotonic()
    runs = plan(of)
    assert time.monotonic() - started < 1.0
    assert GateRun.objects.filter(status=RunStatus.QUEUED).count() == sum(run.status == RunStatus.QUEUED for run in runs) > 0
    assert BOX.flush(20)
