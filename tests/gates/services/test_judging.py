"""Judging stored measurements: fails closed."""

from __future__ import annotations

from typing import Any

import pytest

from gates import registry
from gates.collecting import Collected, MeasuredFact
from gates.models import GateOutcome, GateRun
from gates.selectors.measured import measured_facts, measured_of
from gates.selectors.outcomes import outcomes_of
from gates.services.claiming import claim_light
from gates.services.finishing import Result, finish
from gates.services.judging import judge
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Assurance, RunStatus, Track, Verdict
from governance.models import AuditEvent, Submission
from governance.policy import Pack
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_in_force
from governance.services.packs import load_shipped_packs
from governance.services.work import unit_of_work
from tests.gates import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def pack(db: None) -> Pack:
    load_shipped_packs(caller=SYSTEM)
    return pack_in_force("ml_model")[1]


def judged(of: Submission, pack: Pack, track: Track = Track.RED) -> dict[str, GateOutcome]:
    with unit_of_work(SYSTEM) as work:
        return {row.code: row for row in judge(work, submission=of, revision=1, pack=pack, track=track)}


def example_of(code: str, verdict: Verdict) -> Measured:
    gate = registry.gates()[code]
    return Measured.of(next(e for e in gate.examples if e.verdict is verdict and not e.limits).measured)


def measure(of: Submission, collector: str, collected: Collected) -> None:
    making.run(of, collector)
    (claim,) = claim_light(of.pk, worker="w")
    finish([Result(claim, collected)])


def test_a_stored_measurement_is_judged_with_the_packs_limits(pack: Pack) -> None:
    of = making.submission(facts={"decision.domain": "credit"})
    measure(of, "fairness", Collected(example_of("GF101", Verdict.FAIL).rows))
    outcome = judged(of, pack)["GF101"]
    assert outcome.verdict == Verdict.FAIL
    assert outcome.observed is not None
    assert outcome.says
    assert outcome.fix
    use = next(use for use in pack.gates if use.gate == "GF101")
    assert outcome.blocking is use.blocks(Track.RED)
    assert outcome.limits == registry.gates()["GF101"].limits_with(use.limits_for(Track.RED, "credit"))


def test_every_gate_of_the_track_gets_an_outcome_and_none_passes_without_measurement(pack: Pack) -> None:
    of = making.submission()
    outcomes = judged(of, pack)
    assert set(outcomes) == {use.gate for use in pack.gates if Track.RED in use.tracks}
    assert {row.verdict for row in outcomes.values()} <= {Verdict.NOT_ASSESSED, Verdict.NOT_APPLICABLE}
    event = AuditEvent.objects.get(action="gates.judged")
    assert all(code in event.payload for code in outcomes)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (RunStatus.ERROR, "It crashed. Attempt 3 of 3"),
        (RunStatus.CANCELLED, "cancelled"),
        (RunStatus.QUEUED, "not finished"),
        (RunStatus.RUNNING, "not finished"),
    ],
)
def test_a_run_that_did_not_end_well_leaves_its_gates_not_assessed_with_the_reason(
    pack: Pack, status: RunStatus, says: str
) -> None:
    of = making.submission()
    measure(of, "fairness", Collected(example_of("GF101", Verdict.PASS).rows))
    assert judged(of, pack)["GF101"].verdict == Verdict.PASS
    values: dict[str, Any] = {"status": status, "error": "It crashed. Attempt 3 of 3" if status == RunStatus.ERROR else ""}
    if status == RunStatus.RUNNING:
        values["lease_until"] = "2026-01-01T00:00:00Z"
    GateRun.objects.update(**values)
    outcome = judged(of, pack)["GF101"]
    assert outcome.verdict == Verdict.NOT_ASSESSED
    assert says in outcome.says


def test_missing_evidence_is_not_assessed_and_nothing_to_measure_is_not_applicable(pack: Pack) -> None:
    one, two = making.submission(), making.submission()
    measure(one, "fairness", Collected(not_measured="No file was handed in as “candidate_predictions”."))
    measure(two, "fairness", Collected(not_applicable="The model decides about machines, not people."))
    assert (judged(one, pack)["GF101"].verdict, judged(one, pack)["GF101"].says) == (
        Verdict.NOT_ASSESSED,
        "No file was handed in as “candidate_predictions”.",
    )
    assert judged(two, pack)["GF101"].verdict == Verdict.NOT_APPLICABLE


def test_a_gate_that_breaks_blocks_and_does_not_stop_the_others(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    of = making.submission()
    measure(of, "fairness", Collected(example_of("GF101", Verdict.PASS).rows))

    def broken(measured: Measured, limits: Any) -> GateResult:
        raise ZeroDivisionError

    gate = registry.gates()["GF101"]
    monkeypatch.setitem(registry.gates(), "GF101", type(gate)(**{**vars(gate), "judge": broken}))  # type: ignore[arg-type]
    outcomes = judged(of, pack)
    assert outcomes["GF101"].verdict == Verdict.NOT_ASSESSED
    assert "ZeroDivisionError" in outcomes["GF101"].says
    assert len(outcomes) > 5


def test_a_gate_the_installation_lacks_blocks(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    of = making.submission()
    monkeypatch.delitem(registry.gates(), "GF101")  # type: ignore[arg-type]
    outcome = judged(of, pack)["GF101"]
    assert outcome.verdict == Verdict.NOT_ASSESSED
    assert "no gate GF101" in outcome.says


def test_judging_again_keeps_what_was_said_before(pack: Pack) -> None:
    of = making.submission()
    first = judged(of, pack)
    second = judged(of, pack)
    assert GateOutcome.objects.count() == len(first) + len(second)
    assert {row.pk for row in outcomes_of(of.pk, 1)} == {row.pk for row in second.values()}
    assert outcomes_of(of.pk, 2) == []


def test_a_track_asks_for_its_own_gates_only(pack: Pack) -> None:
    green = judged(making.submission(), pack, Track.GREEN)
    assert set(green) == {use.gate for use in pack.gates if Track.GREEN in use.tracks}


def test_measurements_come_back_as_stored_and_facts_with_the_highest_assurance() -> None:
    of = making.submission()
    rows = example_of("GF101", Verdict.FAIL).rows
    measure(of, "fairness", Collected(rows, facts=(MeasuredFact("performance.candidate", 0.8, 0.7, 0.9, "score"),)))
    making.run(
        of, "performance", status=RunStatus.ERROR, error="It crashed.", facts=[{"name": "performance.baseline", "value": 1.0}]
    )
    back = measured_of(of.pk, 1)
    assert sorted(back.rows, key=str) == sorted(rows, key=str)
    assert back.not_measured == {"performance": "It crashed."}
    (fact,) = measured_facts(of.pk, 1)
    assert (fact.name, fact.value, fact.low, fact.high, fact.assurance) == (
        "performance.candidate",
        0.8,
        0.7,
        0.9,
        Assurance.MEASURED,
    )
    assert (fact.origin, fact.digest) == ("measured:fairness", "sha256:fairness")
    assert measured_of(of.pk, 2).rows == ()
