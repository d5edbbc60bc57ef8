"""How often each interval that people are shown holds the truth, simulated at the sizes where verdicts are given.

A case draws data from stated equations, asks the collectors' own function for its 95 % interval, and says whether the truth is
inside. `covered` repeats it; `tests/gates/metrics/statistics/test_coverage.py` judges the share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import expit, ndtr

from gates.metrics.fairness_counts_impl import Cells
from gates.metrics.fairness_scores_impl import _calibration as _calibration_of
from gates.metrics.statistics import auc, calibration, confusion, latency, paired
from gates.metrics.statistics.intervals import Interval, effective_n, katz, newcombe, wilson

Draw = Callable[[np.random.Generator], Mapping[str, bool]]
SEED = 20260101


@dataclass(frozen=True)
class Case:
    """One simulation. `says`: the method and where it is shown; `size`: in words; `quick`, `full`: how many repetitions."""

    name: str
    says: str
    size: str
    draw: Draw
    quick: int
    full: int


def covered(case: Case, runs: int, seed: int = SEED) -> dict[str, float]:
    """Share of repetitions in which each figure's interval held its truth."""
    hits: dict[str, int] = {}
    seen: dict[str, int] = {}
    for run in range(runs):
        for name, hit in case.draw(np.random.default_rng([seed, run])).items():
            hits[name] = hits.get(name, 0) + hit
            seen[name] = seen.get(name, 0) + 1
    return {name: hits[name] / seen[name] for name in seen}


