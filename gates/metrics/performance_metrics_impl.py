"""Names, directions and computation of each performance metric, for one model and for two on the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gates.metrics.statistics import auc, confusion, paired
from gates.metrics.statistics.intervals import Interval, effective_n
from gates.readers.predictions import Predictions

MIN_PER_CLASS = 100
MIN_ROWS = 100
LOSSES = frozenset({"log_loss", "brier", "rmse", "mae"})
TITLES = {
    "roc_auc": "AUC",
    "gini": "Gini",
    "log_loss": "log loss",
    "brier": "Brier score",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F1",
    "balanced_accuracy": "balanced accuracy",
    "rmse": "RMSE",
    "mae": "mean absolute error",
    "r2": "R²",
}
_ALIASES = {
    "auc": "roc_auc",
    "rocauc": "roc_auc",
    "auroc": "roc_auc",
    "roc_auc_score": "roc_auc",
    "f1_score": "f1",
    "accuracy_score": "accuracy",
    "acc": "accuracy",
    "precision_score": "precision",
    "recall_score": "recall",
    "sensitivity": "recall",
    "true_positive_rate": "recall",
    "logloss": "log_loss",
    "cross_entropy": "log_loss",
    "binary_logloss": "log_loss",
    "brier_score": "brier",
    "brier_score_loss": "brier",
    "r2_score": "r2",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
}
_PREFIXES = ("validation_", "valid_", "val_", "test_", "eval_", "evaluation_", "holdout_")
_CLIP = 1e-15


def canonical(name: str) -> str:
    """Our name of a metric as other tools write it (`val_auc`, `test-F1`, `roc_auc_score`), or "" when it is none of ours."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    plain = _ALIASES.get(plain, plain)
    return plain if plain in TITLES else ""


@dataclass(frozen=True)
class Result:
    """One metric: each side, absolute and relative change (positive is better). `value` NaN with `reason`: could not tell."""

    candidate: Interval
    baseline: Interval | None = None
    change: Interval | None = None
    relative: Interval | None = None
    reason: str = ""


def classification(candidate: Predictions, baseline: Predictions | None, *, seed: int) -> tuple[dict[str, Result], list[str]]:
    """Every metric that the given columns allow, by name, with notes. Labels must be there and hold both classes."""
    results: dict[str, Result] = {}
    notes: list[str] = []
    label = candidate.label
    assert label is not None
    positives, negatives = int((label == 1).sum()), int((label == 0).sum())
    weight = candidate.weight
    if candidate.score is not None:
        other = baseline.score if baseline is not None else None
        results.update(_ranking(label, candidate.score, other, weight, positives, negatives, notes))
        for name, loss in (("log_loss", _log_loss), ("brier", _brier)):
            results[name] = _of_losses(loss(label, candidate.score), None if other is None else loss(label, other), weight)
    if candidate.decision is not None:
        n = effective_n(float(weight.sum()), float((weight**2).sum())) if weight is not None else None
        if baseline is not None and baseline.decision is not None:
            counts = confusion.paired_counts(label, candidate.decision, baseline.decision, weight)
            for name, both in confusion.compare(counts, seed=seed, n=n).items():
                results[name] = Result(both.first, both.second, both.change, both.relative)
        else:
            for name, one in confusion.alone(label, candidate.decision, seed=seed, weight=weight, n=n).items():
                results[name] = Result(one)
    return results, notes


def _ranking(
    label: np.ndarray,
    score: np.ndarray,
    other: np.ndarray | None,
    weight: np.ndarray | None,
    positives: int,
    negatives: int,
    notes: list[str],
) -> dict[str, Result]:
    found = auc.delong(label, score) if other is None else auc.delong(label, score, other)
    if found.bound:
        notes.append(f"AUC was computed on {auc.BINS:,} bins of the scores; it is off by at most {found.bound:.1g}.")
    if weight is not None:
        notes.append("AUC does not use the row weights; its value with weights is in the details of the measurement.")
    return ranked(found, few_of_a_class(positives, negatives))


def few_of_a_class(positives: int, negatives: int) -> str:
    """Why AUC cannot be told from so few rows of a class, or ""."""
    if min(positives, negatives) >= MIN_PER_CLASS:
        return ""
    return (
        f"AUC needs at least {MIN_PER_CLASS} positive and {MIN_PER_CLASS} negative rows; the evaluation "
        f"set has {positives:,} and {negatives:,}."
    )


