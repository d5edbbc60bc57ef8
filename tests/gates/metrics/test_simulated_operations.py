"""Load tests and A/B tests of the simulator: what they are made of is what the collectors find."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gates.collecting import EvidenceInput, Inputs
from gates.metrics import cost, experiment
from gates.simulator.operations import AbTest, LoadTest, cost_report
from gates.spec import Measured


def test_cost_and_latency_are_those_of_the_dials(tmp_path: Path) -> None:
    slow, usual = LoadTest(14.0, samples=4_000), LoadTest(11.0, samples=4_000)
    path = tmp_path / "cost.json"
    volume, budget = 3_000_000_000, 520
    path.write_bytes(
        cost_report(slow, usual, seed=8, predictions_per_month=volume, budget=budget, owner="shop-platform", p95_ms=60)
    )
    got = cost.collect(Inputs({"cost_report": EvidenceInput("cost_report", str(path), "cost.json", "")}))
    measured = Measured(got.measures)
    truths = {
        "cost.per_1k": slow.per_1k,
        "cost.per_month": slow.per_1k * volume / 1000,
        "cost.ratio": 14 / 11,
        "cost.latency_p50": 14.0,
        "cost.latency_p95": slow.percentile(1.6449),
        "cost.champion.latency_p95": usual.percentile(1.6449),
    }
    for metric, truth in truths.items():
        row = measured.one(metric)
        assert row is not None and row.low is not None and row.high is not None
        assert row.low <= truth <= row.high, metric
        assert row.value == pytest.approx(truth, rel=0.05)
    assert slow.per_1k * volume / 1000 > budget
    over = measured.one("cost.over_budget")
    assert over is not None and over.value == 1


def test_a_test_of_the_simulator_is_whole_and_its_split_can_be_broken(tmp_path: Path) -> None:
    test = AbTest("a", "t", "order", "newer first", date(2026, 11, 23), observed={"control": 821_588, "treatment": 815_482})
    path = tmp_path / "experiment.json"
    path.write_bytes(test.document())
    item = EvidenceInput("experiment", str(path), "experiment.json", "")
    got = experiment.collect(Inputs({"experiment": item}, {"rollout.strategy": "ab_test", "rollout.traffic_percent": 5}))
    rows = {row.group: row.value for row in got.measures if row.metric == "experiment.setup"}
    assert set(rows.values()) == {1.0}
    split = Measured(got.measures).one("experiment.split_p")
    assert split is not None and split.value == pytest.approx(1.8e-6, rel=0.03)
