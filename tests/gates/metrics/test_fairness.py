"""The fairness collector against Fairlearn on raw rows, against published figures, and against what people upload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fairlearn.metrics import (
    MetricFrame,
    equalized_odds_difference,
    equalized_odds_ratio,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score

from gates import registry
from gates.collecting import Collected, EvidenceProblem, Inputs
from gates.metrics import fairness
from gates.metrics.fairness_auc_impl import by_group
from gates.readers import keys
from gates.spec import Measure, Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers.making import evidence, predictions_file

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")

MAPPING = {"id": "case_id", "label": "y", "prediction": "pred"}
RAW: dict[str, Callable[..., Any]] = {
    "selection_rate": selection_rate,
    "true_positive_rate": true_positive_rate,
    "false_positive_rate": false_positive_rate,
    "false_negative_rate": false_negative_rate,
    "precision": lambda y, d, **k: precision_score(y, d, zero_division=0, **k),
    "accuracy": accuracy_score,
}


def written(folder: Path, frame: pd.DataFrame, name: str = "p.parquet") -> Path:
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / name)
    return folder / name


def collect(
    path: Path, sensitive: list[str], baseline: Path | None = None, settings: dict[str, Any] | None = None, **mapping: Any
) -> Collected:
    files = {"candidate_predictions": evidence(path, {**MAPPING, "sensitive": sensitive, **mapping})}
    if baseline:
        files["baseline_predictions"] = evidence(baseline, MAPPING, role="baseline_predictions")
    return fairness.collect(Inputs(files, settings=settings or {}))


def one(collected: Collected, metric: str, group: str = "") -> Measure:
    row = Measured(collected.measures).one(metric, group)
    assert row is not None, (metric, group)
    return row


def people(n: int = 4000, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["female", "male"], n, p=[0.4, 0.6])
    band = rng.choice(["18-24", "25-34", "35-64", "65+"], n, p=[0.1, 0.3, 0.5, 0.1])
    y = (rng.random(n) < np.where(sex == "male", 0.35, 0.25)).astype(int)
    pred = (rng.random(n) < 0.15 + 0.5 * y + 0.05 * (band == "65+")).astype(int)
    return pd.DataFrame(
        {"case_id": np.arange(n), "y": y, "pred": pred, "sex": sex, "band": band, "w": np.round(rng.uniform(0.5, 3, n), 3)}
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("attributes", [["sex"], ["band"], ["sex", "band"]])
def test_every_number_equals_fairlearns_own_on_the_raw_rows(tmp_path: Path, attributes: list[str], weighted: bool) -> None:
    frame = people()
    got = collect(written(tmp_path, frame), ["sex", "band"], **({"weight": "w"} if weighted else {}))
    given = {"sample_weight": frame["w"]} if weighted else {}
    raw = MetricFrame(
        metrics=RAW,
        y_true=frame["y"],
        y_pred=frame["pred"],
        sensitive_features=frame[attributes],
        sample_params=dict.fromkeys(RAW, given),
    )
    for name in RAW:
        for key, value in raw.by_group[name].items():
            keys = key if isinstance(key, tuple) else (key,)
            group = " & ".join(f"{a}={v}" for a, v in zip(attributes, keys, strict=True))
            row = one(got, f"fairness.{name}", group)
            if row.value is None:
                assert row.n is not None and row.n < 30
            else:
                assert row.value == pytest.approx(value, abs=1e-9)
        attribute = " & ".join(attributes)
        assert one(got, f"fairness.{name}_ratio_fairlearn", attribute).value == pytest.approx(raw.ratio()[name], abs=1e-9)
        assert one(got, f"fairness.{name}_difference_fairlearn", attribute).value == pytest.approx(
            raw.difference()[name], abs=1e-9
        )
        assert one(got, f"fairness.{name}").value == pytest.approx(raw.overall[name], abs=1e-9)
    if len(attributes) == 1:
        args = {"y_true": frame["y"], "y_pred": frame["pred"], "sensitive_features": frame[attributes[0]], **given}
        assert one(got, "fairness.equalized_odds_difference", attributes[0]).value == pytest.approx(
            equalized_odds_difference(**args), abs=1e-9
        )
        assert one(got, "fairness.equalized_odds_ratio", attributes[0]).value == pytest.approx(
            equalized_odds_ratio(**args), abs=1e-9
        )


@pytest.fixture
def compas(shared_data: Path, tmp_path: Path) -> Path:
    frame = pd.read_csv(shared_data / "compas" / "compas-scores-two-years.nopii.csv")
    frame = frame.assign(case_id=frame["id"], y=frame["two_year_recid"], pred=(frame["score_text"] != "Low").astype(int))
    return written(tmp_path, frame[["case_id", "y", "pred", "race", "sex"]])


def test_compas_as_published_by_propublica(compas: Path) -> None:
    got = collect(compas, ["race", "sex"])
    for group, fpr, fnr, ppv in (
        ("", 32.35, 37.40, 0.61),
        ("race=African-American", 44.85, 27.99, 0.63),
        ("race=Caucasian", 23.45, 47.72, 0.59),
    ):
        assert round(100 * (one(got, "fairness.false_positive_rate", group).value or 0), 2) == fpr
        assert round(100 * (one(got, "fairness.false_negative_rate", group).value or 0), 2) == fnr
        assert round(one(got, "fairness.precision", group).value or 0, 2) == ppv
    assert one(got, "fairness.false_positive_rate", "race=African-American").n == 990 + 805
    pair = one(got, "fairness.false_positive_rate_pair", "race=Caucasian / race=African-American")
    assert round(1 / (pair.value or 1), 3) == 1.912
    assert (round(1 / pair.detail["high_95"], 3), round(1 / pair.detail["low_95"], 3)) == (1.721, 2.124)
    assert round(one(got, "fairness.false_positive_rate_ratio_fairlearn", "race").value or 0, 3) == 0.194, "over all six groups"
    assert round(one(got, "fairness.false_positive_rate_ratio", "race").value or 0, 3) == 0.329, "over groups of 100 and more"
    native = one(got, "fairness.false_positive_rate", "race=Native American")
    assert native.value is None and native.n == 8, "eight people are counted, not rated"


def test_compas_fails_the_gate_on_false_positives(compas: Path) -> None:
    measured = Measured(collect(compas, ["race"]).measures)
    gate = registry.gate("GF103")
    result = gate.judge(measured, gate.limits_with())
    assert result.verdict is Verdict.FAIL
    assert result.group == "race=Other / race=African-American"
    assert any("race=Caucasian has 23.5%, race=African-American 44.8%" in note for note in result.notes)
    precision = [row for row in measured.all("fairness.precision_pair") if row.detail["tested"]]
    assert all((row.high or 2) > 1 for row in precision), "precision is not shown to differ: both cannot hold"


def test_the_toy_frame_of_the_fairlearn_user_guide(tmp_path: Path) -> None:
    # 18 people in groups a, b and c with the published rates; ten copies, so that they may be shown
    cells = {"a": (1, 1, 2, 0), "b": (3, 2, 0, 1), "c": (2, 3, 2, 1)}  # tp, fn, fp, tn
    rows = [
        (group, y, d)
        for group, (tp, fn, fp, tn) in cells.items()
        for y, d, k in ((1, 1, tp), (1, 0, fn), (0, 1, fp), (0, 0, tn))
        for _ in range(k * 100)
    ]
    frame = pd.DataFrame(rows, columns=["g", "y", "pred"]).assign(case_id=range(len(rows)))
    got = collect(written(tmp_path, frame), ["g"])
    expected = {
        "true_positive_rate": (0.5, 0.5, 0.6, 0.4, 0.2),
        "false_positive_rate": (0.666667, 1.0, 0.0, 0.666667, 1.0),
        "selection_rate": (0.555556, 0.75, 0.5, 0.5, 0.25),
    }
    for metric, (overall, a, b, c, difference) in expected.items():
        assert one(got, f"fairness.{metric}").value == pytest.approx(overall, abs=1e-6)
        for group, value in (("g=a", a), ("g=b", b), ("g=c", c)):
            assert one(got, f"fairness.{metric}", group).value == pytest.approx(value, abs=1e-6)
        assert one(got, f"fairness.{metric}_difference_fairlearn", "g").value == pytest.approx(difference, abs=1e-9)


def test_group_sizes_decide_what_is_said(tmp_path: Path) -> None:
    sizes = {"big": 1000, "ok": 100, "few": 99, "thin": 30, "tiny": 29}
    rows = [(group, i % 2, int(i % 3 == 0)) for group, size in sizes.items() for i in range(size)]
    frame = pd.DataFrame(rows, columns=["g", "y", "pred"]).assign(case_id=range(len(rows)))
    got = collect(written(tmp_path, frame), ["g"])
    assert one(got, "fairness.selection_rate", "g=tiny").value is None
    assert one(got, "fairness.selection_rate", "g=thin").value is not None
    pairs = {row.group: row.detail["tested"] for row in Measured(got.measures).all("fairness.selection_rate_pair")}
    assert {group for group, tested in pairs.items() if tested} == {next(g for g in pairs if "big" in g and "ok" in g)}
    assert not any("tiny" in group for group in pairs)
    assert any("g=tiny (29)" in note for note in got.notes)


def test_the_level_is_split_over_all_tested_pairs(tmp_path: Path) -> None:
    frame = people()
    got = Measured(collect(written(tmp_path, frame), ["sex", "band"], settings={"fairness.pairs": False}).measures)
    rows = got.all("fairness.selection_rate_pair")
    assert len(rows) == 1 + 6
    assert {row.detail["comparisons"] for row in rows} == {7}
    assert rows[0].detail["level"] == pytest.approx(1 - 0.05 / 7)


def test_fair_decisions_on_small_groups_are_not_blocked(tmp_path: Path) -> None:
    gate, blocked = registry.gate("GF101"), 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        group = np.repeat([f"g{i}" for i in range(6)], [1000, 100, 100, 100, 100, 100])
        frame = pd.DataFrame({"case_id": range(1500), "y": 0, "pred": (rng.random(1500) < 0.1).astype(int), "g": group})
        frame.loc[:9, "y"] = 1
        result = gate.judge(Measured(collect(written(tmp_path, frame), ["g"]).measures), gate.limits_with())
        blocked += result.verdict is Verdict.FAIL
    assert blocked <= 3, "the point alone would block nearly every one of them"


def test_champion_beside_the_candidate_joined_by_id(tmp_path: Path) -> None:
    frame = people()
    other = frame.assign(pred=1 - frame["pred"])[["case_id", "y", "pred"]].sample(frac=1, random_state=3)
    got = collect(written(tmp_path, frame), ["sex"], written(tmp_path, other, "b.parquet"))
    for group in ("sex=female", "sex=male"):
        ours, theirs = one(got, "fairness.selection_rate", group).value, one(got, "fairness.champion.selection_rate", group).value
        assert ours is not None and theirs == pytest.approx(1 - ours)
    unmatched = written(tmp_path, other.assign(case_id=other["case_id"] + 1), "c.parquet")
    apart = collect(written(tmp_path, frame), ["sex"], unmatched)
    assert not any("champion" in row.metric for row in apart.measures)
    assert "3,999 of them" in " ".join(apart.notes)


def test_without_labels_only_selection_rates(tmp_path: Path) -> None:
    got = collect(written(tmp_path, people().drop(columns="y")), ["sex"], label="")
    assert one(got, "fairness.selection_rate", "sex=male").value is not None
    assert not Measured(got.measures).all("fairness.true_positive_rate")
    assert "no labels" in got.notes[0]
    gate = registry.gate("GF102")
    assert gate.judge(Measured(got.measures), gate.limits_with()).verdict is Verdict.NOT_ASSESSED


def test_missing_attributes_are_the_group_unknown(tmp_path: Path) -> None:
    frame = people(1000)
    frame.loc[:99, "sex"] = None
    frame.loc[100:149, "sex"] = "  "
    got = collect(written(tmp_path, frame), ["sex"])
    assert one(got, "fairness.unknown_share", "sex").value == pytest.approx(0.15)
    assert one(got, "fairness.selection_rate", "sex=unknown").n == 150


def test_groups_that_differ_only_by_spelling_are_pointed_out(tmp_path: Path) -> None:
    frame = people(1000)
    frame.loc[:200, "sex"] = "Female "
    got = collect(written(tmp_path, frame), ["sex"])
    assert one(got, "fairness.spelling_variants", "sex").value == 1
    assert any("differ only by case or blanks" in note for note in got.notes)


def test_an_id_or_a_plain_number_is_no_attribute(tmp_path: Path) -> None:
    frame = people(1000).assign(age=lambda f: 18 + f["case_id"] % 60, code=lambda f: "x" + f["case_id"].astype(str))
    path = written(tmp_path, frame)
    for column, words in (("age", "bands"), ("code", "groups")):
        with pytest.raises(EvidenceProblem, match="more than 50 different values") as caught:
            collect(path, [column])
        assert caught.value.column == column and words in caught.value.way_out
    banded = collect(path, ["age"], settings={"fairness.bins": {"age": [25, 35]}})
    groups = {row.group for row in Measured(banded.measures).all("fairness.selection_rate")}
    assert groups == {"", "age=below 25", "age=25 to below 35", "age=35 and over"}


def test_one_group_only_gives_no_verdict(tmp_path: Path) -> None:
    got = collect(written(tmp_path, people().assign(sex="female")), ["sex"])
    assert any("one value only" in note for note in got.notes)
    gate = registry.gate("GF101")
    assert gate.judge(Measured(got.measures), gate.limits_with()).verdict is Verdict.NOT_ASSESSED


def test_no_mapping_of_attributes_says_what_to_add(tmp_path: Path) -> None:
    assert "mapped as `sensitive`" in collect(predictions_file(tmp_path), []).not_measured


def test_calibration_and_auc_by_group(tmp_path: Path) -> None:
    frame = people()
    rng = np.random.default_rng(5)
    score = np.clip(0.2 + 0.4 * frame["y"] + rng.normal(0, 0.15, len(frame)), 0, 1)
    frame = frame.assign(p=score, pred=(score >= 0.5).astype(int))
    got = collect(written(tmp_path, frame), ["sex"], score="p")
    women = frame[frame["sex"] == "female"]
    gap = one(got, "fairness.calibration_gap", "sex=female")
    assert gap.value == pytest.approx(women["p"].mean() - women["y"].mean(), abs=1e-9)
    assert gap.low is not None and gap.high is not None and gap.low < gap.value < gap.high
    area = one(got, "fairness.roc_auc", "sex=female")
    assert area.value is not None and 0.9 < area.value < 1


def test_facts_for_the_policy(tmp_path: Path) -> None:
    got = {fact.name: fact for fact in collect(written(tmp_path, people()), ["sex", "band"]).facts}
    assert got["fairness.attributes"].value == ["sex", "band"]
    assert got["fairness.worst_selection_ratio"].value >= 1
    accuracy = got["fairness.accuracy_difference"]
    assert accuracy.low is not None and accuracy.high is not None and accuracy.low < accuracy.value < accuracy.high


def test_bands_made_here_have_calibration_and_auc(tmp_path: Path) -> None:
    frame = people(1000).assign(age=lambda f: 18 + f["case_id"] % 60, p=lambda f: 0.25 + 0.5 * f["pred"])
    got = collect(written(tmp_path, frame), ["age"], settings={"fairness.bins": {"age": [40]}}, score="p")
    assert one(got, "fairness.calibration_gap", "age=below 40").value is not None
    young = frame[frame["age"] < 40]
    assert one(got, "fairness.roc_auc", "age=below 40").value == pytest.approx(roc_auc_score(young["y"], young["p"]), abs=1e-12)


@pytest.mark.parametrize("squeeze", [1.0, 1e-3, 1e-6])
def test_auc_by_group_from_counts_stays_within_the_bound_it_gives(tmp_path: Path, squeeze: float) -> None:
    rng = np.random.default_rng(9)
    frame = people(40_000).assign(p=lambda f: rng.beta(2, 5, len(f)) * squeeze * (0.7 + 0.3 * f["y"]))
    frame.loc[::97, "sex"] = None
    file = evidence(written(tmp_path, frame), {**MAPPING, "score": "p", "sensitive": ["sex"]})
    exact, binned = by_group(file, "sex"), by_group(file, "sex", exact_rows=10)
    assert list(exact) == list(binned) == ["female", "male", "unknown"]
    for name, one_group in exact.items():
        other = binned[name]
        assert (one_group.positives, one_group.negatives) == (other.positives, other.negatives)
        assert one_group.found is not None and other.found is not None
        assert one_group.found.bound == 0 < other.found.bound < 1e-3
        assert abs(one_group.found.values[0] - other.found.values[0]) <= other.found.bound
        assert other.found.covariance[0, 0] == pytest.approx(one_group.found.covariance[0, 0], rel=0.01)


@pytest.mark.parametrize("whole", [True, False])
def test_a_join_in_parts_counts_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool) -> None:
    frame = people()
    other = frame.assign(pred=1 - frame["pred"])[["case_id", "y", "pred"]].sample(frac=1, random_state=3)
    if not whole:
        frame, other = (one.assign(case_id="C" + one["case_id"].astype(str)) for one in (frame, other))
    paths = written(tmp_path, frame), written(tmp_path, other, "b.parquet")
    at_once = collect(paths[0], ["sex", "band"], paths[1])
    monkeypatch.setattr(keys, "WHOLE_ROWS", 900)
    monkeypatch.setattr(keys, "TEXT_ROWS", 900)
    assert collect(paths[0], ["sex", "band"], paths[1]).measures == at_once.measures
