"""Two models on the same rows: McNemar's test, and the delta method for functions of means of paired per-row quantities."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, erfc, ndtr

from gates.metrics.statistics.intervals import Interval, z_of

EXACT_BELOW = 25
BLOCK = 262_144


@dataclass(frozen=True, slots=True)
class McNemar:
    """`only_first` and `only_second`: rows where only that model is right; `statistic` chi-square with one degree of freedom."""

    only_first: int
    only_second: int
    statistic: float
    p: float
    p_exact: float


def mcnemar(only_first: int, only_second: int, *, continuity: bool = False) -> McNemar:
    """McNemar 1947 on the discordant rows; `p_exact` is the two-sided binomial p-value, to be preferred below 25 of them."""
    n = only_first + only_second
    if n == 0:
        return McNemar(0, 0, 0.0, 1.0, 1.0)
    gap = abs(only_first - only_second) - (1 if continuity else 0)
    statistic = float(max(gap, 0) ** 2) / n
    exact = min(1.0, 2 * float(bdtr(float(min(only_first, only_second)), n, 0.5)))
    return McNemar(only_first, only_second, statistic, float(erfc(math.sqrt(statistic / 2))), exact)


def two_sided_p(z: float) -> float:
    """p-value of a standard normal statistic."""
    return float(2 * ndtr(-abs(z)))


def of_means(rows: np.ndarray, function: Callable[[np.ndarray], float], level: float = 0.95) -> Interval:
    """A smooth function of the column means of `rows` (n x k) with its delta-method interval.

    The gradient is a central difference, the covariance that of the rows, so pairing is kept. NaN where the function is not
    defined.
    """
    means: np.ndarray = rows.mean(axis=0)
    return of_moments(means, _covariance_of_means(rows, means), function, level)


def of_moments(
    means: np.ndarray, covariance: np.ndarray, function: Callable[[np.ndarray], float], level: float = 0.95
) -> Interval:
    """The same from the means and the covariance of the means, for rows that were only summed."""
    value = float(function(means))
    gradient = np.empty(len(means))
    for k, mean in enumerate(means):
        step = 1e-6 * max(abs(float(mean)), 1e-3)
        up, down = means.copy(), means.copy()
        up[k] += step
        down[k] -= step
        gradient[k] = (function(up) - function(down)) / (2 * step)
    half = z_of(level) * math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))
    return Interval(value, value - half, value + half, level)


def _covariance_of_means(rows: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Covariance of the column means, in blocks: millions of rows are never copied as a whole."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), BLOCK):
        centred = rows[start : start + BLOCK] - means
        total += centred.T @ centred
    return total / max(len(rows) - 1, 1) / len(rows)
