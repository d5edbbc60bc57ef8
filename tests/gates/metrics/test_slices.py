"""The slices collector and its gate: a planted slice comes first, Fairlearn's rates, corrected false alarms, periods of time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fairlearn.metrics import MetricFrame
from scipy.special import expit
from sklearn.metrics import roc_auc_score, zero_one_loss

from gates import registry
from gates.collecting import Collected, Inputs
from gates.metrics import slices
from gates.metrics.statistics import auc
from gates.metrics.statistics.many import holm
from gates.pictures.render import draw
from gates.simulator.models import predictions, train
from gates.spec import Measured
from governance.domain.vocabulary import Verdict
from reviews.demo.publicdata import adult
from tests.gates.readers.making import evidence

MAPPING = {"id": "case_id", "label": "y", "score": "p", "prediction": "d", "segments": ["region"], "time": "seen"}


def frame(n: int, *, seed: int = 0, bad: str = "", regions: int = 4) -> pd.DataFrame:
    """Scores of one strength everywhere; in the region `bad` half of the scores are drawn anew."""
    rng = np.random.default_rng(seed)
    region = rng.integers(0, regions, n)
    y = (rng.random(n) < 0.4).astype(int)
    z = rng.normal(0, 1, n) + 2.0 * (y - 0.5)
    lost = (region.astype(str) == bad) & (rng.random(n) < 0.5)
    z = np.where(lost, rng.normal(0, 1.4, n), z)
    p = expit(z)
    seen = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 180, n), unit="D")
    frame = {"case_id": np.arange(n), "y": y, "p": p, "d": (p >= 0.5).astype(int), "region": region.astype(str), "seen": seen}
    return pd.DataFrame(frame)


def collect(folder: Path, rows: pd.DataFrame, mapping: dict[str, Any] | None = None, **given: Any) -> Collected:
    path = folder / "candidate.parquet"
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), path)
    return slices.collect(Inputs({"candidate_predictions": evidence(path, mapping or MAPPING)}, given.get("facts", {})))


def judged(collected: Collected) -> tuple[Verdict, str]:
    gate = registry.gate("GP104")
    result = gate.judge(Measured(collected.measures), gate.limits_with())
    return result.verdict, result.says


def test_the_planted_slice_comes_first_and_fails(tmp_path: Path) -> None:
    got = collect(tmp_path, frame(8_000, bad="2"))
    worst = [row for row in got.measures if row.metric.startswith("slices.worse")]
    assert worst[0].group == "region=2"
    assert [row.value for row in worst] == sorted((row.value for row in worst), reverse=True)
    verdict, says = judged(got)
    assert verdict is Verdict.FAIL and says.startswith("region=2")
    picture = got.pictures[0]
    assert picture.rows[0][0] == "region=2" and set(draw(picture.spec)) == {"light", "dark"}


def test_alike_everywhere_passes(tmp_path: Path) -> None:
    assert judged(collect(tmp_path, frame(8_000)))[0] is Verdict.PASS


def test_rates_are_fairlearns_and_areas_scikit_learns(tmp_path: Path) -> None:
    rows = frame(4_000, seed=2)
    rows["p"] = rows["p"].round(2).clip(0.01, 0.99)
    rows["d"] = (rows["p"] >= 0.5).astype(int)
    measured = Measured(collect(tmp_path, rows).measures)
    theirs = MetricFrame(metrics=zero_one_loss, y_true=rows["y"], y_pred=rows["d"], sensitive_features=rows["region"]).by_group
    for region, part in rows.groupby("region"):
        rate, area = measured.one("slices.error_rate", f"region={region}"), measured.one("slices.roc_auc", f"region={region}")
        assert rate is not None and rate.value == pytest.approx(theirs[region], abs=1e-12)
        assert area is not None and area.value == pytest.approx(roc_auc_score(part["y"], part["p"]), abs=1e-9)


def test_area_from_counts_has_delongs_interval() -> None:
    rows = frame(1_500, seed=5)
    score = rows["p"].round(2).to_numpy()
    exact = auc.delong(rows["y"].to_numpy(float), score).interval(0)
    levels, at = np.unique(score, return_inverse=True)
    positive, negative = (np.bincount(at, weights=rows["y"] == k, minlength=len(levels)) for k in (1, 0))
    ours = auc.of_bins(positive, negative).interval()
    assert (ours.value, ours.low, ours.high) == pytest.approx((exact.value, exact.low, exact.high), abs=1e-9)


def test_holms_correction_is_the_textbooks() -> None:
    # Holm 1979 as worked in R: p.adjust(c(0.01, 0.02, 0.03, 0.005), "holm")
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert holm([]) == [] and holm([0.9, 0.8]) == [1.0, 1.0]


def test_periods_sensitive_columns_and_quartiles(tmp_path: Path) -> None:
    rows = frame(3_000)
    rows["amount"] = np.random.default_rng(1).lognormal(3, 1, len(rows))
    rows["sex"] = np.where(np.arange(len(rows)) % 2, "female", "male")
    mapping = {**MAPPING, "segments": ["region", "amount"], "sensitive": ["sex"]}
    got = collect(tmp_path, rows, mapping)
    groups = {row.group for row in got.measures if row.metric == "slices.error_rate"}
    assert {"sex=female", "sex=male", "seen=2026-01-01", "seen=2026-02-01"} <= groups
    assert sum(group.startswith("amount=") for group in groups) == 4
    assert any("split by month" in note for note in got.notes) and any("quartiles" in note for note in got.notes)


def test_small_slices_are_not_rated(tmp_path: Path) -> None:
    rows = frame(2_000)
    rows.loc[:9, "region"], rows.loc[10:69, "region"] = "tiny", "thin"
    rows.loc[:69, "d"] = 1 - rows.loc[:69, "y"]
    got = collect(tmp_path, rows)
    measured = Measured(got.measures)
    tiny, thin = measured.one("slices.error_rate", "region=tiny"), measured.one("slices.worse", "region=thin")
    assert tiny is not None and tiny.value is None and "under 30" in tiny.reason
    assert thin is not None and thin.detail["tested"] is False
    assert judged(got)[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"label": "y", "score": "p"}, "no column mapped as `segments`"),
        ({"score": "p", "segments": ["region"]}, "no column mapped as `label`"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, mapping: dict[str, Any], words: str) -> None:
    assert words in collect(tmp_path, frame(400), mapping).not_measured


def test_false_alarms_stay_as_documented(tmp_path: Path) -> None:
    seen = {Verdict.WARN: 0, Verdict.FAIL: 0}
    for seed in range(40):
        verdict = judged(collect(tmp_path, frame(5_000, seed=seed, regions=12), {**MAPPING, "time": ""}))[0]
        if verdict in seen:
            seen[verdict] += 1
    assert seen[Verdict.FAIL] == 0 and seen[Verdict.WARN] <= 3, seen


def test_on_adult_the_error_differs_by_sex_as_it_does_in_the_data(shared_data: Path, tmp_path: Path) -> None:
    training, held_out = adult(shared_data)
    rows = predictions(train(training, seed=1), held_out)
    mapping = {"id": "case_id", "label": "label", "score": "score", "prediction": "decision", "sensitive": ["sex"]}
    got = collect(tmp_path, rows, mapping)
    men = Measured(got.measures).one("slices.worse", "sex=Male")
    wrong = rows["label"] != rows["decision"]
    male = rows["sex"] == "Male"
    assert men is not None and men.value == pytest.approx(wrong[male].mean() - wrong[~male].mean(), abs=1e-12)
    assert judged(got)[0] in (Verdict.WARN, Verdict.FAIL), "men are judged wrongly more often: their incomes are mixed"
