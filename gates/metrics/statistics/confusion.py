"""Metrics made from a confusion matrix, on counts, and their paired multinomial bootstrap.

Resampling the eight counts (label x candidate decision x champion decision) is the same as resampling rows, at any number of
rows. A zero denominator gives 0, as in scikit-learn and Fairlearn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gates.metrics.statistics.intervals import Interval

Rates = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(top, bottom, out=np.zeros_like(top, dtype=np.float64), where=bottom != 0))


# Each takes tn, fp, fn, tp (arrays of equal shape) and gives the metric.
METRICS: dict[str, Rates] = {
    "accuracy": lambda tn, fp, fn, tp: _over(tn + tp, tn + fp + fn + tp),
    "precision": lambda tn, fp, fn, tp: _over(tp, tp + fp),
    "recall": lambda tn, fp, fn, tp: _over(tp, tp + fn),
    "specificity": lambda tn, fp, fn, tp: _over(tn, tn + fp),
    "f1": lambda tn, fp, fn, tp: _over(2 * tp, 2 * tp + fp + fn),
    "balanced_accuracy": lambda tn, fp, fn, tp: (_over(tp, tp + fn) + _over(tn, tn + fp)) / 2,
}


def paired_counts(label: np.ndarray, first: np.ndarray, second: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Counts indexed [label, first decision, second decision]."""
    cell = (label.astype(np.int64) * 2 + first.astype(np.int64)) * 2 + second.astype(np.int64)
    return np.bincount(cell, weights=weight, minlength=8).astype(np.float64).reshape(2, 2, 2)


def _cells(counts: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    one = counts.sum(axis=-1 if axis == 0 else -2)
    return one[..., 0, 0], one[..., 0, 1], one[..., 1, 0], one[..., 1, 1]


@dataclass(frozen=True)
class Compared:
    """One metric of both models with percentile intervals; changes are first minus second."""

    first: Interval
    second: Interval
    change: Interval
    relative: Interval


def compare(
    counts: np.ndarray, *, seed: int, resamples: int = 2000, level: float = 0.95, n: float | None = None
) -> dict[str, Compared]:
    """Every metric of `METRICS` for both decisions, from paired counts. `n`: rows to draw (effective rows of weighted data)."""
    total = counts.sum()
    draw_n = round(total if n is None else n)
    drawn = np.random.default_rng(seed).multinomial(draw_n, (counts / total).ravel(), size=resamples).reshape(-1, 2, 2, 2)
    drawn = drawn.astype(np.float64)
    out: dict[str, Compared] = {}
    for name, metric in METRICS.items():
        a, b = (float(metric(*_cells(counts, axis))) for axis in (0, 1))
        many_a, many_b = (metric(*_cells(drawn, axis)) for axis in (0, 1))
        relative = np.divide(many_a - many_b, many_b, out=np.full_like(many_a, np.nan), where=many_b != 0)
        out[name] = Compared(
            _percentile(a, many_a, level),
            _percentile(b, many_b, level),
            _percentile(a - b, many_a - many_b, level),
            _percentile((a - b) / b if b else float("nan"), relative, level),
        )
    return out


def alone(
    label: np.ndarray, decision: np.ndarray, *, seed: int, weight: np.ndarray | None = None, n: float | None = None
) -> dict[str, Interval]:
    """The same metrics for one model."""
    counts = paired_counts(label, decision, decision, weight)
    return {name: compared.first for name, compared in compare(counts, seed=seed, n=n).items()}


def _percentile(value: float, many: np.ndarray, level: float) -> Interval:
    finite = many[np.isfinite(many)]
    if not len(finite):
        return Interval(value, float("nan"), float("nan"), level)
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)