def _in(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def _rate(rng: np.random.Generator, n: int) -> dict[str, bool]:
    p = rng.uniform(0.05, 0.95)
    return {"rate": _in(wilson(float(rng.binomial(n, p)), n), p)}


def _small_rate(rng: np.random.Generator, n: int) -> dict[str, bool]:
    p = rng.uniform(0.005, 0.10)
    return {"rate": _in(wilson(float(rng.binomial(n, p)), n), p)}


def _weighted_rate(rng: np.random.Generator, n: int) -> dict[str, bool]:
    p = rng.uniform(0.1, 0.9)
    weight = rng.uniform(0.5, 3.0, n)
    hit = rng.random(n) < p
    rows = effective_n(float(weight.sum()), float((weight**2).sum()))
    share = float((weight * hit).sum() / weight.sum())
    return {"rate": _in(wilson(share * rows, rows), p)}


def _two_groups(rng: np.random.Generator, small: int, large: int) -> dict[str, bool]:
    p = rng.uniform(0.1, 0.9)
    q = min(0.95, p * rng.uniform(0.8, 1.25))
    a, b = float(rng.binomial(small, p)), float(rng.binomial(large, q))
    return {
        "ratio": _in(katz(a, small, b, large), p / q),
        "difference": _in(newcombe(a, small, b, large), p - q),
    }


def _scores(
    rng: np.random.Generator, n: int, share: float, lift: float, noise: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and the scores of two models, binormal; both have AUC Phi(lift / sqrt 2), correlation 1 / (1 + noise²)."""
    label = (rng.random(n) < share).astype(np.float64)
    label[:2] = (0.0, 1.0)
    signal = rng.normal(size=n)
    scale = math.sqrt(1 + noise**2)
    first, second = ((signal + noise * rng.normal(size=n)) / scale + lift * label for _ in range(2))
    return label, first, second


def _areas(rng: np.random.Generator, n: int, share: float, noise: float) -> dict[str, bool]:
    lift = 1.19  # AUC 0.80
    truth = float(ndtr(lift / math.sqrt(2)))
    label, first, second = _scores(rng, n, share, lift, noise)
    found = auc.delong(label, first, second)
    return {
        "AUC": _in(found.interval(0), truth),
        "difference of two AUCs": _in(found.difference(), 0.0),
        "relative change of AUC": _in(found.relative_change(), 0.0),
    }


def _binned_area(rng: np.random.Generator, n: int, share: float) -> dict[str, bool]:
    label, first, _ = _scores(rng, n, share, 1.19, 0.3)
    bin_of = np.minimum((expit(first) * auc.BINS).astype(np.int64), auc.BINS - 1)
    counts = [np.bincount(bin_of[label == value], minlength=auc.BINS) for value in (1, 0)]
    return {"AUC": _in(auc.of_bins(*counts).interval(), float(ndtr(1.19 / math.sqrt(2))))}


def _decisions(rng: np.random.Generator, n: int, share: float) -> dict[str, bool]:
    """Two models with the same true rates: recall 0.7, false positive rate 0.1, agreeing in three of four rows beyond chance."""
    label = rng.random(n) < share
    chance = np.where(label, 0.7, 0.1)
    common, same = rng.random(n), rng.random(n) < 0.75
    first = common < chance
    second = np.where(same, first, rng.random(n) < chance)
    counts = confusion.paired_counts(label.astype(float), first.astype(float), second.astype(float))
    found = confusion.compare(counts, seed=int(rng.integers(2**31)))
    cells = np.array([(1 - share) * 0.9, (1 - share) * 0.1, share * 0.3, share * 0.7])[:, None]
    hits = {}
    for name, metric in confusion.METRICS.items():
        truth = float(metric(*cells)[0])
        hits[name] = _in(found[name].first, truth)
        hits[f"change of {name}"] = _in(found[name].change, 0.0)
        hits[f"relative change of {name}"] = _in(found[name].relative, 0.0)
    return hits


def _losses(rng: np.random.Generator, n: int) -> dict[str, bool]:
    score = expit(rng.normal(-1, 1.2, n))
    label = (rng.random(n) < score).astype(np.float64)
    other = np.clip(score + rng.normal(0, 0.05, n), 0.001, 0.999)
    rows = np.column_stack([np.ones(n), (score - label) ** 2, (other - label) ** 2])
    relative = paired.of_means(rows, lambda m: float((m[2] - m[1]) / m[2]))
    mean = paired.of_means(rows, lambda m: float(m[1] / m[0]))
    return {"Brier score": _in(mean, _BRIER), "relative change of the Brier score": _in(relative, _BRIER_CHANGE)}


def _truth_of_losses() -> tuple[float, float]:
    """By integration over the scores: with a calibrated score the expected loss is s (1 - s), noise adds its variance."""
    rng = np.random.default_rng(1)
    score = expit(rng.normal(-1, 1.2, 4_000_000))
    other = np.clip(score + rng.normal(0, 0.05, 4_000_000), 0.001, 0.999)
    own = float((score * (1 - score)).mean())
    more = own + float(((other - score) ** 2).mean())
    return own, (more - own) / more


_BRIER, _BRIER_CHANGE = _truth_of_losses()


def _calibration(rng: np.random.Generator, n: int, shift: float) -> dict[str, bool]:
    score = expit(rng.normal(-1, 1.2, n))
    truth = expit(np.log(score / (1 - score)) + shift)
    label = (rng.random(n) < truth).astype(np.float64)
    counts = calibration.of_rows(label, score)
    fitted = calibration.recalibration(counts)
    hits = {"mean score minus observed rate": _in(calibration.gap(counts), _GAPS[shift])}
    if fitted is not None:
        hits["slope"] = _in(fitted.slope, 1.0)
        hits["intercept"] = _in(fitted.intercept, shift)
    edges = calibration.edges_of(counts)
    bins = calibration.reliability(counts, edges)
    # the truth of this sample's bins: what the same bins would show with endless rows of the same scores
    exact = calibration.reliability(calibration.of_rows(truth, score), edges)
    error = sum(each.share * abs(each.mean - each.rate.value) for each in exact)
    if shift:
        hits["expected calibration error"] = _in(calibration.expected_error(bins, seed=int(rng.integers(2**31))).error, error)
    return hits


def _group_gap(rng: np.random.Generator, n: int) -> dict[str, bool]:
    """The fairness collector's own gap of a group, from its counts."""
    score = expit(rng.normal(-1, 1.2, n))
    label = rng.random(n) < score
    sides = [score[~label], score[label]]
    count = np.array([float(len(side)) for side in sides])
    sums, squares = (np.array([float((side**power).sum()) for side in sides]) for power in (1, 2))
    group = {"g": np.array(["a", "a"], dtype=object)}
    marks = np.array([0.0, 1.0])
    (row,) = _calibration_of(Cells(("g",), group, marks, marks, None, count, count, count, sums, squares), "g")
    return {"mean score minus observed rate": row.low is not None and row.high is not None and row.low <= 0.0 <= row.high}


def _gap(shift: float) -> float:
    score = expit(np.random.default_rng(2).normal(-1, 1.2, 4_000_000))
    return float((score - expit(np.log(score / (1 - score)) + shift)).mean())


_GAPS = {shift: _gap(shift) for shift in (0.0, 0.3)}


def _times(rng: np.random.Generator, n: int) -> dict[str, bool]:
    first, second = rng.lognormal(3.0, 0.5, n), rng.lognormal(3.0, 0.5, n)
    seed = int(rng.integers(2**31))
    return {
        "ratio of medians": _in(latency.percentile_ratio(first, second, 0.5, seed=seed), 1.0),
        "ratio of 95th percentiles": _in(latency.percentile_ratio(first, second, 0.95, seed=seed), 1.0),
    }


def _cost(rng: np.random.Generator, n: int) -> dict[str, bool]:
    first, second = rng.lognormal(3.0, 0.5, n), rng.lognormal(3.0, 0.5, n)
    return {"ratio of means": _in(latency.mean_ratio(first, second, seed=int(rng.integers(2**31))), 1.0)}


CASES: tuple[Case, ...] = (
    Case("rate-30", "Wilson, a rate of 5 to 95 %", "30 rows", partial(_rate, n=30), 2_000, 50_000),
    Case("rate-100", "Wilson, a rate of 5 to 95 %", "100 rows", partial(_rate, n=100), 2_000, 50_000),
    Case("rate-1000", "Wilson, a rate of 5 to 95 %", "1,000 rows", partial(_rate, n=1_000), 2_000, 50_000),
    Case(
        "small-rate",
        "Wilson, decision flips and other rates of 0.5 to 10 %",
        "1,000 rows",
        partial(_small_rate, n=1_000),
        2_000,
        50_000,
    ),
    Case(
        "weighted-rate",
        "Wilson on effective rows (Kish), weights 0.5 to 3",
        "200 rows",
        partial(_weighted_rate, n=200),
        2_000,
        20_000,
    ),
    Case(
        "groups-100",
        "Katz and Newcombe 10, groups and classes",
        "100 against 1,000",
        partial(_two_groups, small=100, large=1_000),
        2_000,
        50_000,
    ),
    Case(
        "groups-300",
        "Katz and Newcombe 10, groups and classes",
        "300 against 300",
        partial(_two_groups, small=300, large=300),
        2_000,
        50_000,
    ),
    Case("auc-100", "DeLong, paired", "about 100 positives of 500", partial(_areas, n=500, share=0.2, noise=0.35), 600, 20_000),
    Case(
        "auc-500", "DeLong, paired", "about 500 positives of 2,500", partial(_areas, n=2_500, share=0.2, noise=0.35), 400, 10_000
    ),
    Case(
        "auc-bins",
        "DeLong from counts by score bin",
        "about 200 positives of 2,000",
        partial(_binned_area, n=2_000, share=0.1),
        400,
        10_000,
    ),
    Case(
        "decisions-1000",
        "Wilson and paired bootstrap on counts",
        "about 100 positives of 500",
        partial(_decisions, n=500, share=0.2),
        150,
        10_000,
    ),
    Case(
        "decisions-5000",
        "Wilson and paired bootstrap on counts",
        "about 500 positives of 5,000",
        partial(_decisions, n=5_000, share=0.1),
        150,
        10_000,
    ),
    Case("losses", "delta method on means of paired losses", "500 rows", partial(_losses, n=500), 600, 20_000),
    Case(
        "calibration",
        "sandwich variance; noise taken out of the expected error",
        "2,000 rows",
        partial(_calibration, n=2_000, shift=0.3),
        60,
        4_000,
    ),
    Case(
        "calibrated", "sandwich variance, calibrated scores", "1,000 rows", partial(_calibration, n=1_000, shift=0.0), 60, 4_000
    ),
    Case(
        "group-gap",
        "normal interval of the mean residual, from counts",
        "100 people",
        partial(_group_gap, n=100),
        1_000,
        20_000,
    ),
    Case("times-300", "bootstrap of latency samples", "300 samples each", partial(_times, n=300), 400, 10_000),
    Case("times-1000", "bootstrap of latency samples", "1,000 samples each", partial(_times, n=1_000), 400, 10_000),
    Case("cost-300", "bootstrap of means of latency samples", "300 samples each", partial(_cost, n=300), 0, 2_000),
)
