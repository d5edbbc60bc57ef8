"""The calibration collector and its gate: known truth found, real data, what cannot be judged said in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from gates import registry
from gates.collecting import Collected, EvidenceProblem, Inputs
from gates.metrics import calibration
from gates.metrics.calibration_impl import group_rows, side_rows
from gates.metrics.statistics import calibration as stats
from gates.pictures.render import draw
from gates.simulator.models import predictions, train
from gates.spec import Measure, Measured
from governance.domain.vocabulary import Verdict
from reviews.demo.publicdata import adult, taiwan
from tests.gates.readers.making import evidence

MAPPING = {"id": "case_id", "label": "y", "score": "p", "sensitive": ["sex"]}


def frame(n: int, *, seed: int = 0, shift: float = 0.0, tilt: float = 1.0, women: float = 0.0) -> pd.DataFrame:
    """Scores whose truth is `shift + tilt * log-odds`; `women`: the truth of women lies that much lower in log-odds."""
    rng = np.random.default_rng(seed)
    score = expit(rng.normal(-0.8, 1.1, n))
    sex = rng.choice(["female", "male"], n)
    truth = expit(shift + tilt * logit(score) - women * (sex == "female"))
    return pd.DataFrame({"case_id": np.arange(n), "y": (rng.random(n) < truth).astype(int), "p": score, "sex": sex})


def collect(folder: Path, rows: pd.DataFrame, champion: pd.DataFrame | None = None, **given: Any) -> Collected:
    files = {}
    for role, table in (("candidate_predictions", rows), ("baseline_predictions", champion)):
        if table is not None:
            path = folder / f"{role}.parquet"
            pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path)
            files[role] = evidence(path, given.get("mapping", MAPPING), role=role)
    return calibration.collect(Inputs(files, given.get("facts", {}), given.get("settings", {})))


def one(collected: Collected, metric: str, group: str = "") -> Measure:
    row = Measured(collected.measures).one(metric, group)
    assert row is not None, (metric, group)
    return row


def judged(collected: Collected) -> tuple[Verdict, str]:
    gate = registry.gate("GP103")
    result = gate.judge(Measured(collected.measures), gate.limits_with())
    return result.verdict, result.says


@pytest.mark.parametrize(
    ("made", "verdict", "words"),
    [
        ({}, Verdict.PASS, "cases"),
        ({"shift": -0.6}, Verdict.FAIL, "too high"),
        ({"shift": 0.6}, Verdict.FAIL, "too low"),
        ({"tilt": 0.72, "shift": -0.18}, Verdict.WARN, "too extreme"),
        ({"women": 1.2, "shift": 0.56}, Verdict.FAIL, "sex=female"),
    ],
)
def test_the_known_truth_is_found(tmp_path: Path, made: dict[str, float], verdict: Verdict, words: str) -> None:
    got = judged(collect(tmp_path, frame(12_000, **made)))
    assert got[0] is verdict, got
    assert words in got[1]


def test_counts_in_the_database_engine_equal_counts_of_the_rows(tmp_path: Path) -> None:
    rows = frame(3_000, seed=4)
    rows["w"] = np.random.default_rng(2).uniform(0.5, 2, len(rows))
    got = collect(tmp_path, rows, mapping={**MAPPING, "weight": "w"})
    counts = stats.of_rows(rows["y"].to_numpy(float), rows["p"].to_numpy(), rows["w"].to_numpy())
    for metric, figure in (("gap", stats.gap), ("brier", stats.brier)):
        ours, theirs = one(got, f"calibration.{metric}"), figure(counts)
        assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high), abs=1e-9)
    assert one(got, "calibration.brier").value == pytest.approx(
        brier_score_loss(rows["y"], rows["p"], sample_weight=rows["w"]), abs=1e-9
    )
    assert one(got, "calibration.rows").value == 3_000


def test_labels_in_words_and_missing_labels(tmp_path: Path) -> None:
    rows = frame(2_000, seed=6)
    plain = collect(tmp_path, rows)
    rows["y"] = np.where(rows["y"] == 1, "it's bad", "good")
    named = collect(tmp_path, rows, mapping={**MAPPING, "positive": "it's bad"})
    assert one(named, "calibration.gap").value == pytest.approx(one(plain, "calibration.gap").value, abs=1e-12)
    rows.loc[:499, "y"] = None
    fewer = collect(tmp_path, rows, mapping={**MAPPING, "positive": "it's bad"})
    assert one(fewer, "calibration.rows").value == 1_500


def test_groups_have_bounds_that_hold_together_and_small_ones_are_not_rated(tmp_path: Path) -> None:
    rows = frame(4_000, seed=7)
    rows.loc[:19, "sex"], rows.loc[20:79, "sex"] = "x", "y"
    got = collect(tmp_path, rows)
    assert one(got, "calibration.group_gap", "sex=x").value is None
    thin = one(got, "calibration.group_gap", "sex=y")
    assert thin.value is not None and thin.detail["tested"] is False
    large = one(got, "calibration.group_gap", "sex=female")
    assert large.detail["comparisons"] == 2 and large.detail["level"] == pytest.approx(0.975)


def test_the_champion_stands_beside_it_and_every_chart_is_drawn(tmp_path: Path) -> None:
    got = collect(tmp_path, frame(3_000, seed=1), frame(3_000, seed=2, shift=-0.5))
    assert (one(got, "calibration.champion.gap").value or 0) > 0.05
    keys = [picture.key for picture in got.pictures]
    assert keys == ["calibration.reliability", "calibration.by_sex", "calibration.roc_by_sex", "calibration.gaps"]
    for picture in got.pictures:
        assert picture.title and picture.description and picture.rows
        assert {len(row) for row in picture.rows} == {len(picture.columns)}
        assert set(draw(picture.spec)) == {"light", "dark"}


def test_too_few_cases_are_too_few_to_tell(tmp_path: Path) -> None:
    rows = frame(200, seed=3)
    verdict, says = judged(collect(tmp_path, rows))
    assert verdict is Verdict.NOT_ASSESSED and "at least 100 positive and 100 negative" in says


@pytest.mark.parametrize(
    ("mapping", "words"),
    [({"label": "y"}, "no column mapped as `score`"), ({"score": "p"}, "no column mapped as `label`")],
)
def test_what_is_missing_is_named(tmp_path: Path, mapping: dict[str, str], words: str) -> None:
    assert words in collect(tmp_path, frame(500), mapping=mapping).not_measured


def test_a_model_of_quantities_has_no_calibration(tmp_path: Path) -> None:
    assert collect(tmp_path, frame(500), facts={"model.task": "regression"}).not_applicable


def test_scores_outside_zero_to_one_are_refused_with_the_column(tmp_path: Path) -> None:
    rows = frame(500)
    rows["p"] *= 100
    with pytest.raises(EvidenceProblem, match="“p”: expected scores from 0 to 1"):
        collect(tmp_path, rows)


def test_false_alarms_stay_as_documented() -> None:
    """Perfectly calibrated scores, four groups: what the page of the gate promises, on a tenth of its simulations."""
    gate = registry.gate("GP103")
    seen = {Verdict.WARN: 0, Verdict.FAIL: 0}
    for seed in range(100):
        rows = frame(2_000, seed=seed)
        groups = {f"g={k}": rows.iloc[k::4] for k in range(4)}
        counts = stats.of_rows(rows["y"].to_numpy(float), rows["p"].to_numpy())
        verdict = gate.judge(Measured(tuple(measured(counts, groups, seed))), gate.limits_with()).verdict
        if verdict in seen:
            seen[verdict] += 1
    assert seen[Verdict.FAIL] == 0 and seen[Verdict.WARN] <= 13, seen


def measured(counts: stats.ScoreCounts, groups: dict[str, pd.DataFrame], seed: int) -> list[Measure]:
    edges = stats.edges_of(counts)
    parts = {name: stats.of_rows(part["y"].to_numpy(float), part["p"].to_numpy()) for name, part in groups.items()}
    return [*side_rows(counts, stats.reliability(counts, edges), "", seed=seed), *group_rows(parts, edges, seed)]


@pytest.mark.parametrize("name", ["taiwan", "adult"])
def test_real_data(shared_data: Path, tmp_path: Path, name: str) -> None:
    """Gradient boosting on real applicants is well calibrated; the same scores with doubled and raised log-odds are not."""
    training, held_out = (taiwan if name == "taiwan" else adult)(shared_data)
    rows = predictions(train(training, seed=1), held_out)
    mapping = {"id": "case_id", "label": "label", "score": "score", "sensitive": ["sex"]}
    got = collect(tmp_path, rows, mapping=mapping)
    assert one(got, "calibration.brier").value == pytest.approx(brier_score_loss(rows["label"], rows["score"]), abs=1e-9)
    assert judged(got)[0] in (Verdict.PASS, Verdict.WARN)
    rows["score"] = expit(2 * logit(np.clip(rows["score"], 1e-6, 1 - 1e-6)) + 1.5)
    verdict, says = judged(collect(tmp_path, rows, mapping=mapping))
    assert verdict is Verdict.FAIL, says
