"""Leakage with known truth: planted copies, planted shared rows, a label under another name; none where nothing was planted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gates.catalog import gd109_leakage as gd109
from gates.collecting import Collected, Inputs
from gates.metrics import leakage
from gates.metrics import leakage_overlap_impl as overlap
from gates.metrics.leakage_names_impl import suspicions
from gates.metrics.statistics.intervals import newcombe
from gates.pictures.render import draw
from gates.simulator.populations import lender
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers.model_files import evidence

ROWS = 4_000
FEATURES = ["income", "debt_ratio", "tenure_months", "utilisation", "late_payments", "monthly_spend", "region_code", "part_time"]


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and evaluation of the simulated lender: different draws, keys that number customers with gaps."""
    training, evaluation = (lender(ROWS, seed=seed).frame for seed in (1, 2))
    for frame, start in ((training, 0), (evaluation, 1_000_000)):
        frame["case_id"] = start + 7 * np.arange(ROWS)
    return training, evaluation


def look(folder: Path, training: pd.DataFrame, evaluation: pd.DataFrame, **facts: object) -> Collected:
    training.to_parquet(folder / "training.parquet")
    evaluation.to_csv(folder / "evaluation.csv", index=False)
    return leakage.collect(
        Inputs(
            {
                "reference_sample": evidence(
                    "reference_sample", folder / "training.parquet", id="case_id", label="default", sensitive=["sex", "age_band"]
                ),
                "explanation_sample": evidence("explanation_sample", folder / "evaluation.csv", id="case_id"),
            },
            {"model.features": FEATURES, **facts},
        )
    )


def judged(collected: Collected, **limits: object) -> GateResult:
    return gd109.judge(Measured(collected.measures), {**gd109.LIMITS, **limits})


@pytest.mark.parametrize("same", [True, False], ids=["one file", "two files of one name"])
def test_a_file_handed_in_for_two_parts_is_compared_once(tmp_path: Path, same: bool) -> None:
    training, evaluation = frames()
    training.to_parquet(tmp_path / "training.parquet")
    evaluation.to_csv(tmp_path / "evaluation.csv", index=False)
    other = tmp_path / "again" / "evaluation.csv"
    other.parent.mkdir()
    (evaluation if same else evaluation.iloc[1:]).to_csv(other, index=False)
    files = {
        "reference_sample": evidence("reference_sample", tmp_path / "training.parquet", id="case_id", label="default"),
        "explanation_sample": replace(evidence("explanation_sample", tmp_path / "evaluation.csv", id="case_id"), sha256="one"),
        "current_sample": replace(evidence("current_sample", other, id="case_id"), sha256="one" if same else "two"),
    }
    rows = leakage.collect(Inputs(files, {"model.features": FEATURES})).measures
    groups = [row.group for row in rows if row.metric == "leakage.overlap_keys"]
    both = ["file=evaluation.csv (explanation_sample)", "file=evaluation.csv (current_sample)"]
    assert groups == (["file=evaluation.csv"] if same else both)


def test_nothing_planted_nothing_found(tmp_path: Path) -> None:
    training, evaluation = frames()
    collected = look(tmp_path, training, evaluation)
    measured = Measured(collected.measures)
    assert judged(collected).verdict is Verdict.PASS
    for metric in ("leakage.overlap_rows", "leakage.overlap_keys"):
        (row,) = measured.all(metric)
        assert (row.value, row.detail["matched"]) == (0.0, 0)
    for row in measured.all("leakage.feature_auc"):
        feature = row.group.removeprefix("feature=")
        exact = roc_auc_score(training["default"], training[feature])
        assert row.value == pytest.approx(max(exact, 1 - exact), abs=1e-12), feature
        assert row.low is not None and row.value is not None and row.high is not None and row.low < row.value < row.high
    assert all(draw(picture.spec) for picture in collected.pictures)
    assert collected.pictures[0].rows[0][0] in collected.pictures[0].description


@pytest.mark.parametrize(("planted", "verdict"), [(0, Verdict.PASS), (1, Verdict.WARN), (40, Verdict.WARN), (41, Verdict.FAIL)])
def test_planted_rows_are_counted_exactly(tmp_path: Path, planted: int, verdict: Verdict) -> None:
    training, evaluation = frames()
    evaluation.loc[: planted - 1, FEATURES] = training.loc[100 : 99 + planted, FEATURES].to_numpy()
    collected = look(tmp_path, training, evaluation)
    (row,) = Measured(collected.measures).all("leakage.overlap_rows")
    assert row.detail["matched"] == planted
    assert row.value == pytest.approx(planted / ROWS, abs=1e-12)
    assert judged(collected).verdict is verdict


