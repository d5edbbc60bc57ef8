"""Many comparisons at once: Holm's correction, and two independent rates or areas compared."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gates.metrics.statistics.intervals import Interval, z_of
from gates.metrics.statistics.paired import two_sided_p


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given (Holm 1979): the chance of one false alarm among all stays at the level chosen."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def two_rates_p(successes: float, n: float, other_successes: float, other_n: float) -> float:
    """Two-sided p-value of equal rates in two independent groups (pooled z-test); 1 where both are all or nothing."""
    pooled = (successes + other_successes) / (n + other_n)
    variance = pooled * (1 - pooled) * (1 / n + 1 / other_n)
    return two_sided_p((successes / n - other_successes / other_n) / math.sqrt(variance)) if variance > 0 else 1.0


def auc_of_counts(positive: np.ndarray, negative: np.ndarray, level: float = 0.95) -> tuple[Interval, float]:
    """AUC of counts per score bin in rising order, with DeLong's interval and variance; equal bins count half.

    ValueError with one class only.
    """
    m, n = float(positive.sum()), float(negative.sum())
    if not m or not n:
        raise ValueError("AUC needs both classes")
    over = (np.cumsum(negative) - negative / 2) / n
    under = 1 - (np.cumsum(positive) - positive / 2) / m
    value = float(positive @ over / m)
    spread_m = float(positive @ (over - value) ** 2 / max(m - 1, 1))
    spread_n = float(negative @ (under - value) ** 2 / max(n - 1, 1))
    variance = spread_m / m + spread_n / n
    half = z_of(level) * math.sqrt(variance)
    return Interval(value, max(value - half, 0.0), min(value + half, 1.0), level), variance
