"""Many comparisons at once: Holm's correction, and two independent rates compared."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
