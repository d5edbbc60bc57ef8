"""Label drift and representativeness: planted shifts are found with their size, draws of the same population are not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates import registry
from gates.collecting import Collected, EvidenceProblem, Inputs
from gates.metrics import label_drift, representativeness
from gates.pictures.render import draw
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers.model_files import evidence


def judge(code: str, collected: Collected, **limits: Any) -> GateResult:
    gate = registry.gate(code)
    reasons = {gate.collectors[0]: collected.not_measured} if collected.not_measured else {}
    return gate.judge(Measured(collected.measures, reasons), gate.limits_with(limits))


def labels(folder: Path, before: Any, after: Any, *, times: Any = None) -> Collected:
    first, second = pd.DataFrame({"y": before}), pd.DataFrame({"outcome": after})
    mapped: dict[str, str] = {}
    if times is not None:
        first["t"] = second["t"] = times
        mapped = {"time": "t"}
    first.to_parquet(folder / "reference.parquet")
    second.to_csv(folder / "current.csv", index=False)
    return label_drift.collect(
        Inputs(
            {
                "reference_sample": evidence("reference_sample", folder / "reference.parquet", label="y", **mapped),
                "current_sample": evidence("current_sample", folder / "current.csv", label="outcome", **mapped),
            }
        )
    )


def share(rows: int, positives: int) -> np.ndarray:
    return (np.arange(rows) < positives).astype(int)


@pytest.mark.parametrize(
    ("positives", "verdict"),
    [(2_000, Verdict.PASS), (2_200, Verdict.PASS), (2_240, Verdict.WARN), (2_500, Verdict.WARN), (2_520, Verdict.FAIL)],
)
def test_the_factor_of_a_rise_is_exact(tmp_path: Path, positives: int, verdict: Verdict) -> None:
    collected = labels(tmp_path, share(10_000, 2_000), share(10_000, positives))
    row = Measured(collected.measures).one("label_drift.ratio")
    assert row is not None and row.value == pytest.approx(positives / 2_000)
    result = judge("GD111", collected)
    assert result.verdict is verdict, result.says
    assert all(draw(picture.spec) for picture in collected.pictures)


def test_a_fall_counts_as_much_as_a_rise_and_the_interval_turns_with_it(tmp_path: Path) -> None:
    row = Measured(labels(tmp_path, share(10_000, 3_000), share(10_000, 2_000)).measures).one("label_drift.ratio")
    assert row is not None and row.value == pytest.approx(1.5)
    half = 1.959964 * math.sqrt(1 / 2_000 - 1 / 10_000 + 1 / 3_000 - 1 / 10_000)
    assert [row.low, row.high] == pytest.approx([1.5 * math.exp(-half), 1.5 * math.exp(half)], rel=1e-6)
    assert row.detail["difference"] == pytest.approx(-0.1)


def test_few_rows_within_chance_pass_and_too_few_say_nothing(tmp_path: Path) -> None:
    assert judge("GD111", labels(tmp_path, share(200, 40), share(200, 50))).verdict is Verdict.PASS
    too_few = judge("GD111", labels(tmp_path, share(99, 40), share(200, 50)))
    assert too_few.verdict is Verdict.NOT_ASSESSED and "reference.parquet has 99" in too_few.says


def test_false_alarms_where_nothing_moved_are_rare(tmp_path: Path) -> None:
    generator = np.random.default_rng(8)
    alarms = 0
    for _ in range(150):
        before, after = (generator.binomial(1_500, 0.15) for _ in range(2))
        row = next(iter(label_drift_classes(before, after, 1_500)))
        alarms += judge("GD111", Collected((row,))).verdict is not Verdict.PASS
    assert alarms / 150 <= 0.08, f"{alarms} of 150"


def label_drift_classes(before: int, after: int, rows: int) -> Any:
    from gates.metrics.label_drift_impl import Labels, _classes  # noqa: PLC0415

    sides = (Labels("a", {"0": rows - before, "1": before}), Labels("b", {"0": rows - after, "1": after}))
    return [row for row in _classes(*sides) if row.metric == "label_drift.ratio"]


def test_a_class_that_appears_and_classes_of_other_spelling(tmp_path: Path) -> None:
    new = judge("GD111", labels(tmp_path, ["a"] * 500 + ["b"] * 500, ["a"] * 400 + ["b"] * 400 + ["c"] * 200))
    assert new.verdict is Verdict.FAIL and "class c" in new.says
    other = judge("GD111", labels(tmp_path, ["yes"] * 300 + ["no"] * 300, [1] * 300 + [0] * 300))
    assert other.verdict is Verdict.NOT_ASSESSED and "do not spell their labels alike" in other.says
    same = labels(tmp_path, [True, False] * 300, [1.0, 0.0] * 300)
    assert judge("GD111", same).verdict is Verdict.PASS, "true and 1 are one class"


def test_numbers_are_compared_by_their_mean(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    before = generator.normal(100, 20, 4_000)
    assert judge("GD111", labels(tmp_path, before, generator.normal(100, 20, 4_000))).verdict is Verdict.PASS
    shifted = labels(tmp_path, before, before[::-1] + 0.2 * before.std(ddof=1))
    row = Measured(shifted.measures).one("label_drift.mean_shift")
    assert row is not None and row.value == pytest.approx(0.2, abs=1e-9)
    assert judge("GD111", shifted).verdict is Verdict.WARN


def test_the_course_over_time(tmp_path: Path) -> None:
    months = pd.to_datetime([f"2026-{month:02d}-10" for month in range(1, 7)]).repeat(200)
    collected = labels(tmp_path, np.tile(share(200, 40), 6), np.tile(share(200, 42), 6), times=months)
    rows = [row for row in collected.measures if row.metric == "label_drift.period"]
    assert len(rows) == 12
    first = next(row for row in rows if row.group == "sample=reference & period=2026-01-10")
    assert first.value == pytest.approx(0.2)
    assert first.n == 200
    assert len(collected.pictures[0].rows) == 14
    year = pd.date_range("2025-01-01", periods=1_200, freq="8h")
    collected = labels(tmp_path, np.tile(share(200, 40), 6), np.tile(share(200, 42), 6), times=year)
    assert 10 <= len([row for row in collected.measures if row.metric == "label_drift.period"]) <= 48


def test_labels_missing_on_a_side_are_asked_for(tmp_path: Path) -> None:
    collected = labels(tmp_path, share(500, 50), share(500, 50))
    assert not collected.not_measured
    only = label_drift.collect(
        Inputs({"reference_sample": evidence("reference_sample", tmp_path / "reference.parquet", label="y")})
    )
    assert "map columns.label in the current sample or the predictions" in only.not_measured
    assert judge("GD111", only).verdict is Verdict.NOT_ASSESSED


CENSUS = {"sex": {"female": 0.5, "male": 0.5}, "age_band": {"18-29": 0.2, "30-59": 0.55, "60+": 0.25}}
REGISTER = {"Lending customers 2026": {"shares": CENSUS, "source": "customer register"}}


def people(folder: Path, counts: dict[str, int], **inputs: Any) -> Collected:
    bands = np.repeat(list(counts), list(counts.values()))
    frame = pd.DataFrame({"label": 0, "age_band": bands, "sex": np.where(np.arange(len(bands)) % 2, "Female ", "male")})
    frame.to_parquet(folder / "scored.parquet")
    files = {"candidate_predictions": evidence("candidate_predictions", folder / "scored.parquet", label="label")}
    facts = {"data.reference_population": "lending customers 2026"}
    return representativeness.collect(
        Inputs({**files, **inputs.get("files", {})}, inputs.get("facts", facts), {"reference_populations": REGISTER})
    )


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ({"18-29": 2_000, "30-59": 5_500, "60+": 2_500}, Verdict.PASS),
        ({"18-29": 2_000, "30-59": 6_000, "60+": 2_000}, Verdict.PASS),  # 0.80 of its share
        ({"18-29": 2_050, "30-59": 6_000, "60+": 1_950}, Verdict.WARN),
        ({"18-29": 2_500, "30-59": 6_300, "60+": 1_200}, Verdict.FAIL),
        ({"18-29": 3_000, "30-59": 7_000, "60+": 0}, Verdict.FAIL),
        ({"18-29": 12, "30-59": 40, "60+": 10}, Verdict.PASS),  # 62 rows: only one band is expected 30 times
    ],
)
def test_shares_against_the_population(tmp_path: Path, counts: dict[str, int], verdict: Verdict) -> None:
    collected = people(tmp_path, {band: rows for band, rows in counts.items() if rows})
    result = judge("GD110", collected)
    assert result.verdict is verdict, result.says
    measured = Measured(collected.measures)
    total = sum(counts.values())
    for band, rows in counts.items():
        row = measured.one("representativeness.ratio", f"file=evaluation & age_band={band}")
        if total * CENSUS["age_band"][band] >= 30:
            assert row is not None and row.value == pytest.approx(rows / total / CENSUS["age_band"][band])
        else:
            assert row is None
    if total < 100:
        assert "Too small to tell: age_band=18-29" in " ".join(result.notes)
    assert all(draw(picture.spec) for picture in collected.pictures)


def test_a_table_handed_in_counts_before_the_register(tmp_path: Path) -> None:
    table = tmp_path / "census.csv"
    pd.DataFrame({"attribute": "age_band", "group": ["18-29", "30-59", "60+"], "count": [1, 1, 2]}).to_csv(table, index=False)
    collected = people(
        tmp_path, {"18-29": 2_500, "30-59": 2_500, "60+": 5_000}, files={"population": evidence("population", table)}
    )
    assert judge("GD110", collected).verdict is Verdict.PASS
    assert any("census.csv" in note for note in collected.notes)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"attribute": ["sex"] * 2, "group": ["f", "m"], "share": [0.5, 0.4]}, "shares of sex that add up to 1, found 0.900"),
        ({"attribute": ["sex"] * 2, "group": ["f", "f"], "share": [0.5, 0.5]}, "each group once, found sex=f twice"),
        ({"attribute": ["sex"] * 2, "group": ["f", "m"], "share": [1.5, -0.5]}, "a number of 0 or more"),
        ({"attribute": ["sex"], "level": ["f"], "share": [1.0]}, "a column of that name"),
        ({"attribute": ["sex"], "group": ["f"], "share": ["half"]}, "expected numbers, found text"),
    ],
)
def test_a_table_that_is_none_is_named(tmp_path: Path, rows: dict[str, list[Any]], words: str) -> None:
    pd.DataFrame(rows).to_csv(tmp_path / "census.csv", index=False)
    with pytest.raises(EvidenceProblem, match=words):
        people(tmp_path, {"18-29": 100}, files={"population": evidence("population", tmp_path / "census.csv")})


def test_no_population_is_not_applicable_and_an_unknown_one_is_not_assessed(tmp_path: Path) -> None:
    assert people(tmp_path, {"18-29": 100}, facts={}).not_applicable.startswith("No population is declared")
    unknown = people(tmp_path, {"18-29": 100}, facts={"data.reference_population": "Mars"})
    assert "has no population “Mars” (registered: lending customers 2026)" in unknown.not_measured


def test_false_alarms_of_a_true_sample_are_rare(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    alarms = 0
    for _ in range(60):
        counts = generator.multinomial(400, list(CENSUS["age_band"].values()))
        alarms += (
            judge("GD110", people(tmp_path, dict(zip(CENSUS["age_band"], map(int, counts), strict=True)))).verdict
            is not Verdict.PASS
        )
    assert alarms <= 5, f"{alarms} of 60"
