"""Area under the ROC curve with DeLong's covariance for models scored on the same rows.

DeLong, DeLong, Clarke-Pearson 1988, in the placement-value form of Sun and Xu 2014: O(n log n), ties counted half. Above
`EXACT_ROWS` rows the scores are put into quantile bins first and the largest possible error is returned with the result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.metrics.statistics.intervals import Interval, z_of

EXACT_ROWS = 2_000_000
BINS = 10_000


@dataclass(frozen=True)
class Aucs:
    """AUC of each score, their covariance matrix, and the largest error binning can have caused (0 when exact)."""

    values: np.ndarray
    covariance: np.ndarray
    bound: float = 0.0

    def interval(self, index: int = 0, level: float = 0.95) -> Interval:
        half = z_of(level) * float(np.sqrt(self.covariance[index, index]))
        value = float(self.values[index])
        return Interval(value, max(0.0, value - half), min(1.0, value + half), level)

    def difference(self, level: float = 0.95) -> Interval:
        """First minus second, with the paired interval."""
        d = float(self.values[0] - self.values[1])
        half = z_of(level) * float(np.sqrt(max(self._variance_of_difference(), 0.0)))
        return Interval(d, d - half, d + half, level)

    def z(self) -> float:
        """DeLong's test statistic of the paired difference; 0 when the scores rank alike."""
        variance = self._variance_of_difference()
        return float((self.values[0] - self.values[1]) / np.sqrt(variance)) if variance > 0 else 0.0

    def relative_change(self, level: float = 0.95) -> Interval:
        """(first - second) / second, delta method."""
        a, b = (float(v) for v in self.values[:2])
        gradient = np.array([1 / b, -a / b**2])
        half = z_of(level) * float(np.sqrt(max(gradient @ self.covariance[:2, :2] @ gradient, 0.0)))
        change = (a - b) / b
        return Interval(change, change - half, change + half, level)

    def _variance_of_difference(self) -> float:
        c = self.covariance
        return float(c[0, 0] + c[1, 1] - 2 * c[0, 1])


def midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties sharing their mean rank."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(values)]
    ranks = np.empty(len(values), dtype=np.float64)
    ranks[order] = np.repeat((starts + ends + 1) / 2.0, ends - starts)
    return ranks


def auc(label: np.ndarray, score: np.ndarray) -> float:
    """Plain AUC by midranks. ValueError with one class only."""
    positive = label == 1
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        raise ValueError("AUC needs both classes")
    return float((midranks(score)[positive].sum() - m * (m + 1) / 2) / (m * n))


def weighted_auc(label: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """AUC with row weights: the weighted share of positive-negative pairs ranked right, ties half."""
    levels, index = np.unique(score, return_inverse=True)
    positive = np.bincount(index, weights=weight * (label == 1), minlength=len(levels))
    negative = np.bincount(index, weights=weight * (label != 1), minlength=len(levels))
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / (positive.sum() * negative.sum()))


def delong(label: np.ndarray, *scores: np.ndarray, exact_rows: int = EXACT_ROWS) -> Aucs:
    """AUCs of several scores on the same rows with their covariance. ValueError with one class only."""
    positive = label == 1
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        raise ValueError("AUC needs both classes")
    over_negatives = np.empty((len(scores), m))
    over_positives = np.empty((len(scores), n))
    bound = 0.0
    for row, score in enumerate(scores):
        if len(label) <= exact_rows:
            over, under = _place(score[positive], score[~positive])
            error = 0.0
        else:
            over, under, error = _place_binned(score[positive], score[~positive])
        over_negatives[row], over_positives[row] = over, under
        bound = max(bound, error)
    values = over_negatives.mean(axis=1)
    covariance = _covariance(over_negatives) / m + _covariance(over_positives) / n
    return Aucs(values, covariance, bound)


def of_bins(positive: np.ndarray, negative: np.ndarray) -> Aucs:
    """One score's AUC from its counts per bin, in order of the bins. ValueError with one class only.

    Rows of a bin count as tied. `bound` is what the AUC can be off by if they are not: half the pairs that share a bin.
    """
    p, q = positive.astype(np.float64), negative.astype(np.float64)
    m, n = float(p.sum()), float(q.sum())
    if not m or not n:
        raise ValueError("AUC needs both classes")
    below = (np.cumsum(q) - q / 2) / n
    above = 1 - (np.cumsum(p) - p / 2) / m
    value = float((p * below).sum() / m)
    variance = sum(
        float((count * (place - value) ** 2).sum() / (rows - 1) / rows) if rows > 1 else 0.0
        for count, place, rows in ((p, below, m), (q, above, n))
    )
    return Aucs(np.array([value]), np.array([[variance]]), float((p * q).sum() / 2 / (m * n)))


def _covariance(rows: np.ndarray) -> np.ndarray:
    if rows.shape[1] < 2:
        return np.zeros((len(rows), len(rows)))
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred @ centred.T / (rows.shape[1] - 1))


def _place(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ordered_negative, ordered_positive = np.sort(negative), np.sort(positive)
    below = np.searchsorted(ordered_negative, positive, "left") + np.searchsorted(ordered_negative, positive, "right")
    above = np.searchsorted(ordered_positive, negative, "left") + np.searchsorted(ordered_positive, negative, "right")
    return below / (2.0 * len(negative)), 1 - above / (2.0 * len(positive))


def _place_binned(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    pooled = np.concatenate([positive, negative])
    sample = pooled[:: max(1, len(pooled) // 500_000)]
    edges = np.unique(np.quantile(sample, np.linspace(0, 1, BINS + 1)[1:-1]))
    p, q = np.searchsorted(edges, positive, "right"), np.searchsorted(edges, negative, "right")
    in_p, in_q = np.bincount(p, minlength=len(edges) + 1), np.bincount(q, minlength=len(edges) + 1)
    below = (np.cumsum(in_q) - in_q / 2) / len(negative)
    above = 1 - (np.cumsum(in_p) - in_p / 2) / len(positive)
    bound = float((in_p.astype(float) * in_q).sum() / 2 / (len(positive) * len(negative)))
    return below[p], above[q], bound
