"""Calibration statistics: scikit-learn's numbers, known truth covered, noise taken out."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from gates.metrics.statistics import calibration as cal


def drawn(n: int, *, shift: float = 0.0, tilt: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores and the true chances: log-odds of the truth = shift + tilt * log-odds of the score."""
    rng = np.random.default_rng(seed)
    score = expit(rng.normal(-1, 1.2, n))
    truth = expit(shift + tilt * logit(score))
    return (rng.random(n) < truth).astype(float), score, truth


def test_brier_score_and_bins_are_scikit_learns() -> None:
    label, score, _ = drawn(5_000, shift=0.3)
    counts = cal.of_rows(label, score)
    assert cal.brier(counts).value == pytest.approx(brier_score_loss(label, score), abs=1e-12)
    assert cal.gap(counts).value == pytest.approx(score.mean() - label.mean(), abs=1e-12)
    deciles = np.round(
        np.quantile(score, np.linspace(0.05, 0.95, 10))[np.digitize(score, np.quantile(score, np.arange(1, 10) / 10))], 6
    )
    counts = cal.of_rows(label, deciles)
    found = cal.reliability(counts, cal.edges_of(counts))
    rate, mean = calibration_curve(label, deciles, n_bins=10, strategy="quantile")
    assert [each.rate.value for each in found] == pytest.approx(rate.tolist(), abs=1e-12)
    assert [each.mean for each in found] == pytest.approx(mean.tolist(), abs=1e-12)
    by_hand = sum((deciles == each).mean() * abs(each - label[deciles == each].mean()) for each in np.unique(deciles))
    assert cal.expected_error(found, seed=1).raw == pytest.approx(by_hand, abs=1e-12)


def test_the_slope_is_that_of_a_logistic_regression_on_the_log_odds() -> None:
    label, score, _ = drawn(4_000, shift=0.5, tilt=0.7, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(logit(score)[:, None], label)
    found = cal.recalibration(cal.of_rows(label, score))
    assert found is not None
    # a fine bin is a hundredth of log-odds wide
    assert found.slope.value == pytest.approx(fitted.coef_[0, 0], abs=1e-3)
    assert found.intercept.value == pytest.approx(fitted.intercept_[0], abs=1e-3)


def test_weights_count_like_repeated_rows_in_every_point_estimate() -> None:
    label, score, _ = drawn(800, seed=5)
    times = np.random.default_rng(1).integers(1, 4, 800)
    weighted = cal.of_rows(label, score, times.astype(float))
    repeated = cal.of_rows(np.repeat(label, times), np.repeat(score, times))
    for figure in (cal.gap, cal.brier, cal.observed_to_expected):
        assert figure(weighted).value == pytest.approx(figure(repeated).value, abs=1e-12)
    a, b = cal.recalibration(weighted), cal.recalibration(repeated)
    assert a is not None and b is not None and a.slope.value == pytest.approx(b.slope.value, abs=1e-9)
    assert a.slope.high - a.slope.low > b.slope.high - b.slope.low, "three times the same person is not three people"


@pytest.mark.parametrize(("shift", "tilt"), [(0.0, 1.0), (0.3, 1.0), (0.5, 0.6)])
def test_intervals_cover_the_known_truth(shift: float, tilt: float) -> None:
    n, reps = 2_500, 250
    _, scores, truths = drawn(1_000_000, shift=shift, tilt=tilt, seed=99)
    truth = {
        "gap": float((scores - truths).mean()),
        "brier": float((truths * (1 - scores) ** 2 + (1 - truths) * scores**2).mean()),
        "slope": tilt,
    }
    hits = dict.fromkeys((*truth, "error"), 0)
    for seed in range(reps):
        label, score, chance = drawn(n, shift=shift, tilt=tilt, seed=seed)
        counts = cal.of_rows(label, score)
        cox, edges = cal.recalibration(counts), cal.edges_of(counts)
        assert cox is not None
        for name, interval in (("gap", cal.gap(counts)), ("brier", cal.brier(counts)), ("slope", cox.slope)):
            hits[name] += interval.low <= truth[name] <= interval.high
        at = np.searchsorted(edges, np.floor(logit(score) * cal.PER_LOGIT), side="left")
        real = sum(abs((score - chance)[at == k].mean()) * (at == k).mean() for k in np.unique(at))
        error = cal.expected_error(cal.reliability(counts, edges), seed=seed).error
        hits["error"] += error.low <= real <= error.high
    # nominal 95 %; 250 draws scatter by 1.4 %, and the bins' truth is itself drawn
    share = {name: count / reps for name, count in hits.items()}
    assert all(0.91 <= value <= 0.99 for value in share.values()), share


def test_noise_alone_makes_an_error_that_the_bounds_see_through() -> None:
    over = raised = 0
    raws = []
    for seed in range(200):
        label, score, _ = drawn(1_000, seed=seed)
        counts = cal.of_rows(label, score)
        found = cal.expected_error(cal.reliability(counts, cal.edges_of(counts)), seed=seed)
        raws.append(found.raw)
        over += found.raw > found.floor
        raised += found.error.low > 0
    assert np.mean(raws) > 0.02, "the plain figure cries wolf on perfectly calibrated scores"
    assert over <= 20 and raised <= 12


def test_what_has_no_answer_gives_none() -> None:
    ones = np.ones(50)
    assert cal.recalibration(cal.of_rows(ones, np.full(50, 0.7))) is None
    assert cal.recalibration(cal.of_rows(np.r_[np.ones(25), np.zeros(25)], np.full(50, 0.5))) is None
    apart = cal.recalibration(cal.of_rows(np.r_[np.ones(25), np.zeros(25)], np.r_[np.full(25, 0.9), np.full(25, 0.1)]))
    assert apart is None or apart.slope.high - apart.slope.low > 1
    assert math.isnan(cal.observed_to_expected(cal.of_rows(np.zeros(10), np.zeros(10))).value)
    extreme = cal.of_rows(np.array([0.0, 1.0] * 50), np.array([0.0, 1.0] * 50))
    assert cal.brier(extreme).value == 0.0
