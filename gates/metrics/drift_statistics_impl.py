"""Sizes of a shift between two samples of one column. Pure numpy; definitions of GATES 2.5.

PSI bins come from the reference: deciles of what is left after each value that holds a bin's mass became its own bin;
missing is a bin; shares are kept at 1e-4 or more. `null_point` is the PSI that pure chance stays below 99.9 % of the time.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

FLOOR = 1e-4
BINS = 10
FEW_VALUES = 12


@dataclass(frozen=True)
class Binned:
    """Counts of both samples over the same bins, with a label for each bin."""

    labels: tuple[str, ...]
    reference: np.ndarray
    current: np.ndarray

    @property
    def psi(self) -> float:
        return psi(self.reference, self.current)

    @property
    def js_distance(self) -> float:
        return js_distance(self.reference, self.current)


def psi(reference: np.ndarray, current: np.ndarray) -> float:
    """Population stability index from counts over the same bins: sum of (a - e) ln(a / e), shares floored at 1e-4 (Siddiqi)."""
    e = np.maximum(reference / reference.sum(), FLOOR)
    a = np.maximum(current / current.sum(), FLOOR)
    return float(((a - e) * np.log(a / e)).sum())


def js_distance(reference: np.ndarray, current: np.ndarray) -> float:
    """Jensen-Shannon distance (square root of the divergence, natural logarithm) from counts over the same bins."""
    p, q = reference / reference.sum(), current / current.sum()
    middle = (p + q) / 2

    def divergence(one: np.ndarray) -> float:
        some = one > 0
        return float((one[some] * np.log(one[some] / middle[some])).sum())

    return float(np.sqrt(max(0.0, (divergence(p) + divergence(q)) / 2)))


def cramers_v(reference: np.ndarray, current: np.ndarray) -> float:
    """Cramer's V of the 2 x bins table; 0 when all is in one bin."""
    table = np.stack([reference, current]).astype(float)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return float(np.sqrt(((table - expected) ** 2 / expected).sum() / table.sum()))


def null_point(bins: int, reference: int, current: int) -> float:
    """The 99.9 % point of PSI when nothing moved: (1/N + 1/M) times chi-square with bins - 1 degrees of freedom (Yurdakul 2018).

    The chi-square point is Wilson and Hilferty's approximation: 3 % too high for two bins, under 1 % from ten bins on.
    """
    degrees = max(1, bins - 1)
    z = NormalDist().inv_cdf(0.999)
    part = 2 / (9 * degrees)
    return float((1 / reference + 1 / current) * degrees * (1 - part + z * np.sqrt(part)) ** 3)


def bin_numbers(reference: np.ndarray, current: np.ndarray, bins: int = BINS) -> Binned:
    """Bin two sorted arrays without missing values (see `count_missing` for those)."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(reference) > 0]))
    values, counts = reference[starts], np.diff(np.append(starts, len(reference)))
    if len(values) <= FEW_VALUES:
        atoms, rest = values, values[:0]
        rest_counts = counts[:0]
    else:
        heavy = counts * bins >= len(reference)
        atoms, rest, rest_counts = values[heavy], values[~heavy], counts[~heavy]
    edges = _edges(rest, rest_counts, len(reference), bins)
    labels, e, a = [], [], []
    taken_reference = taken_current = 0
    for atom in atoms:
        in_reference, in_current = _between(reference, atom, atom), _between(current, atom, atom)
        labels.append(f"= {atom:g}")
        e.append(in_reference)
        a.append(in_current)
        taken_reference += in_reference
        taken_current += in_current
    cuts = [-np.inf, *edges.tolist(), np.inf]
    if len(rest) or taken_current < len(current):
        for low, high in itertools.pairwise(cuts):
            inside = atoms[(atoms > low) & (atoms <= high)]
            labels.append(_interval(low, high) + (" (other values)" if len(atoms) else ""))
            e.append(_in(reference, low, high) - sum(_between(reference, atom, atom) for atom in inside))
            a.append(_in(current, low, high) - sum(_between(current, atom, atom) for atom in inside))
    return Binned(tuple(labels), np.array(e), np.array(a))


def _edges(rest: np.ndarray, counts: np.ndarray, total: int, bins: int) -> np.ndarray:
    """Inner edges that cut what is left into parts of about one bin's mass."""
    mass = int(counts.sum())
    parts = max(1, round(bins * mass / total)) if total else 1
    if mass == 0 or parts == 1:
        return np.empty(0)
    cumulated = np.cumsum(counts)
    at = np.searchsorted(cumulated, np.arange(1, parts) * mass / parts)
    return np.unique(rest[np.minimum(at, len(rest) - 1)])


def _between(ordered: np.ndarray, low: float, high: float) -> int:
    """How many are in [low, high]."""
    return int(np.searchsorted(ordered, high, "right") - np.searchsorted(ordered, low, "left"))


def _in(ordered: np.ndarray, low: float, high: float) -> int:
    """How many are in (low, high]."""
    return int(np.searchsorted(ordered, high, "right") - np.searchsorted(ordered, low, "right"))


def _interval(low: float, high: float) -> str:
    if np.isinf(low) and np.isinf(high):
        return "any other value"
    if np.isinf(low):
        return f"≤ {high:g}"
    return f"> {low:g}" if np.isinf(high) else f"{low:g} to {high:g}"


def with_missing(binned: Binned, reference: int, current: int) -> Binned:
    """Add the bin of missing values when either sample has some."""
    if not reference and not current:
        return binned
    return Binned((*binned.labels, "missing"), np.append(binned.reference, reference), np.append(binned.current, current))


def cdf_distances(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """Kolmogorov-Smirnov D (exact, ties included) and the earth mover's distance over the reference's standard deviation, of
    sorted arrays.
    """
    first, second = len(reference), len(current)
    both = np.concatenate([reference, current])
    order = both.argsort(kind="stable")  # two runs in order already: one merge
    both = both[order]
    # the gap between the two distribution functions after each value, times both sizes: whole numbers, so exact
    gap = np.where(order < first, second, -first)
    del order  # each of these is as long as both samples: what is done with goes, and the rest is worked on in place
    np.cumsum(gap, out=gap)
    gap = np.abs(gap, out=gap)[:-1]  # nothing is left after the last value
    steps = np.diff(both)
    del both
    spread = float(reference.std())
    size = float(first) * float(second)
    largest = float(gap.max(initial=0, where=steps > 0)) / size
    moved = float(np.multiply(gap, steps, out=steps).sum()) / size
    return largest, moved / (spread if spread > 0 else 1.0)
