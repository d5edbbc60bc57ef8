"""The rules alone, drawn often: what GATES measured when limits and methods were chosen, through our statistics and judges."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np

from gates.metrics import drift_statistics_impl as drift
from gates.metrics.fairness_compare_impl import pairs
from gates.metrics.fairness_frames_impl import Frame, Rate
from gates.metrics.statistics import auc, confusion
from gates.metrics.statistics.experiments import sample_ratio
from gates.spec import Measured
from tests.gates.alarms.case import Case, verdicts

FOUR_FIFTHS = 0.8


def groups(rng: np.random.Generator, _: Path, rate: float, small: int, count: int, true: float = 1.0) -> dict[str, bool]:
    """`count` groups, the first ten times the size of the others; with `true` the first is selected that much more often."""
    sizes = [10 * small, *([small] * (count - 1))]
    chances = [rate, *([rate / true] * (count - 1))]
    rates = tuple(
        Rate(f"g={at}", k / size, size, float(size), float(k))
        for at, (size, k) in enumerate((size, rng.binomial(size, chance)) for size, chance in zip(sizes, chances, strict=True))
    )
    n, hits = sum(sizes), sum(one.k for one in rates)
    whole = Rate("", hits / n, n, float(n), hits)
    frame = Frame(("g",), "selection_rate", whole, rates, {one.group: one.rows for one in rates}, 1.0, 0.0)
    measured = pairs([frame])
    beyond = [row for row in measured if row.value is not None and row.value < FOUR_FIFTHS]
    return {"point over 1.25": bool(beyond), **verdicts("GF101", Measured(tuple(measured)))}


def models(rng: np.random.Generator, _: Path, n: int, share: float) -> dict[str, bool]:
    """Two equally good models, AUC 0.80, scores correlated 0.9: how far AUC and F1 seem to move."""
    label = np.zeros(n)
    label[: round(n * share)] = 1
    signal = rng.normal(size=n) * math.sqrt(0.9)
    scores = [signal + math.sqrt(0.1) * rng.normal(size=n) + 1.19 * label for _ in range(2)]
    areas = [auc.auc(label, score) for score in scores]
    cut = _cut(share)
    counts = confusion.paired_counts(label, *((score >= cut).astype(float) for score in scores))
    f1 = confusion.METRICS["f1"]
    first, second = (float(f1(*confusion._cells(counts, axis))) for axis in (0, 1))
    moved = abs(first - second) / second if second else math.inf
    return {
        "AUC moves by over 5 %": abs(areas[0] - areas[1]) / areas[1] > 0.05,
        "F1 moves by over 5 %": moved > 0.05,
        "F1 moves by over 15 %": moved > 0.15,
    }


def _cut(share: float) -> float:
    """The threshold that selects as many as there are positives."""
    grid = np.linspace(-3, 5, 8_001)
    tail = np.array([0.5 * math.erfc(x / math.sqrt(2)) for x in grid])
    shifted = np.array([0.5 * math.erfc((x - 1.19) / math.sqrt(2)) for x in grid])
    return float(grid[np.argmin(np.abs((1 - share) * tail + share * shifted - share))])


def psi(rng: np.random.Generator, _: Path, n: int) -> dict[str, bool]:
    """One feature, ten bins, nothing moved."""
    before, after = np.sort(rng.normal(size=n)), np.sort(rng.normal(size=n))
    value = drift.bin_numbers(before, after).psi
    return {"PSI over 0.10": value > 0.10, "PSI over chance (99.9 %)": value > drift.null_point(10, n, n)}


def arms(rng: np.random.Generator, _: Path, n: int, share: float) -> dict[str, bool]:
    """Two arms meant to be equal; `share` of the units really land in the first."""
    first = int(rng.binomial(n, share))
    p = sample_ratio([first, n - first], [0.5, 0.5])[1]
    return {"sample ratio alarm (p < 0.001)": p < 0.001}


# GATES 2.2: rate, small group, groups, (point over 1.25, interval excludes 1 as well)
_FAIR = (
    (0.1, 100, 2, 0.479, 0.049),
    (0.1, 100, 6, 0.986, 0.054),
    (0.1, 300, 6, 0.905, 0.052),
    (0.1, 1_000, 6, 0.465, 0.053),
    (0.1, 3_000, 6, 0.034, 0.001),
    (0.3, 100, 6, 0.853, 0.058),
    (0.3, 300, 6, 0.382, 0.037),
    (0.5, 100, 6, 0.503, 0.054),
)
_UNFAIR = ((0.1, 300, 0.811, 0.404), (0.1, 1_000, 0.945, 0.940), (0.3, 300, 0.949, 0.945), (0.3, 1_000, 0.998, 0.998))
# GATES 2.1: rows, positives, AUC > 5 %, F1 > 5 %, F1 > 15 %
_NOISE = (
    (200, 0.05, 0.27, 0.88, 0.63),
    (500, 0.05, 0.08, 0.87, 0.54),
    (500, 0.20, 0.00, 0.43, 0.01),
    (1_000, 0.05, 0.01, 0.70, 0.35),
    (1_000, 0.20, 0.00, 0.24, 0.00),
    (5_000, 0.05, 0.00, 0.45, 0.04),
    (20_000, 0.05, 0.00, 0.13, 0.00),
)

CASES: tuple[Case, ...] = (
    *(
        Case(
            f"fair-{rate}-{small}-{count}",
            f"{count} groups selected alike at {rate:.0%}",
            f"smallest groups {small:,}, largest {10 * small:,}",
            partial(groups, rate=rate, small=small, count=count),
            4_000,
            {"point over 1.25": point, "GF101 fails": both},
        )
        for rate, small, count, point, both in _FAIR
    ),
    *(
        Case(
            f"unfair-{rate}-{small}",
            f"a true ratio of 1.5, two groups, {rate:.0%} selected",
            f"{small:,} against {10 * small:,}",
            partial(groups, rate=rate, small=small, count=2, true=1.5),
            4_000,
            {"point over 1.25": point, "GF101 fails": both},
        )
        for rate, small, point, both in _UNFAIR
    ),
    *(
        Case(
            f"noise-{n}-{share}",
            f"two equally good models, AUC 0.80, {share:.0%} positives",
            f"{n:,} rows",
            partial(models, n=n, share=share),
            1_000,
            {"AUC moves by over 5 %": area, "F1 moves by over 5 %": five, "F1 moves by over 15 %": fifteen},
        )
        for n, share, area, five, fifteen in _NOISE
    ),
    *(
        Case(
            f"psi-{n}",
            "one feature that did not move",
            f"{n:,} rows each",
            partial(psi, n=n),
            20_000,
            {"PSI over 0.10": published},
        )
        for n, published in ((200, 0.36), (500, 0.0015), (1_000, 0.0))
    ),
    *(
        Case(
            f"arms-{n}-{share}",
            "two arms, " + ("split as planned" if share == 0.5 else "split 49 to 51 instead of evenly"),
            f"{n:,} units",
            partial(arms, n=n, share=share),
            20_000,
            {"sample ratio alarm (p < 0.001)": published},
        )
        for n, share, published in (
            (10_000, 0.5, 0.0008), (1_000, 0.49, 0.004), (10_000, 0.49, 0.097), (100_000, 0.49, 0.999),
        )
    ),
)  # fmt: skip
