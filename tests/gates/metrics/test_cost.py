"""Cost and latency: Little's law by hand, bootstrap ratios as measured elsewhere, every kind of bad report refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates import registry
from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import cost
from gates.metrics.statistics import latency
from gates.pictures.render import draw
from gates.spec import GateResult, Measure, Measured
from governance.domain.vocabulary import Verdict


def samples(n: int = 2_000, median: float = 10.0, seed: int = 1) -> list[float]:
    return (median * np.random.default_rng(seed).lognormal(0, 0.5, n)).tolist()


def run(median: float = 10.0, seed: int = 1, n: int = 2_000, **more: Any) -> dict[str, Any]:
    load = {"hardware": "c7i.large", "batch_size": 1, "concurrency": 8, "price_per_hour": 0.36, "unit": "ms"}
    return {**load, "latency": samples(n, median, seed), "memory_mb": 512, "model_size_mb": 3.4, **more}


def report(**more: Any) -> dict[str, Any]:
    body = {
        "currency": "EUR",
        "predictions_per_month": 3_000_000,
        "budget": {"per_month": 900, "owner": "shop-platform"},
        "objective": {"p95_ms": 40},
        "candidate": run(),
        "champion": run(seed=2),
    }
    return {**body, **more}


def collect(folder: Path, body: Any, name: str = "cost.json", **given: Any) -> Collected:
    path = folder / name
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    item = EvidenceInput("cost_report", str(path), name, "", {}, given.pop("fmt", ""))
    return cost.collect(Inputs({"cost_report": item}, given.get("facts", {}), given.get("settings", {})))


def one(collected: Collected, metric: str, group: str = "") -> Measure:
    row = Measured(collected.measures).one(metric, group)
    assert row is not None, metric
    return row


def judged(collected: Collected, code: str = "GC101") -> GateResult:
    gate = registry.gate(code)
    return gate.judge(Measured(collected.measures), gate.limits_with())


def test_the_cost_is_price_over_predictions_made(tmp_path: Path) -> None:
    got = collect(tmp_path, report())
    seconds = float(np.mean(samples())) / 1000
    by_hand = 0.36 / 3600 * seconds / 8 * 1000
    assert one(got, "cost.per_1k").value == pytest.approx(by_hand, rel=1e-9)
    assert one(got, "cost.per_month").value == pytest.approx(by_hand * 3000, rel=1e-9)
    assert one(got, "cost.predictions_per_second").value == pytest.approx(8 / seconds)
    facts = {fact.name: fact.value for fact in got.facts}
    assert facts["cost.per_1k_predictions"] == pytest.approx(by_hand) and facts["cost.over_budget"] is False
    assert facts["cost.budget_per_month"] == 900 and 0.9 < facts["cost.ratio"] < 1.1
    assert judged(got).verdict is Verdict.PASS and judged(got, "GC102").verdict is Verdict.PASS


def test_half_used_hardware_costs_twice(tmp_path: Path) -> None:
    full, half = collect(tmp_path, report()), collect(tmp_path, report(utilisation=0.5))
    assert one(half, "cost.per_1k").value == pytest.approx(2 * (one(full, "cost.per_1k").value or 0))


def test_over_the_budget_fails_and_says_who_has_to_approve(tmp_path: Path) -> None:
    got = collect(tmp_path, report(budget={"per_month": 0.3, "owner": "shop-platform"}))
    result = judged(got)
    assert result.verdict is Verdict.FAIL
    assert "over the budget of shop-platform" in result.says and "budget owner has to approve" in result.says
    assert next(fact for fact in got.facts if fact.name == "cost.over_budget").value is True


@pytest.mark.parametrize(("median", "verdict"), [(10.0, Verdict.PASS), (13.5, Verdict.WARN), (20.0, Verdict.FAIL)])
def test_the_ratio_to_the_champion(tmp_path: Path, median: float, verdict: Verdict) -> None:
    assert judged(collect(tmp_path, report(candidate=run(median)))).verdict is verdict


@pytest.mark.parametrize(("most", "verdict"), [(60, Verdict.PASS), (23.5, Verdict.WARN), (15, Verdict.FAIL)])
def test_latency_against_the_objective(tmp_path: Path, most: float, verdict: Verdict) -> None:
    result = judged(collect(tmp_path, report(objective={"p95_ms": most})), "GC102")
    assert result.verdict is verdict, result.says


def test_other_hardware_is_not_compared(tmp_path: Path) -> None:
    got = collect(tmp_path, report(champion=run(seed=2, hardware="c7i.xlarge", concurrency=4)))
    reason = one(got, "cost.ratio").reason
    assert "hardware “c7i.large” against “c7i.xlarge”" in reason and "concurrency 8 against 4" in reason
    assert judged(got).verdict is Verdict.WARN
    assert "cost.ratio" not in {fact.name for fact in got.facts}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"candidate": run(n=120)}, "expected at least 300 samples after warm-up .*found 120"),
        ({"candidate": {**run(), "latency": [-1.0, *samples()]}}, "expected times above zero, found 1 of 2,001"),
        ({"candidate": {**run(), "latency": [0.0, *samples()]}}, "expected times above zero"),
        ({"candidate": {**run(), "latency": [80.0] * 150 + samples()}}, "samples after warm-up, found a median of 80 ms"),
        ({"candidate": {**run(), "latency": 10.4}}, "Averages hide the slow ones"),
        ({"candidate": {**{k: v for k, v in run().items() if k != "latency"}, "p95": 20}}, "found only p95"),
        ({"candidate": {**run(), "latency": [10.0] * 1000}}, "one value repeated: an average"),
        ({"candidate": {**run(), "latency": [v / 1000 for v in samples()]}}, "One of them is probably in seconds"),
        ({"candidate": {**run(), "unit": ""}}, "expected ms, s or us, found nothing"),
        ({"candidate": {**run(), "hardware": ""}}, "“candidate.hardware”: expected the machine"),
        ({"candidate": {**run(), "concurrency": 0}}, "“candidate.concurrency”: expected a number above zero"),
        ({"candidate": {**run(), "price_per_hour": -1}}, "“candidate.price_per_hour”"),
        ({"candidate": {**run(), "latency": ["10"] * 400}}, "expected a list of numbers"),
        ({"candidate": None}, "expected the candidate's load test"),
        ({"utilisation": 60}, "Write 0.6 for 60 %"),
        ({"budget": {"per_month": "much"}}, "“budget.per_month”"),
    ],
)
def test_bad_reports_are_refused_with_the_place(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(EvidenceProblem, match=words):
        collect(tmp_path, report(**change))


@pytest.mark.parametrize("text", ["[1, 2]", '{"candidate": ', "a: &x [1]\nb: *x\n", "\x00\x01", "{}"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EvidenceProblem):
        collect(tmp_path, text)


def test_seconds_and_milliseconds_say_the_same(tmp_path: Path) -> None:
    plain = collect(tmp_path, report())
    seconds = {**run(), "unit": "s", "latency": [value / 1000 for value in samples()]}
    assert one(collect(tmp_path, report(candidate=seconds)), "cost.latency_p95").value == pytest.approx(
        one(plain, "cost.latency_p95").value
    )


def test_a_table_of_samples_gives_the_same_figures(tmp_path: Path) -> None:
    sides = []
    for side, seed in (("candidate", 1), ("champion", 2)):
        load = {"hardware": "c7i.large", "batch_size": 1, "concurrency": 8, "price_per_hour": 0.36}
        sides.append(pd.DataFrame({"version": side, "latency_ms": samples(seed=seed), **load}))
    table = pd.concat(sides).assign(currency="EUR", predictions_per_month=3_000_000, budget_per_month=900, p95_ms=40)
    got, plain = collect(tmp_path, table.to_csv(index=False), "cost.csv"), collect(tmp_path, report())
    for metric in ("cost.per_1k", "cost.per_month", "cost.ratio_p99", "cost.over_budget"):
        assert one(got, metric).value == pytest.approx(one(plain, metric).value, rel=1e-9)
    mixed = table.assign(hardware=["a", "b"] * (len(table) // 2))
    with pytest.raises(EvidenceProblem, match="“hardware”: expected one value for candidate, found 2"):
        collect(tmp_path, mixed.to_csv(index=False), "cost.csv")


def test_what_is_missing_is_not_assessed_and_named(tmp_path: Path) -> None:
    got = collect(tmp_path, report(budget=None, objective=None))
    assert judged(got).verdict is Verdict.NOT_ASSESSED and "no budget" in judged(got).says
    assert judged(got, "GC102").verdict is Verdict.NOT_ASSESSED
    free = collect(tmp_path, report(candidate=run(price_per_hour=None), champion=None))
    assert "no price" in judged(free).says and free.facts == ()


def test_without_a_report_a_small_declared_cost_needs_none() -> None:
    settings = {"cost.report_from_per_month": 500}
    small = cost.collect(Inputs(facts={"cost.per_1k_predictions": 0.04, "impact.people_per_month": 90_000}, settings=settings))
    assert "3.60 a month, under 500" in small.not_applicable
    large = cost.collect(Inputs(facts={"cost.per_1k_predictions": 40, "impact.people_per_month": 90_000}, settings=settings))
    silent = cost.collect(Inputs(settings=settings))
    assert large.not_measured and silent.not_measured


def test_every_chart_is_drawn_and_the_trend_needs_earlier_versions(tmp_path: Path) -> None:
    earlier = [{"version": "1.0.0", "per_1k": 0.0001}, {"version": "1.1.0", "per_1k": 0.00012}]
    got = collect(tmp_path, report(), settings={"earlier_costs": earlier})
    assert [picture.key for picture in got.pictures] == ["cost.latency", "cost.month", "cost.trend"]
    assert [row[0] for row in got.pictures[2].rows] == ["1.0.0", "1.1.0", "this version"]
    for picture in got.pictures:
        assert picture.description and {len(row) for row in picture.rows} == {len(picture.columns)}
        assert set(draw(picture.spec)) == {"light", "dark"}
    assert len(collect(tmp_path, report()).pictures) == 2


@pytest.mark.parametrize(
    ("n", "q", "chance"), [(100, 0.5, 0.018), (100, 0.95, 0.107), (100, 0.99, 0.193), (300, 0.95, 0.016), (1000, 0.99, 0.016)]
)
def test_chance_that_an_unchanged_model_looks_a_fifth_slower(n: int, q: float, chance: float) -> None:
    """The figures measured for the gate's documentation (log-normal, sigma 0.5), by the quantile used here."""
    rng = np.random.default_rng(7)
    a, b = (np.quantile(rng.lognormal(0, 0.5, (4_000, n)), q, axis=1) for _ in range(2))
    assert float((a / b > 1.2).mean()) == pytest.approx(chance, abs=0.012 + 0.05 * chance)


def test_bootstrap_intervals_cover_the_truth() -> None:
    hits = {"p50": 0, "p95": 0, "ratio_p95": 0, "ratio": 0}
    z95 = float(np.exp(0.5 * 1.6448536))
    for seed in range(150):
        rng = np.random.default_rng(seed)
        a, b = rng.lognormal(0, 0.5, 1_000), rng.lognormal(0, 0.5, 1_000)
        truths = {"p50": 1.0, "p95": z95, "ratio_p95": 1.0, "ratio": 1.0}
        found = {
            "p50": latency.percentile(a, 0.5, seed=seed),
            "p95": latency.percentile(a, 0.95, seed=seed),
            "ratio_p95": latency.percentile_ratio(a, b, 0.95, seed=seed),
            "ratio": latency.mean_ratio(a, b, seed=seed),
        }
        for name, interval in found.items():
            hits[name] += interval.low <= truths[name] <= interval.high
    assert all(0.90 <= count / 150 <= 0.995 for count in hits.values()), hits
