"""What is known of an evaluation beside its metrics, whether the rows were held in memory or only counted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gates.metrics.statistics import auc, paired
from gates.metrics.statistics.paired import McNemar
from gates.readers import predictions as reader
from gates.readers.predictions import Predictions


@dataclass(frozen=True)
class Histogram:
    """Rows of the two classes per distinct score or score bin, in rising order of the score."""

    positive: np.ndarray
    negative: np.ndarray

    def roc(self, grid: np.ndarray) -> np.ndarray:
        """True positive rate at each false positive rate of `grid`, ties as diagonals."""
        hits, false = np.cumsum(self.positive[::-1]), np.cumsum(self.negative[::-1])
        return np.asarray(np.interp(grid, np.r_[0, false / max(false[-1], 1)], np.r_[0, hits / max(hits[-1], 1)]))

    def precision(self, grid: np.ndarray) -> np.ndarray:
        """Precision at each recall of `grid`: of the lowest threshold that reaches it, as nothing better is certain."""
        hits, false = np.cumsum(self.positive[::-1]), np.cumsum(self.negative[::-1])
        recall = hits / max(hits[-1], 1)
        at = np.minimum(np.searchsorted(recall, grid - 1e-12, side="left"), len(recall) - 1)
        return np.asarray(hits[at] / np.maximum(hits[at] + false[at], 1))

    @property
    def average_precision(self) -> float:
        """Area under the precision-recall steps (scikit-learn's `average_precision_score`)."""
        hits, false = np.cumsum(self.positive[::-1]), np.cumsum(self.negative[::-1])
        return float((self.positive[::-1] / max(hits[-1], 1) * (hits / np.maximum(hits + false, 1))).sum())

    @property
    def base_rate(self) -> float:
        return float(self.positive.sum() / max(self.positive.sum() + self.negative.sum(), 1))


@dataclass(frozen=True)
class Summary:
    """`positives` and `negatives` are None for quantities; `mcnemar` without two sets of decisions; `curves` by side."""

    rows: int
    positives: int | None = None
    negatives: int | None = None
    comparable: bool = False
    identical: bool = False
    mcnemar: McNemar | None = None
    constant: bool | None = None
    weighted_auc: float | None = None
    digest: str = ""
    curves: dict[str, Histogram] = field(default_factory=dict)


def summarise(candidate: Predictions, baseline: Predictions | None) -> Summary:
    """From rows in memory; every row has a label."""
    label, score = candidate.label, candidate.score
    assert label is not None
    binary = set(np.unique(label)) <= {0.0, 1.0}
    test = None
    if baseline is not None and candidate.decision is not None and baseline.decision is not None:
        first, second = candidate.decision == label, baseline.decision == label
        test = paired.mcnemar(int((first & ~second).sum()), int((~first & second).sum()))
    weighted = None
    if binary and score is not None and candidate.weight is not None:
        weighted = auc.weighted_auc(label, score, candidate.weight)
    curves = {}
    if binary and score is not None:
        curves["candidate"] = _histogram(label, score)
        if baseline is not None and baseline.score is not None:
            curves["champion"] = _histogram(label, baseline.score)
    return Summary(
        rows=candidate.rows,
        positives=int((label == 1).sum()) if binary else None,
        negatives=int((label == 0).sum()) if binary else None,
        comparable=baseline is not None,
        identical=baseline is not None
        and reader.equal_values(candidate.score, baseline.score)
        and reader.equal_values(candidate.decision, baseline.decision),
        mcnemar=test,
        constant=float(score.min()) == float(score.max()) if binary and score is not None else None,
        weighted_auc=weighted,
        digest=candidate.digest(),
        curves=curves,
    )


def _histogram(label: np.ndarray, score: np.ndarray) -> Histogram:
    levels, at = np.unique(score, return_inverse=True)
    every = np.bincount(at, minlength=len(levels))
    positive = np.bincount(at, weights=label == 1, minlength=len(levels))
    return Histogram(positive, every - positive)
