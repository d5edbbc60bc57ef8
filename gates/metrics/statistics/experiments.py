"""Sample size of an A/B test and the check of its split. Plain arithmetic, no random numbers.

Sample size for two proportions: n = (z(1-α/2)·√(2p(1-p)) + z(power)·√(p(1-p) + (p+δ)(1-p-δ)))² / δ², as in Evan Miller's
calculator: 20 % and 5 points absolute give 1,030 in each arm. For a mean: n = 2·((z(1-α/2) + z(power))·σ/δ)². Sample ratio
mismatch: Pearson's chi-square of the counts against the allocation (Fabijan et al. 2019), alarm at p < 0.001.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import chdtrc, ndtri

FORMULA = "(z(1-α/2)·√(2p(1-p)) + z(power)·√(p(1-p) + (p+δ)(1-p-δ)))² / δ²"
FORMULA_OF_MEANS = "2·((z(1-α/2) + z(power))·σ/δ)²"


def per_arm(rate: float, effect: float, *, alpha: float = 0.05, power: float = 0.80) -> float:
    """Units needed in each of two equal arms to find an absolute change `effect` of a rate, two-sided.

    ValueError when the rate, or the rate with the effect, is not between 0 and 1, or the effect is zero.
    """
    if not 0 < rate < 1 or not 0 < rate + effect < 1 or effect == 0:
        raise ValueError("a rate and the rate with the effect lie between 0 and 1, and the effect is not zero")
    noise = math.sqrt(2 * rate * (1 - rate))
    both = math.sqrt(rate * (1 - rate) + (rate + effect) * (1 - rate - effect))
    return float((ndtri(1 - alpha / 2) * noise + ndtri(power) * both) ** 2 / effect**2)


def per_arm_of_means(spread: float, effect: float, *, alpha: float = 0.05, power: float = 0.80) -> float:
    """The same for a mean with standard deviation `spread`. ValueError unless both are above zero in size."""
    if spread <= 0 or effect == 0:
        raise ValueError("the standard deviation is above zero and the effect is not zero")
    return float(2 * ((ndtri(1 - alpha / 2) + ndtri(power)) * spread / effect) ** 2)


def unequal(per_equal_arm: float, shares: Sequence[float]) -> float:
    """Units needed in all when the arms have these shares: the smallest against the largest needs the most.

    Variances add as 1/n1 + 1/n2, so the total is per_equal_arm · (1/a + 1/b) / 2 for shares a and b.
    """
    low, high = min(shares), max(shares)
    return per_equal_arm * (1 / low + 1 / high) / 2


def sample_ratio(counts: Sequence[float], shares: Sequence[float]) -> tuple[float, float]:
    """(chi-square, p) of observed counts against the shares they were to have. ValueError for fewer than two arms or no units."""
    total = sum(counts)
    if len(counts) < 2 or len(counts) != len(shares) or total <= 0:
        raise ValueError("the split of at least two arms with units in them")
    whole = sum(shares)
    expected = [total * share / whole for share in shares]
    statistic = sum((count - want) ** 2 / want for count, want in zip(counts, expected, strict=True))
    return statistic, float(chdtrc(len(counts) - 1, statistic))
