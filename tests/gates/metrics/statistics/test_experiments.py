"""Sample size and sample ratio: the published figures, and independent computation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from gates.metrics.statistics import experiments as exp


def test_evan_millers_calculator() -> None:
    assert round(exp.per_arm(0.20, 0.05)) == 1030


def test_the_planned_power_is_reached_in_simulation() -> None:
    rng = np.random.default_rng(3)
    n = round(exp.per_arm(0.20, 0.05))
    a, b = rng.binomial(n, 0.20, 20_000), rng.binomial(n, 0.25, 20_000)
    pooled = (a + b) / (2 * n)
    z = (b - a) / n / np.sqrt(2 * pooled * (1 - pooled) / n)
    assert float((np.abs(z) > 1.959964).mean()) == pytest.approx(0.79, abs=0.015), (
        "the formula takes the variance under the old rate"
    )


def test_means_follow_the_textbook() -> None:
    # Lehr's rule of thumb: 16 σ²/δ² for a power of 0.80
    assert exp.per_arm_of_means(10, 2) == pytest.approx(15.7 * 100 / 4, rel=0.01)


def test_uneven_arms_need_more() -> None:
    assert exp.unequal(1000, [0.5, 0.5]) == pytest.approx(2000)
    assert exp.unequal(1000, [0.9, 0.1]) == pytest.approx(1000 * (1 / 0.9 + 10) / 2)


def test_the_mismatch_of_kohavi_and_others() -> None:
    statistic, p = exp.sample_ratio([821_588, 815_482], [0.5, 0.5])
    assert p == pytest.approx(1.8e-6, rel=0.03)
    theirs = scipy_stats.chisquare([821_588, 815_482])
    assert (statistic, p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    three = exp.sample_ratio([50, 30, 25], [0.5, 0.25, 0.25])
    assert three[1] == pytest.approx(scipy_stats.chisquare([50, 30, 25], [52.5, 26.25, 26.25]).pvalue, rel=1e-9)


@pytest.mark.parametrize(("n", "power"), [(1_000, 0.004), (10_000, 0.097), (100_000, 0.999)])
def test_power_and_false_alarms_at_one_in_a_thousand(n: int, power: float) -> None:
    rng = np.random.default_rng(5)
    limit = scipy_stats.chi2.isf(0.001, 1)
    for share, expected, tolerance in ((0.49, power, 0.005), (0.5, 0.0008, 0.0009)):
        first = rng.binomial(n, share, 20_000)
        found = (first - n / 2) ** 2 / (n / 2) + (n - first - n / 2) ** 2 / (n / 2)
        assert float((found > limit).mean()) == pytest.approx(expected, abs=tolerance)
    assert exp.sample_ratio([n * 0.5, n * 0.5], [0.5, 0.5]) == (0.0, 1.0)


@pytest.mark.parametrize(("rate", "effect"), [(0.0, 0.1), (1.0, 0.1), (0.5, 0.0), (0.9, 0.2)])
def test_what_has_no_answer_is_refused(rate: float, effect: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        exp.per_arm(rate, effect)
    with pytest.raises(ValueError, match="two arms"):
        exp.sample_ratio([0, 0], [0.5, 0.5])
