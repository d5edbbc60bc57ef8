"""How well scores mean what they say, from counts per score bin: size does not matter once rows are counted.

Sources: Brier 1950; Cox 1958 (logistic recalibration: intercept and slope); Naeini et al. 2015 (expected calibration error,
here over bins of about equal count); Wilson 1927 for the rate of a bin; Vergouwe et al. 2005 for 100 events and 100 non-events
as the least that calibration can be judged on. The expected error is biased upwards by noise (Kumar, Liang and Ma 2019), so its
interval takes the noise out and `floor` says what a perfectly calibrated score would show on the same counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import expit

from gates.metrics.statistics.intervals import Interval, effective_n, wilson, z_of

BINS = 10
DRAWS, STEPS, WIDEST = 1500, 49, 2.4
CLIP = 1e-6
PER_LOGIT = 100
"""Fine bins per unit of log-odds: scores in one of them differ by at most a hundredth in log-odds."""


@dataclass(frozen=True)
class ScoreCounts:
    """Sums per fine score bin, in order of the bins. With y the label, s the score, w the weight (1 without), r = s - y.

    `key`: bin number, floor(log-odds of s * 100); `n`, `pos`: rows and positives, unweighted; `w`, `w2`: sums of w and w²;
    `wy`, `w2y`, `ws`: sums of w·y, w²·y, w·s; `wr`, `w2r`, `wr2`, `w2r2`, `w2r4`: sums of powers of the residual.
    """

    key: np.ndarray
    n: np.ndarray
    pos: np.ndarray
    w: np.ndarray
    w2: np.ndarray
    wy: np.ndarray
    w2y: np.ndarray
    ws: np.ndarray
    wr: np.ndarray
    w2r: np.ndarray
    wr2: np.ndarray
    w2r2: np.ndarray
    w2r4: np.ndarray

    def take(self, index: np.ndarray) -> ScoreCounts:
        """The bins at `index`."""
        return ScoreCounts(*(getattr(self, field.name)[index] for field in fields(self)))

    @property
    def rows(self) -> int:
        return int(self.n.sum())

    @property
    def positives(self) -> int:
        return int(self.pos.sum())

    @property
    def negatives(self) -> int:
        return self.rows - self.positives

    @property
    def rate(self) -> float:
        """Observed share of positives."""
        return float(self.wy.sum() / self.w.sum())

    @property
    def mean_score(self) -> float:
        return float(self.ws.sum() / self.w.sum())


def of_rows(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> ScoreCounts:
    """The same sums from rows in memory, as the query makes them."""
    w = np.ones(len(label)) if weight is None else weight
    clipped = np.clip(score, CLIP, 1 - CLIP)
    key, at = np.unique(np.floor(np.log(clipped / (1 - clipped)) * PER_LOGIT).astype(np.int64), return_inverse=True)
    r = score - label
    columns = (np.ones(len(label)), label, w, w * w, w * label, w * w * label, w * score,
               w * r, w * w * r, w * r**2, w * w * r**2, w * w * r**4)  # fmt: skip
    return ScoreCounts(key, *(np.bincount(at, weights=column, minlength=len(key)) for column in columns))


def _mean(total: float, w: float, w2x2: float, w2x: float, w2: float, level: float) -> Interval:
    """A weighted mean with its normal interval; the variance is the sandwich of weighted means."""
    mean = total / w
    variance = max(w2x2 - 2 * mean * w2x + mean**2 * w2, 0.0) / w**2
    half = z_of(level) * math.sqrt(variance)
    return Interval(mean, mean - half, mean + half, level)


def gap(counts: ScoreCounts, level: float = 0.95) -> Interval:
    """Calibration in the large: mean score minus observed rate. Positive: the scores are too high."""
    c = counts
    return _mean(float(c.wr.sum()), float(c.w.sum()), float(c.w2r2.sum()), float(c.w2r.sum()), float(c.w2.sum()), level)


def brier(counts: ScoreCounts, level: float = 0.95) -> Interval:
    """Mean squared distance of score and outcome."""
    c = counts
    found = _mean(float(c.wr2.sum()), float(c.w.sum()), float(c.w2r4.sum()), float(c.w2r2.sum()), float(c.w2.sum()), level)
    return Interval(found.value, max(found.low, 0.0), min(found.high, 1.0), level)


def observed_to_expected(counts: ScoreCounts, level: float = 0.95) -> Interval:
    """Positives that came over positives the scores promised, with Wilson's bounds of the observed rate. NaN when none were
    promised."""
    expected = counts.mean_score
    if expected <= 0:
        return Interval(math.nan, math.nan, math.nan, level)
    n = effective_n(float(counts.w.sum()), float(counts.w2.sum()))
    bounds = wilson(counts.rate * n, n, level)
    return Interval(bounds.value / expected, bounds.low / expected, bounds.high / expected, level)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of the reliability diagram: rows, mean score, observed rate with Wilson's bounds, share of all weight."""

    n: int
    effective: float
    mean: float
    rate: Interval
    share: float


