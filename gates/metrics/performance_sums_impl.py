"""Metrics from sums over the joined rows (y, d, s, w of the candidate; d2, s2 of the champion): no row leaves the engine.

The rows come in parts small enough for memory. What is added up over the parts is small: two histograms, the joint coarse bins,
confusion counts, and means with centred sums (Chan, Golub, LeVeque 1983), so that no digits are lost over ten million rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np

from gates.metrics.performance_metrics_impl import Result, few_of_a_class, ranked
from gates.metrics.performance_summary_impl import Histogram
from gates.metrics.statistics import auc, confusion, paired
from gates.metrics.statistics.auc import Aucs
from gates.metrics.statistics.intervals import Interval, effective_n

FINE, COARSE = 2_000, 50
CLIP = 1e-15
LEAST = math.floor(math.log(CLIP) * FINE) - 1
BINS = math.ceil(-math.log(1e-12) * FINE) + 2 - LEAST
APART = 1 << 20
"""More than there are coarse bins: two bins of a row become one number."""


@dataclass(frozen=True)
class Has:
    """Which columns there are: scores of the candidate, of both, decisions of the candidate, of both, weights."""

    scores: bool = False
    both_scores: bool = False
    decisions: bool = False
    both_decisions: bool = False
    weights: bool = False


@dataclass
class Moments:
    """Rows, means and centred sums of products of some columns."""

    n: float
    means: np.ndarray
    products: np.ndarray

    def joined(self, other: Moments) -> Moments:
        """Of both sets of rows together."""
        n, apart = self.n + other.n, other.means - self.means
        means = self.means + apart * (other.n / n)
        return Moments(n, means, self.products + other.products + np.outer(apart, apart) * (self.n * other.n / n))

    @property
    def covariance_of_means(self) -> np.ndarray:
        return np.asarray(self.products / max(self.n - 1, 1) / self.n)


@dataclass
class Sums:
    """What is added up over the parts. `add` takes one part; the rest reads it."""

    has: Has
    rows: int = 0
    positives: int = 0
    lowest: float = math.inf
    highest: float = -math.inf
    differ: int = 0
    only_first: int = 0
    only_second: int = 0
    weight: float = 0.0
    weight2: float = 0.0
    counts: np.ndarray = field(default_factory=lambda: np.zeros((2, 2, 2)))
    fine: dict[str, np.ndarray] = field(default_factory=dict)
    weighted: np.ndarray = field(default_factory=lambda: np.zeros((2, BINS)))
    coarse: list[np.ndarray] = field(default_factory=list)
    moments: dict[str, Moments] = field(default_factory=dict)

    def add(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Count what is in the view `j` now."""
        row = connection.execute(
            "SELECT count(*), coalesce(sum(y), 0), min(s), max(s), "
            "count(*) FILTER (WHERE s IS DISTINCT FROM s2 OR d IS DISTINCT FROM d2), "
            "count(*) FILTER (WHERE d = y AND d2 <> y), count(*) FILTER (WHERE d <> y AND d2 = y), sum(w), sum(w * w) FROM j"
        ).fetchall()[0]
        if not row[0]:
            return
        self.rows += row[0]
        self.positives += int(row[1])
        if row[2] is not None:
            self.lowest, self.highest = min(self.lowest, row[2]), max(self.highest, row[3])
        self.differ, self.only_first, self.only_second = self.differ + row[4], self.only_first + row[5], self.only_second + row[6]
        self.weight, self.weight2 = self.weight + row[7], self.weight2 + row[8]
        if self.has.scores:
            self._add_scores(connection)
        if self.has.decisions:
            other = "d2" if self.has.both_decisions else "d"
            for y, first, second, weight in connection.execute(f"SELECT y, d, {other}, sum(w) FROM j GROUP BY ALL").fetchall():
                self.counts[y, first, second] += weight

    def _add_scores(self, connection: duckdb.DuckDBPyConnection) -> None:
        columns = {"candidate": "s", **({"champion": "s2"} if self.has.both_scores else {})}
        for name, column in columns.items():
            held = self.fine.setdefault(name, np.zeros((2, BINS)))
            _into(held, connection, f"SELECT {_bin(column, FINE)} AS k, sum(y), count(*) - sum(y) FROM j GROUP BY k")
        if self.has.weights:
            _into(self.weighted, connection, f"SELECT {_bin('s', FINE)} AS k, sum(w * y), sum(w * (1 - y)) FROM j GROUP BY k")
        keys = [_bin(column, COARSE) for column in columns.values()]
        key = f"CAST({keys[0]} AS BIGINT)" + (f" * {APART} + {keys[1]}" if len(keys) > 1 else "")
        cells = connection.execute(f"SELECT {key} AS k, sum(y), count(*) - sum(y) FROM j GROUP BY k").fetchnumpy()
        self.coarse = [_merged([*self.coarse, np.array([np.asarray(part, dtype=np.float64) for part in cells.values()])])]
        for name, loss in (("log_loss", _log_loss), ("brier", _brier)):
            found = _moments(connection, ["w", *(f"w * {loss(column)}" for column in columns.values())])
            self.moments[name] = self.moments[name].joined(found) if name in self.moments else found

    @property
    def curves(self) -> dict[str, Histogram]:
        """Histogram of each model's scores, of the bins that hold rows."""
        return {name: Histogram(*held[:, held.sum(axis=0) > 0]) for name, held in self.fine.items()}

    @property
    def weighted_area(self) -> float:
        """AUC with row weights, from the same fine bins."""
        positive, negative = self.weighted
        return float(positive @ (np.cumsum(negative) - negative / 2) / (positive.sum() * negative.sum()))

    def areas(self, notes: list[str]) -> dict[str, Result]:
        """AUC and Gini: values from the fine bins, DeLong's covariance from the joint coarse ones."""
        if not self.fine:
            return {}
        key, positive, negative = self.coarse[0]
        keyed = [key]
        if self.has.both_scores:
            second = (key + APART / 2) % APART
            keyed = [key - second, second]
        m, n = float(positive.sum()), float(negative.sum())
        over, under = [], []
        for each in keyed:
            _, at = np.unique(each, return_inverse=True)
            p, q = (np.bincount(at, weights=part) for part in (positive, negative))
            over.append(((np.cumsum(q) - q / 2) / n)[at])
            under.append((1 - (np.cumsum(p) - p / 2) / m)[at])
        covariance = _weighted(np.array(over), positive) / m + _weighted(np.array(under), negative) / n
        each_area = [auc.of_bins(curve.positive, curve.negative) for curve in self.curves.values()]
        bound = max(area.bound for area in each_area)
        notes.append(f"AUC was computed on bins of the scores; it is off by at most {bound:.1g}.")
        values = np.array([float(area.values[0]) for area in each_area])
        return ranked(Aucs(values, covariance, bound), few_of_a_class(int(m), int(n)))

    def losses(self) -> dict[str, Result]:
        """Log loss and Brier score as ratios of weighted sums, with the covariance of those sums."""
        found = {}
        for name, moments in self.moments.items():

            def result(function: Callable[[np.ndarray], float], moments: Moments = moments) -> Interval:
                return paired.of_moments(moments.means, moments.covariance_of_means, function)

            own = result(lambda m: float(m[1] / m[0]))
            if not self.has.both_scores:
                found[name] = Result(own)
                continue
            found[name] = Result(
                own,
                result(lambda m: float(m[2] / m[0])),
                result(lambda m: float((m[2] - m[1]) / m[0])),
                result(lambda m: float((m[2] - m[1]) / m[2]) if m[2] > 0 else math.nan),
            )
        return found

    def decisions(self, seed: int) -> dict[str, Result]:
        """Metrics of the confusion matrix, of the candidate or of both models on the same rows."""
        n = effective_n(self.weight, self.weight2) if self.has.weights else None
        compared = confusion.compare(self.counts, seed=seed, n=n)
        if self.has.both_decisions:
            return {name: Result(each.first, each.second, each.change, each.relative) for name, each in compared.items()}
        return {name: Result(each.first) for name, each in compared.items()}


