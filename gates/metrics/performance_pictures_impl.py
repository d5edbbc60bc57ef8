"""Charts of the performance collector: ROC and precision-recall curves, and each metric's relative change with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from gates.collecting import Picture
from gates.metrics.performance_metrics_impl import TITLES, Result
from gates.metrics.performance_summary_impl import Summary
from gates.metrics.statistics.intervals import Interval
from gates.pictures import shapes

POINTS = 101


def pictures(summary: Summary, results: Mapping[str, Result], primary: str) -> list[Picture]:
    """The charts that the measured columns allow."""
    drawn = []
    if "roc_auc" in results and "candidate" in summary.curves:
        drawn += [_roc(summary, results["roc_auc"]), _precision_recall(summary)]
    changes = [
        (name, result.relative)
        for name, result in results.items()
        if result.relative is not None and math.isfinite(result.relative.value)
    ]
    if changes:
        drawn.append(_changes(changes, primary))
    return drawn


def _roc(summary: Summary, result: Result) -> Picture:
    grid = np.linspace(0, 1, POINTS)
    curves = {name: histogram.roc(grid) for name, histogram in summary.curves.items()}
    said = f"AUC of the candidate {result.candidate.value:.3f}"
    if "champion" in curves and result.baseline is not None:
        said += f", of the champion {result.baseline.value:.3f}"
    return Picture(
        "performance.roc",
        "ROC curve",
        f"Share of positives found at each share of negatives wrongly selected. {said}.",
        shapes.lines(_rows(curves, grid), x_title="false positive rate", y_title="true positive rate", diagonal=True),
        ("false positive rate", *(f"true positive rate, {name}" for name in curves)),
        _table(curves, grid),
    )


def _precision_recall(summary: Summary) -> Picture:
    grid = np.linspace(0, 1, POINTS)[1:]
    curves = {name: histogram.precision(grid) for name, histogram in summary.curves.items()}
    areas = ", ".join(f"{name} {histogram.average_precision:.3f}" for name, histogram in summary.curves.items())
    base = summary.curves["candidate"].base_rate
    return Picture(
        "performance.precision_recall",
        "Precision and recall",
        f"Share of the selected that are positive at each share of positives found. Average precision: {areas}. Choosing at "
        f"random gives {base:.1%} everywhere.",
        shapes.lines(_rows(curves, grid), x_title="recall", y_title="precision"),
        ("recall", *(f"precision, {name}" for name in curves)),
        _table(curves, grid),
    )


def _rows(curves: Mapping[str, np.ndarray], grid: np.ndarray) -> list[dict[str, float | str]]:
    return [
        {"series": name, "x": round(float(x), 4), "y": round(float(y), 4)}
        for name, curve in curves.items()
        for x, y in zip(grid, curve, strict=True)
    ]


def _table(curves: Mapping[str, np.ndarray], grid: np.ndarray) -> tuple[tuple[str, ...], ...]:
    chosen = [index for index, x in enumerate(grid) if round(float(x) * (POINTS - 1)) % 10 == 0]
    return tuple((f"{grid[index]:.0%}", *(f"{curve[index]:.1%}" for curve in curves.values())) for index in chosen)


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
