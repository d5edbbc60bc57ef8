"""Intervals of rates, differences and ratios of independent groups.

Sources: Wilson 1927 and Newcombe 1998 (Statist. Med. 17:857-872) for one rate; Newcombe 1998 (17:873-890, method 10) for a
difference; Katz et al. 1978 for a ratio, with 0.5 added to each cell (Haldane, Anscombe) where a count is zero. Counts may be
fractions (effective counts of weighted data).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its bounds; `level` is the confidence level of the bounds."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def excludes(self, number: float) -> bool:
        return number < self.low or number > self.high


def z_of(level: float) -> float:
    """Two-sided standard normal quantile of a confidence level."""
    return float(ndtri(0.5 + level / 2))


def bonferroni(level: float, comparisons: int) -> float:
    """The level each of `comparisons` intervals needs, so that all hold together at `level`."""
    return 1 - (1 - level) / max(1, comparisons)


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Wilson score interval of a rate. ValueError when n is not positive."""
    if n <= 0:
        raise ValueError("a rate needs at least one row")
    z2 = z_of(level) ** 2
    p = successes / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) * math.sqrt(max(p * (1 - p), 0.0) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(p, low, high, level)


def newcombe(successes: float, n: float, other_successes: float, other_n: float, level: float = 0.95) -> Interval:
    """Difference of two rates (first minus other), Newcombe's hybrid score method 10."""
    a, b = wilson(successes, n, level), wilson(other_successes, other_n, level)
    d = a.value - b.value
    low = d - math.hypot(a.value - a.low, b.high - b.value)
    high = d + math.hypot(a.high - a.value, b.value - b.low)
    return Interval(d, max(-1.0, low), min(1.0, high), level)


def katz(successes: float, n: float, other_successes: float, other_n: float, level: float = 0.95) -> Interval:
    """Ratio of two rates (first over other) with the log interval.

    0 / 0 is no ratio: value NaN with bounds 0 and infinity. A zero above gives value 0, a zero below infinity, with bounds
    from the corrected counts.
    """
    if n <= 0 or other_n <= 0:
        raise ValueError("a ratio needs at least one row on each side")
    if successes == 0 and other_successes == 0:
        return Interval(math.nan, 0.0, math.inf, level)
    ratio = math.inf if other_successes == 0 else (successes / n) / (other_successes / other_n)
    a, m, b, k = successes, n, other_successes, other_n
    if a == 0 or b == 0:
        a, m, b, k = a + 0.5, m + 0.5, b + 0.5, k + 0.5
    centre = math.log((a / m) / (b / k))
    half = z_of(level) * math.sqrt(max(1 / a - 1 / m + 1 / b - 1 / k, 0.0))
    return Interval(ratio, 0.0 if successes == 0 else math.exp(centre - half), math.exp(centre + half), level)


def effective_n(total_weight: float, sum_of_squares: float) -> float:
    """Kish's effective number of rows of weighted data; the plain count when all weights are one."""
    return total_weight**2 / sum_of_squares if sum_of_squares > 0 else 0.0
