"""Charts of the performance collector: ROC curves, and each metric's relative change with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from gates.collecting import Picture
from gates.metrics.performance_metrics_impl import TITLES, Result
from gates.metrics.statistics.intervals import Interval
from gates.pictures import shapes
from gates.readers.predictions import Predictions

POINTS = 101


def pictures(candidate: Predictions, baseline: Predictions | None, results: Mapping[str, Result], primary: str) -> list[Picture]:
    """The charts that the measured columns allow."""
    drawn = []
    if "roc_auc" in results and candidate.score is not None:
        drawn.append(_roc(candidate, baseline, results["roc_auc"]))
    changes = [
        (name, result.relative)
        for name, result in results.items()
        if result.relative is not None and math.isfinite(result.relative.value)
    ]
    if changes:
        drawn.append(_changes(changes, primary))
    return drawn


def _roc(candidate: Predictions, baseline: Predictions | None, result: Result) -> Picture:
    assert candidate.label is not None and candidate.score is not None
    grid = np.linspace(0, 1, POINTS)
    curves = {"candidate": _curve(candidate.label, candidate.score, grid)}
    said = f"AUC of the candidate {result.candidate.value:.3f}"
    if baseline is not None and baseline.score is not None and result.baseline is not None:
        curves["champion"] = _curve(candidate.label, baseline.score, grid)
        said += f", of the champion {result.baseline.value:.3f}"
    rows = [
        {"series": name, "x": round(float(x), 4), "y": round(float(y), 4)}
        for name, curve in curves.items()
        for x, y in zip(grid, curve, strict=True)
    ]
    table = tuple(
        (f"{x:.0%}", *(f"{curve[index]:.1%}" for curve in curves.values())) for index, x in enumerate(grid) if index % 10 == 0
    )
    return Picture(
        "performance.roc",
        "ROC curve",
        f"Share of positives found at each share of negatives wrongly selected. {said}.",
        shapes.lines(rows, x_title="false positive rate", y_title="true positive rate", diagonal=True),
        ("false positive rate", *(f"true positive rate, {name}" for name in curves)),
        table,
    )


def _curve(label: np.ndarray, score: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """True positive rate at each false positive rate of `grid`, along the empirical curve with ties as diagonals."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    ends = np.r_[np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1]
    hits = np.cumsum(label[order] == 1)[ends]
    false = ends + 1 - hits
    return np.asarray(np.interp(grid, np.r_[0, false / max(false[-1], 1)], np.r_[0, hits / max(hits[-1], 1)]))


def _changes(changes: list[tuple[str, Interval]], primary: str) -> Picture:
    rows, table = [], []
    for name, interval in changes:
        label = f"{TITLES[name]} (decides)" if name == primary else TITLES[name]
        value, low, high = interval.value, interval.low, interval.high
        known = math.isfinite(low) and math.isfinite(high)
        rows.append(
            {
                "label": label,
                "value": value * 100,
                "low": (low if known else value) * 100,
                "high": (high if known else value) * 100,
            }
        )
        table.append((label, f"{value:+.1%}", f"{low:+.1%}" if known else "unknown", f"{high:+.1%}" if known else "unknown"))
    return Picture(
        "performance.change",
        "Change against the champion",
        "Relative change of each metric on the same rows, positive is better, with 95 % intervals. Dashed: 5 % either way.",
        shapes.points_with_intervals(rows, x_title="change in % of the champion, positive is better", limits=(-5, 5)),
        ("metric", "change", "lower bound", "upper bound"),
        tuple(table),
    )