def edges_of(counts: ScoreCounts, bins: int = BINS) -> np.ndarray:
    """Last fine bin of each reliability bin, so that each holds about the same number of rows; equal scores stay together."""
    upto = np.cumsum(counts.n) / counts.n.sum()
    wanted = np.arange(1, bins) / bins
    last = np.unique(np.searchsorted(upto, wanted - 1e-12, side="left"))
    return np.asarray(counts.key[last[last < len(counts.key) - 1]])


def reliability(counts: ScoreCounts, edges: np.ndarray, level: float = 0.95) -> tuple[ReliabilityBin, ...]:
    """Mean score against observed rate per bin; bins without rows are left out."""
    at = np.searchsorted(edges, counts.key, side="left")
    total = float(counts.w.sum())
    found = []
    for index in np.unique(at):
        part = counts.take(np.flatnonzero(at == index))
        n = effective_n(float(part.w.sum()), float(part.w2.sum()))
        rate = wilson(part.rate * n, n, level)
        found.append(ReliabilityBin(part.rows, n, part.mean_score, rate, float(part.w.sum()) / total))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ExpectedError:
    """`error`: share-weighted mean distance of score and rate, noise taken out of the bounds; `raw`: the plain figure as others
    report it; `floor`: what 95 % of perfectly calibrated scores stay under on these counts."""

    error: Interval
    raw: float
    floor: float


def expected_error(bins: Sequence[ReliabilityBin], *, seed: int, level: float = 0.95) -> ExpectedError:
    """Expected calibration error. The bounds come from redrawing each bin's distance around its noise-free estimate."""
    share = np.array([each.share for each in bins])
    distance = np.array([each.mean - each.rate.value for each in bins])
    smooth = np.array([(each.rate.value * each.effective + 0.5) / (each.effective + 1) for each in bins])
    n = np.array([each.effective for each in bins])
    spread = np.sqrt(smooth * (1 - smooth) / n)
    raw, tail = float(share @ np.abs(distance)), (1 - level) / 2
    noise = np.random.default_rng(seed).standard_normal((DRAWS, len(bins))) * spread
    floor = float(np.quantile(np.abs(noise) @ share, level))
    # the truth is as uneven as what was seen, or even: the bounds hold for either, the point is that of the former
    shapes = (distance, np.full(len(bins), raw))
    found = [_inverted(shape, noise, share, raw, tail) for shape in shapes]
    low, high = min(each[0] for each in found), max(each[2] for each in found)
    return ExpectedError(Interval(found[0][1], low, high, level), raw, floor)


def _inverted(shape: np.ndarray, noise: np.ndarray, share: np.ndarray, raw: float, tail: float) -> tuple[float, float, float]:
    """Lower bound, middle and upper bound of the true error: multiples of `shape` under which `raw` is not extreme."""
    scales = np.linspace(0.0, WIDEST, STEPS)
    drawn = np.array([np.quantile(np.abs(scale * shape + noise) @ share, (tail, 0.5, 1 - tail)) for scale in scales])
    low, middle, high = (raw * float(np.interp(raw, drawn[:, k], scales)) for k in (2, 1, 0))
    return low, middle, high


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Cox's logistic recalibration: log-odds of the outcome = intercept + slope · log-odds of the score.

    Slope 1 and intercept 0 are right; a slope under 1 means scores that are too extreme (overfitted)."""

    intercept: Interval
    slope: Interval


def recalibration(counts: ScoreCounts, level: float = 0.95) -> Recalibration | None:
    """Fit by Newton's method on the bins, bounds from the sandwich variance. None where it has no answer: one class only, equal
    scores, or scores that separate the classes perfectly."""
    if not 0 < counts.rate < 1 or len(counts.key) < 2:
        return None
    mean = np.clip(counts.ws / counts.w, CLIP, 1 - CLIP)
    x = np.column_stack([np.ones(len(mean)), np.log(mean / (1 - mean))])
    beta = np.array([0.0, 1.0])
    for _ in range(50):
        p = expit(x @ beta)
        information = (x * (counts.w * p * (1 - p))[:, None]).T @ x
        try:
            step = np.linalg.solve(information, x.T @ (counts.wy - counts.w * p))
        except np.linalg.LinAlgError:
            return None
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    else:
        return None
    p = expit(x @ beta)
    inverse = np.linalg.inv((x * (counts.w * p * (1 - p))[:, None]).T @ x)
    middle = (x * (counts.w2y * (1 - p) ** 2 + (counts.w2 - counts.w2y) * p**2)[:, None]).T @ x
    half = z_of(level) * np.sqrt(np.maximum(np.diag(inverse @ middle @ inverse), 0.0))
    intercept, slope = (Interval(float(b), float(b - h), float(b + h), level) for b, h in zip(beta, half, strict=True))
    return Recalibration(intercept, slope)
