"""Numbers that compare two attribution matrices (rows x features, same rows and features): definitions and limits of GATES
2.4.

All functions are pure. `intervals` resamples rows, so it says how much of a figure is due to which rows were drawn, not
to retraining.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

MATERIAL = 0.05
RESAMPLES = 200


def shares(attributions: np.ndarray) -> np.ndarray:
    """Mean absolute attribution per feature over its sum over features; all zero when nothing is attributed."""
    mean = np.abs(attributions).mean(axis=0)
    total = mean.sum()
    return np.asarray(mean / total if total > 0 else mean)


def row_cosines(candidate: np.ndarray, champion: np.ndarray) -> np.ndarray:
    """Cosine of the two attribution vectors of each row: 1 when both are zero, 0 when one is."""
    product = (candidate * champion).sum(axis=1)
    a, b = np.linalg.norm(candidate, axis=1), np.linalg.norm(champion, axis=1)
    both_zero = (a == 0) & (b == 0)
    size = np.where(a * b > 0, a * b, 1.0)
    return np.asarray(np.where(both_zero, 1.0, np.clip(product / size, -1.0, 1.0)))


def material_entries(candidate: np.ndarray, champion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per row: how many entries are material (over 5 % of the row in either version), and how many of them change sign (or
    vanish).
    """

    def over(values: np.ndarray) -> np.ndarray:
        size = np.abs(values)
        return np.asarray(size > MATERIAL * size.sum(axis=1, keepdims=True))

    material = over(candidate) | over(champion)
    flips = material & (np.sign(candidate) != np.sign(champion))
    return material.sum(axis=1), flips.sum(axis=1)


def top_reason_agreement(candidate: np.ndarray, champion: np.ndarray, adverse: int = 1) -> float:
    """Part of the rows whose most adverse feature is the same. `adverse` is 1 when a higher score is worse for the person,
    else -1.
    """
    return float((np.argmax(adverse * candidate, axis=1) == np.argmax(adverse * champion, axis=1)).mean())


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties share the mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], dtype=float)


def spearman(a: np.ndarray, b: np.ndarray) -> float | None:
    """Rank correlation; None when one side has no order."""
    x, y = ranks(a) - (len(a) + 1) / 2, ranks(b) - (len(b) + 1) / 2
    size = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / size) if size > 0 else None


def weighted_kendall(a: np.ndarray, b: np.ndarray) -> float | None:
    """Weighted Kendall tau (Vigna 2015): additive hyperbolic weights by rank, the mean of ranking by either side.

    Exchanges among the important features weigh most. None when one side has no order.
    """
    if len(a) < 2:
        return None
    found = [_kendall(a, b, np.lexsort((y, x))[::-1]) for x, y in ((a, b), (b, a))]
    return None if None in found else float(np.mean([value for value in found if value is not None]))


def _kendall(a: np.ndarray, b: np.ndarray, order: np.ndarray) -> float | None:
    rank = np.empty(len(a))
    rank[order] = np.arange(len(a))
    weight = 1 / (rank + 1)
    pairs = weight[:, None] + weight[None, :]
    np.fill_diagonal(pairs, 0.0)
    x, y = np.sign(a[:, None] - a[None, :]), np.sign(b[:, None] - b[None, :])
    size = float(np.sqrt((pairs * x**2).sum() * (pairs * y**2).sum()))
    return float((pairs * x * y).sum() / size) if size > 0 else None


def top_jaccard(a: np.ndarray, b: np.ndarray, count: int = 5) -> float:
    """Overlap of the `count` largest of each side over their union."""
    first, second = set(np.argsort(-a, kind="stable")[:count].tolist()), set(np.argsort(-b, kind="stable")[:count].tolist())
    return len(first & second) / len(first | second)


def compare(candidate: np.ndarray, champion: np.ndarray, adverse: int = 1) -> dict[str, float | None]:
    """Every figure of GATES 2.4 by its short name."""
    p, q = shares(candidate), shares(champion)
    cosines = row_cosines(candidate, champion)
    material, flips = material_entries(candidate, champion)
    return {
        "max_share_change": float(np.abs(p - q).max()),
        "total_variation": float(np.abs(p - q).sum() / 2),
        "row_cosine_median": float(np.median(cosines)),
        "row_cosine_p10": float(np.quantile(cosines, 0.1)),
        "sign_flips": float(flips.sum() / max(1, material.sum())),
        "top1_agreement": top_reason_agreement(candidate, champion, adverse),
        "spearman": spearman(p, q),
        "weighted_kendall": weighted_kendall(p, q),
        "top5_jaccard": top_jaccard(p, q),
    }


def intervals(candidate: np.ndarray, champion: np.ndarray, seed: int) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals over rows of the figures that a verdict rests on."""
    generator = np.random.default_rng(seed)
    rows = len(candidate)
    chosen = generator.integers(0, rows, size=(RESAMPLES, rows))
    weights = np.stack([np.bincount(pick, minlength=rows) for pick in chosen]).astype(float)
    material, flips = material_entries(candidate, champion)

    def share(values: np.ndarray) -> np.ndarray:
        mass = weights @ np.abs(values)
        total = mass.sum(axis=1, keepdims=True)
        return np.asarray(mass / np.where(total > 0, total, 1.0))

    difference = np.abs(share(candidate) - share(champion))
    drawn: Mapping[str, np.ndarray] = {
        "max_share_change": difference.max(axis=1),
        "total_variation": difference.sum(axis=1) / 2,
        "row_cosine_p10": np.quantile(row_cosines(candidate, champion)[chosen], 0.1, axis=1),
        "sign_flips": (weights @ flips) / np.maximum(1, weights @ material),
    }
    return {name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))) for name, values in drawn.items()}


def share_error(values: np.ndarray, seed: int) -> float:
    """Largest standard error of a feature's share that comes from which rows were drawn (bootstrap over rows)."""
    generator = np.random.default_rng(seed + 5)
    rows = len(values)
    weights = np.stack([np.bincount(generator.integers(0, rows, rows), minlength=rows) for _ in range(RESAMPLES)]).astype(float)
    mass = weights @ np.abs(values)
    total = mass.sum(axis=1, keepdims=True)
    return float((mass / np.where(total > 0, total, 1.0)).std(axis=0).max(initial=0.0))


def aligned(names: Sequence[str], matrix: np.ndarray, union: Sequence[str]) -> np.ndarray:
    """The matrix with one column per name of `union`; zero where the model does not know the feature."""
    at = {name: index for index, name in enumerate(names)}
    return np.column_stack([matrix[:, at[name]] if name in at else np.zeros(len(matrix)) for name in union])
