"""What may be said about groups: rates with intervals, and every pair of groups with its ratio, difference and level.

Rules: under 30 people in a metric's denominator the rate is suppressed; 30 to 99 it is shown without a verdict; from 100 on
pairs are tested, with the level split over all tested pairs of that metric.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from gates.metrics.fairness_frames_impl import TITLES, Frame, Rate
from gates.metrics.statistics.intervals import bonferroni, katz, newcombe, wilson
from gates.spec import Measure

SHOW_FROM = 30
TEST_FROM = 100
ALL_PAIRS_UP_TO = 12
LEVEL = 0.95


def rates(frame: Frame, side: str) -> list[Measure]:
    """One measure per group, the whole first. `side`: "" for the candidate, "champion" for the other."""
    metric = f"fairness.{side + '.' if side else ''}{frame.metric}"
    rows = []
    for rate in (frame.overall, *frame.groups):
        size = frame.sizes.get(rate.group, frame.overall.rows)
        detail = {
            "people": size,
            "denominator": rate.rows,
            "attributes": list(frame.attributes),
            "level": LEVEL,
            "title": TITLES[frame.metric],
        }
        if rate.rows < SHOW_FROM:
            reason = f"Only {rate.rows} people count towards it: under {SHOW_FROM} no rate is shown."
            rows.append(Measure(metric, None, rate.group, n=rate.rows, reason=reason, detail=detail))
            continue
        bounds = wilson(min(rate.k, rate.n), rate.n, LEVEL)
        rows.append(Measure(metric, rate.value, rate.group, low=bounds.low, high=bounds.high, n=rate.rows, detail=detail))
    # the whole is the same for every attribute: only the first frame of a metric gives it
    return rows


def pairs(frames: Sequence[Frame], side: str = "") -> list[Measure]:
    """The comparisons of one metric over all attributes. Value: lower rate over higher rate (1 is even), as Fairlearn's ratio.

    `detail`: both groups with rates and rows, `worst` (the same as a number of 1 or more, None when infinite), the difference
    with its interval, `level`, `comparisons`, the plain 95 % bounds, `tested` (both denominators reach 100) and `intersection`.
    """
    compared = [(frame, a, b) for frame in frames for a, b in _partners(frame)]
    comparisons = sum(1 for _, a, b in compared if min(a.rows, b.rows) >= TEST_FROM)
    level = bonferroni(LEVEL, comparisons)
    return [_pair(frame, a, b, level, comparisons, side) for frame, a, b in compared]


def _partners(frame: Frame) -> Iterable[tuple[Rate, Rate]]:
    """All pairs of shown groups; with many groups each against the largest, the highest and the lowest tested one."""
    shown = [rate for rate in frame.groups if rate.rows >= SHOW_FROM]
    if len(shown) <= ALL_PAIRS_UP_TO:
        return itertools.combinations(shown, 2)
    large = [rate for rate in shown if rate.rows >= TEST_FROM] or shown
    marks = {
        max(large, key=lambda r: (r.rows, r.group)).group,
        max(large, key=lambda r: (r.value, r.group)).group,
        min(large, key=lambda r: (r.value, r.group)).group,
    }
    return ((a, b) for a, b in itertools.combinations(shown, 2) if a.group in marks or b.group in marks)


def _pair(frame: Frame, a: Rate, b: Rate, level: float, comparisons: int, side: str) -> Measure:
    lower, higher = (a, b) if (a.value, a.group) <= (b.value, b.group) else (b, a)
    tested = min(a.rows, b.rows) >= TEST_FROM
    args = (min(lower.k, lower.n), lower.n, min(higher.k, higher.n), higher.n)
    used = level if tested else LEVEL
    bounds, plain = katz(*args, used), katz(*args, LEVEL)
    gap, gap_plain = newcombe(*args, used), newcombe(*args, LEVEL)
    even = math.isnan(bounds.value)
    ratio = 1.0 if even else bounds.value
    detail = {
        "attribute": " & ".join(frame.attributes),
        "lower": lower.group,
        "higher": higher.group,
        "rate_lower": lower.value,
        "rate_higher": higher.value,
        "n_lower": lower.rows,
        "n_higher": higher.rows,
        "worst": 1 / ratio if ratio > 0 else None,
        "difference": gap.value,
        "difference_low": gap.low,
        "difference_high": gap.high,
        "difference_low_95": gap_plain.low,
        "difference_high_95": gap_plain.high,
        "low_95": plain.low,
        "high_95": None if math.isinf(plain.high) else plain.high,
        "level": used,
        "comparisons": comparisons,
        "tested": tested,
        "intersection": len(frame.attributes) > 1,
        "title": TITLES[frame.metric],
    }
    return Measure(
        f"fairness.{side + '.' if side else ''}{frame.metric}_pair",
        ratio,
        f"{lower.group} / {higher.group}",
        low=0.0 if even else bounds.low,
        high=None if math.isinf(bounds.high) else bounds.high,
        n=min(a.rows, b.rows),
        reason="Nobody in either group: the two rates are both zero." if even else "",
        detail=detail,
    )


def summary(frame: Frame, measured: Sequence[Measure], side: str = "") -> list[Measure]:
    """Fairlearn's ratio and difference over all groups of an attribute, and the worst tested pair beside them."""
    attribute = " & ".join(frame.attributes)
    own = [row for row in measured if row.detail["attribute"] == attribute]
    tested = [row for row in own if row.detail["tested"]]
    worst = min(tested, key=lambda row: row.value if row.value is not None else math.inf, default=None)
    widest = max(tested, key=lambda row: abs(row.detail["difference"]), default=None)
    prefix = f"fairness.{side + '.' if side else ''}{frame.metric}"
    n = frame.overall.rows
    reason = "" if tested else f"No two groups with {TEST_FROM} people or more to compare."
    return [
        Measure(
            f"{prefix}_ratio_fairlearn", _finite(frame.ratio), attribute, n=n, detail={"over": "all groups, whatever their size"}
        ),
        Measure(
            f"{prefix}_difference_fairlearn",
            _finite(frame.difference),
            attribute,
            n=n,
            detail={"over": "all groups, whatever their size"},
        ),
        Measure(
            f"{prefix}_ratio",
            worst.value if worst else None,
            attribute,
            low=worst.low if worst else None,
            high=worst.high if worst else None,
            n=worst.n if worst else n,
            reason=reason,
            detail=dict(worst.detail) if worst else {},
        ),
        Measure(
            f"{prefix}_difference",
            abs(widest.detail["difference"]) if widest else None,
            attribute,
            low=-widest.detail["difference_high"] if widest else None,
            high=-widest.detail["difference_low"] if widest else None,
            n=widest.n if widest else n,
            reason=reason,
            detail=dict(widest.detail) if widest else {},
        ),
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
