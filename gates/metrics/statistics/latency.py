"""Percentiles of latency and ratios of two versions, with bootstrap intervals.

Resampling rows and taking the q-quantile picks an order statistic whose rank is binomial (n, q) (Efron 1979), so only ranks are
drawn. Means are resampled on at most 250 bins of equal count: the same figure at any number of samples.
"""

from __future__ import annotations

import numpy as np

from gates.metrics.statistics.intervals import Interval

RESAMPLES = 2000
MEAN_BINS = 250


def percentile(values: np.ndarray, q: float, *, seed: int, level: float = 0.95) -> Interval:
    """The q-quantile (q from 0 to 1) with its percentile-bootstrap interval."""
    ordered = np.sort(values)
    many = _quantiles(ordered, q, np.random.default_rng(seed))
    return _interval(float(np.quantile(ordered, q)), many, level)


def percentile_ratio(first: np.ndarray, second: np.ndarray, q: float, *, seed: int, level: float = 0.95) -> Interval:
    """q-quantile of the first over that of the second, two independent runs."""
    a, b = np.sort(first), np.sort(second)
    rng = np.random.default_rng(seed)
    many = _quantiles(a, q, rng) / _quantiles(b, q, rng)
    return _interval(float(np.quantile(a, q) / np.quantile(b, q)), many, level)


def mean(values: np.ndarray, *, seed: int, level: float = 0.95) -> Interval:
    """The mean with its bootstrap interval."""
    return _interval(float(values.mean()), _means(values, np.random.default_rng(seed)), level)


def mean_ratio(first: np.ndarray, second: np.ndarray, *, seed: int, level: float = 0.95) -> Interval:
    """Mean of the first over mean of the second: at the same price this is the ratio of what a prediction costs."""
    rng = np.random.default_rng(seed)
    many = _means(first, rng) / _means(second, rng)
    return _interval(float(first.mean() / second.mean()), many, level)


def _quantiles(ordered: np.ndarray, q: float, rng: np.random.Generator) -> np.ndarray:
    ranks = np.clip(rng.binomial(len(ordered), q, RESAMPLES), 0, len(ordered) - 1)
    return np.asarray(ordered[ranks], dtype=np.float64)


def _means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    parts = np.array_split(np.sort(values), min(len(values), MEAN_BINS))
    size = np.array([len(part) for part in parts], dtype=np.float64)
    centre = np.array([part.mean() for part in parts])
    drawn = rng.multinomial(len(values), size / size.sum(), size=RESAMPLES)
    return np.asarray(drawn @ centre / len(values))


def _interval(value: float, many: np.ndarray, level: float) -> Interval:
    low, high = np.quantile(many, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)