def _bin(score: str, per_logit: int) -> str:
    clipped = f"least(greatest({score}, {CLIP!r}), 1 - 1e-12)"
    return f"CAST(floor(ln({clipped} / (1 - {clipped})) * {per_logit}) AS INTEGER)"


def _into(held: np.ndarray, connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Add counts by bin; a bin comes once in the answer."""
    key, *counts = (np.asarray(part) for part in connection.execute(query).fetchnumpy().values())
    for row, count in zip(held, counts, strict=True):
        row[key - LEAST] += count.astype(np.float64)


def _merged(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Key and counts of several parts, each key once, in order."""
    whole = np.concatenate(parts, axis=1)
    keys, at = np.unique(whole[0], return_inverse=True)
    return np.array([keys, *(np.bincount(at, weights=row, minlength=len(keys)) for row in whole[1:])])


def _weighted(values: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Covariance of columns that stand for `count` rows each."""
    total = count.sum()
    centred = values - (values @ count / total)[:, None]
    return np.asarray((centred * count) @ centred.T / max(total - 1, 1))


def _log_loss(column: str) -> str:
    return f"-ln(least(greatest(CASE WHEN y = 1 THEN {column} ELSE 1 - {column} END, {CLIP!r}), 1 - {CLIP!r}))"


def _brier(column: str) -> str:
    return f"({column} - y) * ({column} - y)"


def _moments(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> Moments:
    """Means of the columns and their centred sums of products. Two passes: centred sums lose no digits."""
    k = len(columns)
    first = connection.execute(f"SELECT count(*), {', '.join(f'avg({column})' for column in columns)} FROM j").fetchall()[0]
    means = np.array(first[1:], dtype=np.float64)
    pairs = [(a, b) for a in range(k) for b in range(a, k)]
    named = ", ".join(
        f"{column} - {float(mean)!r} AS x{at}" for at, (column, mean) in enumerate(zip(columns, means, strict=True))
    )
    sums = connection.execute(
        f"SELECT {', '.join(f'sum(x{a} * x{b})' for a, b in pairs)} FROM (SELECT {named} FROM j)"
    ).fetchall()[0]
    products = np.zeros((k, k))
    for (a, b), value in zip(pairs, sums, strict=True):
        products[a, b] = products[b, a] = value
    return Moments(float(first[0]), means, products)