def test_the_same_customers_at_another_time_are_found_by_key(tmp_path: Path) -> None:
    training, evaluation = frames()
    evaluation.loc[:399, "case_id"] = training.loc[:399, "case_id"].to_numpy()
    result = judged(look(tmp_path, training, evaluation))
    assert result.verdict is Verdict.FAIL
    assert result.observed == pytest.approx(0.1)
    assert "row keys" in result.says and "400 of 4,000" in result.says


def test_keys_that_number_rows_say_nothing_and_that_is_said(tmp_path: Path) -> None:
    training, evaluation = frames()
    training["case_id"] = evaluation["case_id"] = np.arange(ROWS)
    collected = look(tmp_path, training, evaluation)
    assert Measured(collected.measures).all("leakage.overlap_keys")[0].value is None
    assert any("number rows, not cases" in note for note in collected.notes)
    assert judged(collected).verdict is Verdict.PASS


def test_rows_that_look_alike_by_chance_are_no_leak_but_copies_beyond_it_are(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)

    def coarse(rows: int, start: int) -> pd.DataFrame:
        frame = pd.DataFrame({name: generator.integers(0, 30, rows) for name in ("a", "b", "c")})
        return frame.assign(case_id=start + 3 * np.arange(rows), default=generator.integers(0, 2, rows))

    training, evaluation = coarse(ROWS, 0), coarse(ROWS, 10**6)
    found = Measured(look(tmp_path, training, evaluation, **{"model.features": ["a", "b", "c"]}).measures)
    (row,) = found.all("leakage.overlap_rows")
    assert row.detail["matched"] > 300, "many rows are equal"
    assert row.detail["by_chance"] == pytest.approx(row.detail["matched"] / ROWS, abs=0.03)
    assert row.low == 0.0
    assert gd109.judge(found, gd109.LIMITS).verdict is Verdict.PASS
    evaluation.loc[:799, ["a", "b", "c"]] = training.loc[:799, ["a", "b", "c"]].to_numpy()
    collected = look(tmp_path, training, evaluation, **{"model.features": ["a", "b", "c"]})
    (row,) = Measured(collected.measures).all("leakage.overlap_rows")
    assert row.value is not None and row.low is not None and row.low > 0.10
    assert judged(collected).verdict is Verdict.FAIL


def test_false_alarms_by_chance_are_rare(tmp_path: Path) -> None:
    """200 pairs of samples of the same coarse population: the interval of what goes beyond chance seldom excludes zero."""
    generator = np.random.default_rng(11)
    alarms = 0
    for _ in range(200):
        matched = generator.binomial(2_000, 0.2)
        twins = generator.binomial(3_000, 0.2)
        low = newcombe(matched, 2_000, twins, 3_000).low
        alarms += low > 0
    assert alarms <= 10, "2.5 % on the side that alarms are nominal"


