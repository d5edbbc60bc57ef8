"""Published figures, to the digits published. Sources in `docs` of each function and in the names here."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from gates.metrics.statistics import auc, confusion, intervals, paired

SHARED = Path(__file__).resolve().parents[5] / "shared" / "data"


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_in_newcombe_1998a(k: int, n: int, low: float, high: float) -> None:
    got = intervals.wilson(k, n)
    assert (round(got.low, 4), round(got.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090), ((10, 10, 0, 10), 0.6075, 1.0)],
)
def test_difference_as_in_newcombe_1998b_method_10(cells: tuple[int, int, int, int], low: float, high: float) -> None:
    got = intervals.newcombe(*cells)
    assert (round(got.low, 4), round(got.high, 4)) == (low, high)


def test_ratio_interval_of_compas_false_positives() -> None:
    got = intervals.katz(805, 805 + 990, 349, 349 + 1139)
    assert (round(got.value, 3), round(got.low, 3), round(got.high, 3)) == (1.912, 1.721, 2.124)


def test_ratio_with_zero_cells_has_an_interval_and_says_what_it_is_not() -> None:
    none = intervals.katz(0, 50, 0, 50)
    assert math.isnan(none.value) and not none.excludes(1)
    above = intervals.katz(0, 50, 10, 50)
    assert above.value == 0 and above.low == 0 and above.high < 1
    assert intervals.katz(10, 50, 0, 50).value == math.inf


def test_mcnemar_as_at_penn_state() -> None:
    got = paired.mcnemar(150, 86)
    assert round(got.statistic, 4) == 17.3559
    assert got.p == pytest.approx(3.099e-05, rel=1e-3)
    assert round(paired.mcnemar(150, 86, continuity=True).statistic, 2) == 16.82
    assert paired.mcnemar(0, 0).p == 1.0


def test_bonferroni_level() -> None:
    assert intervals.bonferroni(0.95, 10) == pytest.approx(0.995)
    assert intervals.bonferroni(0.95, 0) == 0.95


@pytest.fixture
def asah() -> dict[str, np.ndarray]:
    path = SHARED / "auc" / "aSAH.csv"
    if not path.exists():
        pytest.skip("shared data are not beside the project")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    label = np.array([row["outcome"] == "Poor" for row in rows], dtype=float)
    return {"label": label, **{name: np.array([float(row[name]) for row in rows]) for name in ("s100b", "ndka", "wfns")}}


def test_delong_as_in_proc(asah: dict[str, np.ndarray]) -> None:
    """pROC's documentation: AUC 0.7314 [0.6301, 0.8326], 0.8237 [0.7485, 0.8988]; roc.test Z = -2.209, p = 0.02718."""
    got = auc.delong(asah["label"], asah["s100b"], asah["wfns"])
    first, second = got.interval(0), got.interval(1)
    assert (round(first.value, 4), round(first.low, 4), round(first.high, 4)) == (0.7314, 0.6301, 0.8326)
    assert (round(second.value, 4), round(second.low, 4), round(second.high, 4)) == (0.8237, 0.7485, 0.8988)
    assert round(got.z(), 3) == -2.209
    assert round(paired.two_sided_p(got.z()), 5) == 0.02718


def test_auc_equals_scikit_learn_with_ties_and_weights() -> None:
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, 3000).astype(float)
    score = np.round(rng.random(3000) * 0.7 + label * 0.2, 2)
    weight = rng.random(3000)
    assert auc.auc(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    assert auc.weighted_auc(label, score, weight) == pytest.approx(roc_auc_score(label, score, sample_weight=weight), abs=1e-12)


def test_binned_auc_stays_within_the_bound_it_prints() -> None:
    rng = np.random.default_rng(4)
    label = (rng.random(60_000) < 0.1).astype(float)
    score = (rng.random(60_000) + label * 0.3) ** 12
    exact, binned = auc.delong(label, score), auc.delong(label, score, exact_rows=10)
    assert 0 < binned.bound < 1e-3
    assert abs(exact.values[0] - binned.values[0]) <= binned.bound
    assert binned.covariance[0, 0] == pytest.approx(exact.covariance[0, 0], rel=0.01)


def test_one_class_has_no_auc() -> None:
    with pytest.raises(ValueError, match="both classes"):
        auc.delong(np.ones(10), np.arange(10.0))


def test_bootstrap_on_counts_agrees_with_bootstrap_on_rows() -> None:
    rng = np.random.default_rng(5)
    label = (rng.random(800) < 0.3).astype(float)
    first = np.where(rng.random(800) < 0.85, label, 1 - label)
    second = np.where(rng.random(800) < 0.80, label, 1 - label)
    got = confusion.compare(confusion.paired_counts(label, first, second), seed=1)["f1"]
    assert got.first.value == pytest.approx(f1_score(label, first), abs=1e-12)
    changes = []
    for _ in range(400):
        pick = rng.integers(0, 800, 800)
        a, b = f1_score(label[pick], first[pick]), f1_score(label[pick], second[pick])
        changes.append((a - b) / b)
    low, high = np.quantile(changes, [0.025, 0.975])
    assert got.relative.low == pytest.approx(low, abs=0.03)
    assert got.relative.high == pytest.approx(high, abs=0.03)


def test_delta_method_of_a_ratio_of_means_matches_simulation() -> None:
    rng = np.random.default_rng(6)
    spread = []
    for _ in range(300):
        losses = rng.gamma(2.0, 1.0, 500)
        other = losses + rng.normal(0.2, 0.3, 500)
        spread.append((losses.mean() - other.mean()) / other.mean())
    got = paired.of_means(np.column_stack([losses, other]), lambda m: float((m[0] - m[1]) / m[1]))
    assert (got.high - got.low) / 2 / 1.96 == pytest.approx(float(np.std(spread)), rel=0.2)