def ranked(found: auc.Aucs, reason: str) -> dict[str, Result]:
    """AUC and Gini of one model, or of two on the same rows with their changes."""
    one = found.interval(0)
    if len(found.values) == 1:
        return {"roc_auc": Result(one, reason=reason), "gini": Result(_gini(one), reason=reason)}
    two = found.interval(1)
    change = found.difference()
    a, b = found.values
    gini_relative = Interval(math.nan, math.nan, math.nan)
    if 2 * b - 1 > 0:
        gradient = np.array([2 / (2 * b - 1), -2 * (2 * a - 1) / (2 * b - 1) ** 2])
        half = 1.959964 * math.sqrt(max(float(gradient @ found.covariance @ gradient), 0.0))
        value = float(2 * (a - b) / (2 * b - 1))
        gini_relative = Interval(value, value - half, value + half)
    return {
        "roc_auc": Result(one, two, change, found.relative_change(), reason),
        "gini": Result(
            _gini(one), _gini(two), Interval(2 * change.value, 2 * change.low, 2 * change.high), gini_relative, reason
        ),
    }


def _gini(interval: Interval) -> Interval:
    return Interval(2 * interval.value - 1, 2 * interval.low - 1, 2 * interval.high - 1, interval.level)


def _log_loss(label: np.ndarray, score: np.ndarray) -> np.ndarray:
    right = np.where(label == 1, score, 1 - score)
    return np.asarray(-np.log(np.clip(right, _CLIP, 1 - _CLIP, out=right)))


def _brier(label: np.ndarray, score: np.ndarray) -> np.ndarray:
    return np.asarray((score - label) ** 2)


def _of_losses(first: np.ndarray, second: np.ndarray | None, weight: np.ndarray | None) -> Result:
    """Weighted means as ratios of means: columns are weight, weighted first loss, weighted second loss."""
    w = np.ones(len(first)) if weight is None else weight
    if second is None:
        return Result(paired.of_means(np.column_stack([w, w * first]), lambda m: float(m[1] / m[0])))
    rows = np.column_stack([w, w * first, w * second])
    ratio = paired.of_means(rows, lambda m: float((m[2] - m[1]) / m[2]) if m[2] > 0 else math.nan)
    return Result(
        paired.of_means(rows, lambda m: float(m[1] / m[0])),
        paired.of_means(rows, lambda m: float(m[2] / m[0])),
        paired.of_means(rows, lambda m: float((m[2] - m[1]) / m[0])),
        ratio,
    )


_REGRESSION: Mapping[str, Callable[[np.ndarray], float]] = {
    # of the means of: weight, w*squared error, w*absolute error, w*label, w*label squared
    "rmse": lambda m: math.sqrt(max(m[1] / m[0], 0.0)),
    "mae": lambda m: float(m[2] / m[0]),
    "r2": lambda m: float(1 - (m[1] / m[0]) / (m[4] / m[0] - (m[3] / m[0]) ** 2)),
}


def regression(candidate: Predictions, baseline: Predictions | None) -> dict[str, Result]:
    """RMSE, mean absolute error and R² of numeric predictions (`score`) against numeric labels, delta-method intervals."""
    label = candidate.label
    assert label is not None and candidate.score is not None
    weight = np.ones(len(label)) if candidate.weight is None else candidate.weight
    centred = label - label.mean()
    first = candidate.score - label
    columns = [weight, weight * first**2, weight * abs(first), weight * centred, weight * centred**2]
    if baseline is None or baseline.score is None:
        return {name: Result(paired.of_means(np.column_stack(columns), metric)) for name, metric in _REGRESSION.items()}
    second = baseline.score - label
    rows = np.column_stack([*columns, weight * second**2, weight * abs(second)])
    out = {}
    for name, metric in _REGRESSION.items():
        sign = -1.0 if name in LOSSES else 1.0

        def other(m: np.ndarray, metric: Callable[[np.ndarray], float] = metric) -> float:
            return metric(np.array([m[0], m[5], m[6], m[3], m[4]]))

        def change(m: np.ndarray, metric: Callable[[np.ndarray], float] = metric, sign: float = sign) -> float:
            return sign * (metric(m) - other(m, metric))

        def relative(m: np.ndarray, metric: Callable[[np.ndarray], float] = metric, sign: float = sign) -> float:
            base = other(m, metric)
            return sign * (metric(m) - base) / abs(base) if base else math.nan

        out[name] = Result(
            paired.of_means(rows, metric),
            paired.of_means(rows, other),
            paired.of_means(rows, change),
            paired.of_means(rows, relative),
        )
    return out
