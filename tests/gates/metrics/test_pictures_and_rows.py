"""Every picture of every collector: its table, its chart and its words hold the collector's own measurements and nothing else.

A number a table shows is one that is stored (to the digits shown), or one the chart draws: curves have points that are no
measurement of their own. A number the description names is stored, or in the table.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from gates import registry
from gates.collecting import EvidenceInput, Inputs
from gates.simulator.folder import simulate
from gates.simulator.operations import AbTest, LoadTest, cost_report
from gates.simulator.planting import Dials
from governance.domain.facts import FactSet
from governance.prefill.reading import read_source
from tests.gates.numbers import among, numbers, shown, stored, with_inverses

DRAWING = (
    "calibration", "cost", "data_quality", "drift", "experiment", "explanations", "fairness", "label_drift", "performance",
    "representativeness", "rollback", "slices",
)  # fmt: skip


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """A lender with planted faults, its load test and its A/B test, and the facts of its metadata."""
    folder = tmp_path_factory.mktemp("portfolio")
    simulate(Dials(rows=2_000, training_rows=3_000, disparity=0.8, drift=0.6), folder)
    body = json.loads((folder / "submission.json").read_text())
    evidence = {
        item["role"]: EvidenceInput(item["role"], str(folder / item["file"]), item["file"], item["role"], item["columns"])
        for item in body["evidence"]
    }
    slow, usual = LoadTest(14.0), LoadTest(11.0)
    split = AbTest("a", "t", "order", "newer", date(2026, 11, 23), observed={"control": 8_215, "treatment": 8_154})
    more = {
        "cost_report": cost_report(slow, usual, seed=8, predictions_per_month=3e9, budget=520, owner="shop", p95_ms=60),
        "experiment": split.document(),
    }
    for role, content in more.items():
        (folder / f"{role}.json").write_bytes(content)
        evidence[role] = EvidenceInput(role, str(folder / f"{role}.json"), f"{role}.json", role)
    facts = FactSet.of(
        fact for source in body["sources"] for fact in read_source(source["name"], (folder / source["name"]).read_bytes()).facts
    )
    known = {fact: facts.value(fact) for fact in facts.by_name}
    known |= {"champion.exists": True, "rollout.strategy": "ab_test", "rollout.traffic_percent": 5}
    register = {"everybody": {"shares": {"sex": {"female": 0.5, "male": 0.5}}, "source": "census"}}
    return Inputs(evidence, {**known, "data.reference_population": "everybody"}, {"reference_populations": register})


def drawn(part: object) -> list[object]:
    """All data values of a specification, wherever they stand in it."""
    found: list[object] = []
    if isinstance(part, dict):
        data = part.get("data")
        found.extend(data["values"] if isinstance(data, dict) and "values" in data else [])
        for inner in part.values():
            found.extend(drawn(inner))
    elif isinstance(part, list | tuple):
        for inner in part:
            found.extend(drawn(inner))
    return found


@pytest.mark.parametrize("name", DRAWING)
def test_table_chart_and_words_are_of_the_measured_rows(portfolio: Inputs, name: str) -> None:
    collector = registry.collector(name)
    wanted = {role: item for role, item in portfolio.evidence.items() if role in {*collector.requires, *collector.optional}}
    got = collector.collect(Inputs(wanted, portfolio.facts, portfolio.settings))
    assert not got.not_measured and not got.not_applicable, got
    assert got.pictures, f"{name} draws nothing here: give it evidence"
    limits = [gate.limits for gate in registry.gates().values() if name in gate.collectors]
    held = with_inverses(stored(got.measures) | set(numbers(limits)))
    for picture in got.pictures:
        chart = set(numbers(drawn(picture.spec)))
        chart |= {value / 100 for value in chart} | {100 * value for value in chart}
        for row in picture.rows:
            apart = {first - second for first in numbers(row) for second in numbers(row)}  # of two columns, in a third
            for cell in row:
                for word, size, places in [] if cell is None else shown(str(cell)):
                    known = among(size, places, held | chart) or any(abs(abs(one) - size) <= 1.1 * 10.0**-places for one in apart)
                    assert known, f"{picture.key}: “{word}” of {row} was neither measured nor drawn"
        table = set(numbers(picture.rows))
        for word, size, places in shown(f"{picture.title}. {picture.description}"):
            assert among(size, places, held | table | chart), f"{picture.key}: “{word}” in “{picture.description}”"


def test_every_collector_that_draws_is_among_them() -> None:
    drawing = set()
    for name, collector in registry.collectors().items():
        folder = Path(registry.__file__).parent / "metrics"
        if any(folder.glob(f"{collector.module.rpartition('.')[2]}*_pictures_impl.py")):
            drawing.add(name)
    assert drawing <= set(DRAWING), drawing - set(DRAWING)
