"""Drift: published PSI figures, scipy's distances, known shifts found, no false alarm where nothing moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gates.catalog import gd104_feature_drift as gd104
from gates.catalog import gd105_prediction_drift as gd105
from gates.collecting import Collected, Inputs
from gates.metrics import drift
from gates.metrics import drift_statistics_impl as statistics
from gates.pictures.render import draw
from gates.spec import Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers.model_files import evidence


def test_psi_equals_the_published_figures_of_toad() -> None:
    np.random.seed(1)
    feature, _, base = np.random.rand(500), np.random.randint(2, size=500), np.random.rand(500)
    _, test_b, _, base_b = (np.random.rand(500) for _ in range(4))

    def counts(values: np.ndarray, edges: list[float]) -> np.ndarray:
        return np.bincount(np.searchsorted(edges, values, "right"), minlength=len(edges) + 1)

    assert statistics.psi(counts(base, [0.3, 0.5, 0.7]), counts(feature, [0.3, 0.5, 0.7])) == pytest.approx(
        0.018630024627491467, abs=1e-15
    )
    assert statistics.psi(counts(base_b, [0.4, 0.8]), counts(test_b, [0.4, 0.8])) == pytest.approx(
        0.014528279995858708, abs=1e-15
    )


def test_distances_equal_scipy() -> None:
    generator = np.random.default_rng(3)
    a, b = np.sort(generator.normal(size=900).round(1)), np.sort(generator.normal(0.2, 1.2, 700).round(1))
    ks, wasserstein = statistics.cdf_distances(a, b)
    assert ks == pytest.approx(stats.ks_2samp(a, b).statistic)
    assert wasserstein == pytest.approx(stats.wasserstein_distance(a, b) / a.std())
    table = np.array([[10, 20, 30], [20, 20, 20]])
    assert statistics.cramers_v(*table) == pytest.approx(stats.contingency.association(table))
    assert statistics.js_distance(*table) == pytest.approx(np.sqrt(_js(table)))
    for bins in (2, 5, 10, 30):
        assert statistics.null_point(bins, 1000, 500) == pytest.approx(0.003 * stats.chi2.ppf(0.999, bins - 1), rel=0.035)


def _js(table: np.ndarray) -> float:
    p, q = table[0] / table[0].sum(), table[1] / table[1].sum()
    return float((stats.entropy(p, (p + q) / 2) + stats.entropy(q, (p + q) / 2)) / 2)


def test_a_value_with_a_bins_mass_is_its_own_bin_and_bins_add_up() -> None:
    generator = np.random.default_rng(0)
    values = np.sort(np.where(generator.random(3000) < 0.4, 0.0, generator.exponential(size=3000)))
    binned = statistics.bin_numbers(values, values[:1000])
    assert binned.labels[0] == "= 0"
    assert binned.reference[0] == (values == 0).sum()
    assert binned.reference.sum() == 3000
    assert binned.current.sum() == 1000


def samples(folder: Path, rows: int = 3000, **changes: object) -> Collected:
    generator = np.random.default_rng(1)

    def frame() -> pd.DataFrame:
        return pd.DataFrame({
            "id": np.arange(rows), "income": generator.lognormal(10, 0.5, rows), "age": generator.integers(18, 90, rows),
            "region": generator.choice(["n", "s", "w"], rows), "fixed": 1, "when": "2026-01-01", "p": generator.random(rows),
        })  # fmt: skip

    before, after = frame(), frame()
    for name, change in changes.items():
        after[name] = change(after[name]) if callable(change) else change
    before.to_csv(folder / "before.csv", index=False)
    after.to_parquet(folder / "after.parquet")
    return drift.collect(
        Inputs({
            "reference_sample": evidence("reference_sample", folder / "before.csv", score="p"),
            "current_sample": evidence("current_sample", folder / "after.parquet", score="p"),
        })
    )  # fmt: skip


def test_nothing_moved(tmp_path: Path) -> None:
    collected = samples(tmp_path)
    measured = Measured(collected.measures)
    assert measured.one("drift.share").value == 0  # type: ignore[union-attr]
    assert gd104.judge(measured, gd104.LIMITS).verdict is Verdict.PASS
    assert gd105.judge(measured, gd105.LIMITS).verdict is Verdict.PASS
    assert {row.group for row in measured.all("drift.psi")} == {"feature=income", "feature=age", "feature=region"}
    assert {note.split(":")[0] for note in collected.notes} >= {"id", "fixed", "when"}
    assert all(draw(picture.spec) for picture in collected.pictures)


def test_a_unit_error_a_new_code_and_a_moved_score_are_found(tmp_path: Path) -> None:
    measured = Measured(
        samples(tmp_path, income=lambda s: s / 12, region=lambda s: s.where(s != "w", "W "), p=lambda s: s**2).measures
    )
    assert measured.one("drift.max_psi").text == "income"  # type: ignore[union-attr]
    assert measured.one("drift.psi", "feature=region").detail["unseen"] == pytest.approx(1 / 3, abs=0.05)  # type: ignore[union-attr]
    assert gd104.judge(measured, gd104.LIMITS).verdict is Verdict.FAIL
    assert gd105.judge(measured, gd105.LIMITS).verdict in (Verdict.WARN, Verdict.FAIL)


def test_respelt_categories_are_named(tmp_path: Path) -> None:
    collected = samples(tmp_path, region=lambda s: s.str.upper() + " ")
    assert any("differ from known ones only in case or blanks" in note for note in collected.notes)


def test_few_rows_and_the_same_file_have_no_verdict(tmp_path: Path) -> None:
    assert "500 rows on each side" in samples(tmp_path, rows=499).not_measured
    one = evidence("reference_sample", tmp_path / "before.csv")
    assert "the same file" in drift.collect(Inputs({"reference_sample": one, "current_sample": one})).not_measured


def test_missing_values_are_a_bin(tmp_path: Path) -> None:
    measured = Measured(samples(tmp_path, age=lambda s: s.astype(float).where(s.index % 3 > 0)).measures)
    assert measured.one("drift.psi", "feature=age").value > 0.25  # type: ignore[union-attr,operator]


def shares_of(folder: Path, shares: dict[str, float], **changes: object) -> Collected:
    samples(folder, **changes)
    files = {
        "reference_sample": evidence("reference_sample", folder / "before.csv", score="p"),
        "current_sample": evidence("current_sample", folder / "after.parquet", score="p"),
    }
    return drift.collect(Inputs(files, {}, {"attribution_shares": shares}))


def test_the_champions_explanation_decides_how_much_a_moved_feature_weighs(tmp_path: Path) -> None:
    moved = {"region": lambda s: s.where(s != "w", "n")}
    shares = {"income": 0.92, "age": 0.05, "region": 0.03}
    light = Measured(shares_of(tmp_path, shares, **moved).measures)
    share = light.one("drift.share")
    assert share is not None and share.value == pytest.approx(0.03) and share.detail["weights"] == "attribution"
    # the feature moved far and stands among the five that carry the score: that alone fails, whatever its weight
    result = gd104.judge(light, gd104.LIMITS)
    assert result.verdict is Verdict.FAIL and result.metric == "drift.top5_psi" and "region" in result.says
    equal = Measured(shares_of(tmp_path, {}, **moved).measures).one("drift.share")
    assert equal is not None and equal.value == pytest.approx(1 / 3) and equal.detail["weights"] == "equal"
    unknown = shares_of(tmp_path, {"bureau_score": 1.0}, **moved)
    assert Measured(unknown.measures).one("drift.top5_psi") is None
    assert any("Every feature weighs the same" in note for note in unknown.notes)


def test_the_lower_limit_is_never_below_what_chance_shows_and_false_alarms_are_rare() -> None:
    generator = np.random.default_rng(12)
    above_band = above_rule = 0
    for _ in range(200):
        before, after = (np.sort(generator.normal(size=200)) for _ in range(2))
        binned = statistics.bin_numbers(before, after)
        above_band += binned.psi > 0.10
        above_rule += binned.psi > max(0.10, statistics.null_point(len(binned.labels), 200, 200))
    assert 0.25 <= above_band / 200 <= 0.48, "published: 36 % of the cases without drift exceed 0.10 at 200 rows"
    assert above_rule / 200 <= 0.015