def test_most_rows_alike_cannot_be_told_without_keys(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    parts = [pd.DataFrame({name: generator.integers(0, 3, ROWS) for name in ("a", "b", "c")}).assign(default=0) for _ in range(2)]
    for number, part in enumerate(parts):
        part["case_id"] = number * 10**6 + 5 * np.arange(ROWS)
    collected = look(tmp_path, *parts, **{"model.features": ["a", "b", "c"]})
    assert Measured(collected.measures).all("leakage.overlap_rows")[0].value is None
    assert any("map row keys" in note for note in collected.notes)


@pytest.mark.parametrize(("share", "verdict"), [(0.0, Verdict.PASS), (0.93, Verdict.WARN), (1.0, Verdict.FAIL)])
def test_a_copy_of_the_label_is_found_by_its_auc(tmp_path: Path, share: float, verdict: Verdict) -> None:
    training, evaluation = frames()
    told = np.random.default_rng(3).random(ROWS) < share
    training["region_code"] = np.where(told, training["default"] * 3.0, training["region_code"] % 2 * 3)
    result = judged(look(tmp_path, training, evaluation))
    assert result.verdict is verdict, result.says
    if verdict is not Verdict.PASS:
        assert "region_code" in result.says


def test_a_category_that_says_the_label_is_found_and_a_random_key_is_not(tmp_path: Path) -> None:
    training, evaluation = frames()
    training["tag"] = np.where(training["default"] == 1, "late", "fine")
    evaluation["tag"] = "fine"
    collected = look(tmp_path, training, evaluation, **{"model.features": [*FEATURES, "tag"]})
    assert Measured(collected.measures).one("leakage.max_auc").text == "tag"  # type: ignore[union-attr]
    training["tag"] = [f"k{number}" for number in range(ROWS)]
    measured = Measured(look(tmp_path, training, evaluation, **{"model.features": [*FEATURES, "tag"]}).measures)
    row = measured.one("leakage.feature_auc", "feature=tag")
    assert row is None or (row.value is not None and row.value < 0.56), "cross-fitting: a key of the row knows nothing"


def test_that_a_value_is_missing_can_say_the_label(tmp_path: Path) -> None:
    training, evaluation = frames()
    training.loc[training["default"] == 1, "income"] = np.nan
    measured = Measured(look(tmp_path, training, evaluation).measures)
    best = measured.one("leakage.max_auc")
    assert best is not None and best.text == "income" and best.value == pytest.approx(1.0)
    assert best.detail["how"] == "whether it is missing"


def test_labels_of_the_predictions_are_joined_by_key(tmp_path: Path) -> None:
    training, evaluation = frames()
    training.to_parquet(tmp_path / "training.parquet")
    evaluation[["case_id", *FEATURES]].to_parquet(tmp_path / "explain.parquet")
    evaluation.sample(frac=1.0, random_state=1)[["case_id", "default"]].to_csv(tmp_path / "scored.csv", index=False)
    collected = leakage.collect(
        Inputs(
            {
                "explanation_sample": evidence("explanation_sample", tmp_path / "explain.parquet", id="case_id"),
                "candidate_predictions": evidence(
                    "candidate_predictions", tmp_path / "scored.csv", id="case_id", label="default"
                ),
            },
            {"model.features": FEATURES},
        )
    )
    row = Measured(collected.measures).one("leakage.feature_auc", "feature=utilisation")
    assert row is not None and row.n == ROWS
    assert row.value == pytest.approx(roc_auc_score(evaluation["default"], evaluation["utilisation"]), abs=1e-12)
    assert judged(collected).verdict is Verdict.NOT_ASSESSED
    assert judged(collected, unknown="warn").verdict is Verdict.WARN


def test_names() -> None:
    target, later = suspicions(
        ["default", "is_default", "defaultStatus", "target", "y_true", "total_recoveries", "ChargeOffDate", "bill_next_month"],
        "default",
    )
    assert target == ["default", "is_default", "defaultStatus", "target", "y_true"]
    assert later == ["total_recoveries", "ChargeOffDate", "bill_next_month"]
    honest = [
        *FEATURES, "days_since_visit", "orders_per_year", "prior_admissions", "paid_1", "pay_0", "bill_1", "returns", "age",
        "length_of_stay", "capital_gain", "workclass", "hours_per_week", "y1",
    ]  # fmt: skip
    assert suspicions(honest, "default") == ([], [])
    assert suspicions(honest, "y") == ([], [])


def test_few_cases_of_one_kind_are_too_few_to_tell(tmp_path: Path) -> None:
    training, evaluation = frames()
    training["default"] = (np.arange(ROWS) < 99).astype(int)
    row = Measured(look(tmp_path, training, evaluation).measures).one("leakage.max_auc")
    assert row is not None and row.value is None and "the rarer one has 99" in row.reason


def test_counting_in_parts_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training, evaluation = frames()
    evaluation.loc[:49, FEATURES] = training.loc[:49, FEATURES].to_numpy()
    whole = look(tmp_path, training, evaluation)
    monkeypatch.setattr(overlap, "PART", 700)
    assert look(tmp_path, training, evaluation).measures == whole.measures


def test_taiwan_credit_has_its_duplicates_and_no_more(shared_data: Path, tmp_path: Path) -> None:
    """The 30,000 real rows split in two: the 35 known duplicates without the id are what the halves can share."""
    raw = pd.read_csv(shared_data / "taiwan" / "UCI_Credit_Card.csv")
    halves = raw.sample(frac=1.0, random_state=4)
    first, second = halves.iloc[:15_000], halves.iloc[15_000:]
    first.to_parquet(tmp_path / "training.parquet", index=False)
    second.to_parquet(tmp_path / "evaluation.parquet", index=False)
    names = [name for name in raw.columns if name.startswith("X")]
    collected = leakage.collect(
        Inputs(
            {
                "reference_sample": evidence("reference_sample", tmp_path / "training.parquet", id="ID", label="Y"),
                "explanation_sample": evidence("explanation_sample", tmp_path / "evaluation.parquet", id="ID"),
            },
            {"model.features": names},
        )
    )
    measured = Measured(collected.measures)
    (row,) = measured.all("leakage.overlap_rows")
    merged = second[names].merge(first[names].drop_duplicates(), on=names, how="inner")
    assert row.detail["matched"] == len(merged)
    assert row.low == 0.0, "as many twins as within the training half"
    assert measured.all("leakage.overlap_keys")[0].detail["matched"] == 0
    best = measured.one("leakage.max_auc")
    assert (
        best is not None and best.text == "X6" and best.value == pytest.approx(roc_auc_score(first["Y"], first["X6"]), abs=1e-12)
    )
    assert judged(collected).verdict is Verdict.PASS
