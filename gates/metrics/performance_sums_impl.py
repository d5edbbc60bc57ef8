"""Metrics from sums over the joined table `j` (y, d, s, w of the candidate; d2, s2 of the champion): no row leaves the engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import duckdb
import numpy as np

from gates.metrics.performance_metrics_impl import Result, few_of_a_class, ranked
from gates.metrics.performance_summary_impl import Histogram
from gates.metrics.statistics import confusion, paired
from gates.metrics.statistics.auc import Aucs
from gates.metrics.statistics.intervals import Interval, effective_n

FINE, COARSE = 2_000, 50
CLIP = 1e-15


def _bin(score: str, per_logit: int) -> str:
    clipped = f"least(greatest({score}, {CLIP!r}), 1 - 1e-12)"
    return f"CAST(floor(ln({clipped} / (1 - {clipped})) * {per_logit}) AS INTEGER)"


def curves(connection: duckdb.DuckDBPyConnection, scored: bool, also: bool) -> dict[str, Histogram]:
    """Histogram of each model's scores. `scored`: the candidate has scores, `also`: so has the champion."""
    sides = {"candidate": "s", **({"champion": "s2"} if also else {})} if scored else {}
    found = {}
    for name, column in sides.items():
        rows = connection.execute(
            f"SELECT {_bin(column, FINE)} AS k, sum(y), count(*) - sum(y) FROM j GROUP BY k ORDER BY k"
        ).fetchnumpy()
        _, positive, negative = (np.asarray(part, dtype=np.float64) for part in rows.values())
        found[name] = Histogram(positive, negative)
    return found


def areas(connection: duckdb.DuckDBPyConnection, curves: Mapping[str, Histogram], notes: list[str]) -> dict[str, Result]:
    """AUC and Gini: values from the fine bins, DeLong's covariance from the joint coarse ones."""
    if not curves:
        return {}
    names = [_bin(column, COARSE) for column in ("s", "s2")[: len(curves)]]
    keys = ", ".join(f"{sql} AS k{at}" for at, sql in enumerate(names))
    groups = ", ".join(f"k{at}" for at in range(len(names)))
    cells = connection.execute(f"SELECT {keys}, sum(y), count(*) - sum(y) FROM j GROUP BY {groups}").fetchnumpy()
    *keyed, positive, negative = (np.asarray(part, dtype=np.float64) for part in cells.values())
    m, n = float(positive.sum()), float(negative.sum())
    over, under = [], []
    for key in keyed:
        _, at = np.unique(key, return_inverse=True)
        p, q = (np.bincount(at, weights=part) for part in (positive, negative))
        over.append(((np.cumsum(q) - q / 2) / n)[at])
        under.append((1 - (np.cumsum(p) - p / 2) / m)[at])
    covariance = _weighted(np.array(over), positive) / m + _weighted(np.array(under), negative) / n
    values, bound = [], 0.0
    for curve in curves.values():
        below = np.cumsum(curve.negative) - curve.negative / 2
        values.append(float(curve.positive @ below / (m * n)))
        bound = max(bound, float(curve.positive @ curve.negative / 2 / (m * n)))
    notes.append(f"AUC was computed on bins of the scores; it is off by at most {bound:.1g}.")
    return ranked(Aucs(np.array(values), covariance, bound), few_of_a_class(int(m), int(n)))


def _weighted(values: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Covariance of columns that stand for `count` rows each."""
    total = count.sum()
    centred = values - (values @ count / total)[:, None]
    return np.asarray((centred * count) @ centred.T / max(total - 1, 1))


def losses(connection: duckdb.DuckDBPyConnection, curves: Mapping[str, Histogram]) -> dict[str, Result]:
    """Log loss and Brier score as ratios of weighted sums, with the covariance of those sums."""
    if not curves:
        return {}
    both = "champion" in curves
    found = {}
    for name, loss in (("log_loss", _log_loss), ("brier", _brier)):
        columns = ["w", f"w * {loss('s')}", *([f"w * {loss('s2')}"] if both else [])]
        means, covariance = _moments(connection, columns)

        def result(
            function: Callable[[np.ndarray], float], means: np.ndarray = means, covariance: np.ndarray = covariance
        ) -> Interval:
            return paired.of_moments(means, covariance, function)

        own = result(lambda m: float(m[1] / m[0]))
        if not both:
            found[name] = Result(own)
            continue
        found[name] = Result(
            own,
            result(lambda m: float(m[2] / m[0])),
            result(lambda m: float((m[2] - m[1]) / m[0])),
            result(lambda m: float((m[2] - m[1]) / m[2]) if m[2] > 0 else math.nan),
        )
    return found


def _log_loss(column: str) -> str:
    return f"-ln(least(greatest(CASE WHEN y = 1 THEN {column} ELSE 1 - {column} END, {CLIP!r}), 1 - {CLIP!r}))"


def _brier(column: str) -> str:
    return f"({column} - y) * ({column} - y)"


def _moments(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Means of the columns and the covariance of the means. Two passes: centred sums lose no digits."""
    k = len(columns)
    first = connection.execute(f"SELECT count(*), {', '.join(f'avg({column})' for column in columns)} FROM j").fetchall()[0]
    n, means = float(first[0]), np.array(first[1:], dtype=np.float64)
    pairs = [(a, b) for a in range(k) for b in range(a, k)]
    named = ", ".join(
        f"{column} - {float(mean)!r} AS x{at}" for at, (column, mean) in enumerate(zip(columns, means, strict=True))
    )
    sums = connection.execute(
        f"SELECT {', '.join(f'sum(x{a} * x{b})' for a, b in pairs)} FROM (SELECT {named} FROM j)"
    ).fetchall()[0]
    covariance = np.zeros((k, k))
    for (a, b), value in zip(pairs, sums, strict=True):
        covariance[a, b] = covariance[b, a] = value
    return means, covariance / max(n - 1, 1) / n


def decisions(connection: duckdb.DuckDBPyConnection, *, both: bool, weighted: bool, seed: int) -> dict[str, Result]:
    """Metrics of the confusion matrix, of the candidate or of both models on the same rows."""
    counts = np.zeros((2, 2, 2))
    for y, first, second, weight in connection.execute(
        f"SELECT y, d, {'d2' if both else 'd'}, sum(w) FROM j GROUP BY ALL"
    ).fetchall():
        counts[y, first, second] += weight
    total, squares = connection.execute("SELECT sum(w), sum(w * w) FROM j").fetchall()[0]
    n = effective_n(total, squares) if weighted else None
    compared = confusion.compare(counts, seed=seed, n=n)
    if both:
        return {name: Result(each.first, each.second, each.change, each.relative) for name, each in compared.items()}
    return {name: Result(each.first) for name, each in compared.items()}


def weighted_area(connection: duckdb.DuckDBPyConnection) -> float:
    """AUC with row weights, from the same fine bins."""
    rows = connection.execute(
        f"SELECT {_bin('s', FINE)} AS k, sum(w * y), sum(w * (1 - y)) FROM j GROUP BY k ORDER BY k"
    ).fetchnumpy()
    _, positive, negative = (np.asarray(part, dtype=np.float64) for part in rows.values())
    return float(positive @ (np.cumsum(negative) - negative / 2) / (positive.sum() * negative.sum()))
