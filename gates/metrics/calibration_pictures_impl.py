"""Charts of the calibration collector: reliability of both versions and by group, ROC curves by group, and each group's gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gates.collecting import Picture
from gates.metrics.performance_summary_impl import Histogram
from gates.metrics.statistics.calibration import ReliabilityBin, ScoreCounts
from gates.pictures import shapes
from gates.spec import Measure

MOST_GROUPS = 5
MOST_ROWS = 40
POINTS = 101
SHOW_FROM = 30
GROUP_LIMIT = 0.05


def pictures(
    bins: Sequence[ReliabilityBin],
    champion: Sequence[ReliabilityBin],
    groups: Mapping[str, Sequence[ReliabilityBin]],
    measures: Sequence[Measure],
    counts: Mapping[str, ScoreCounts],
) -> list[Picture]:
    """The charts that what was measured allows. `counts`: those of each group, for its ROC curve."""
    drawn = [_reliability(bins, champion, measures)]
    attributes: dict[str, dict[str, Sequence[ReliabilityBin]]] = {}
    for name, found in groups.items():
        if sum(each.n for each in found) >= SHOW_FROM:
            attributes.setdefault(name.partition("=")[0], {})[name] = found
    drawn += [_by_group(attribute, found) for attribute, found in attributes.items() if len(found) > 1]
    areas = {row.group: row for row in measures if row.metric == "calibration.group_auc"}
    for attribute, by_group in attributes.items():
        ranked = {name: areas[name] for name in by_group if name in areas}
        if len(ranked) > 1:
            drawn.append(_roc_by(attribute, ranked, counts))
    gaps = [row for row in measures if row.metric == "calibration.group_gap" and row.value is not None]
    if gaps:
        drawn.append(_gaps(gaps))
    return drawn


def _reliability(bins: Sequence[ReliabilityBin], champion: Sequence[ReliabilityBin], measures: Sequence[Measure]) -> Picture:
    sides = {"candidate": bins, **({"champion": champion} if champion else {})}
    error = next(row for row in measures if row.metric == "calibration.expected_error")
    said = ""
    if error.value is not None:
        said = f" Expected calibration error {error.value:.3f} ({error.low:.3f} to {error.high:.3f}); noise alone stays under "
        said += f"{error.detail['floor']:.3f} in 95 % of cases."
    table = tuple(
        (name, f"{each.mean:.3f}", f"{each.rate.value:.3f}", f"{each.rate.low:.3f}", f"{each.rate.high:.3f}", f"{each.n:,}")
        for name, found in sides.items()
        for each in found
        if each.n >= SHOW_FROM
    )
    return Picture(
        "calibration.reliability",
        "Reliability: what the score promises and what came",
        f"Observed rate against mean score in bins of about equal size, with 95 % intervals (Wilson). On the dashed line scores "
        f"mean what they say; under it they promise too much.{said}",
        _diagram(sides),
        ("version", "mean score", "observed rate", "lower bound", "upper bound", "rows"),
        table,
    )


def _by_group(attribute: str, found: Mapping[str, Sequence[ReliabilityBin]]) -> Picture:
    largest = sorted(found, key=lambda name: -sum(each.n for each in found[name]))[:MOST_GROUPS]
    shown = {name: found[name] for name in sorted(largest)}
    more = f" The {MOST_GROUPS} largest of {len(found)} groups are drawn." if len(found) > MOST_GROUPS else ""
    table = tuple(
        (name, f"{each.mean:.3f}", f"{each.rate.value:.3f}", f"{each.rate.low:.3f}", f"{each.rate.high:.3f}", f"{each.n:,}")
        for name in sorted(found)
        for each in found[name]
        if each.n >= SHOW_FROM
    )
    return Picture(
        f"calibration.by_{attribute}"[:120],
        f"Reliability by {attribute}",
        f"The same bins for each group, with 95 % intervals. A group under the dashed line gets scores that are too high, one "
        f"above it scores that are too low.{more}",
        _diagram(shown),
        ("group", "mean score", "observed rate", "lower bound", "upper bound", "rows"),
        table[:1000],
    )


def _roc_by(attribute: str, ranked: Mapping[str, Measure], counts: Mapping[str, ScoreCounts]) -> Picture:
    """ROC curves of groups with enough of both classes, from the same counts; `ranked`: the AUC that was measured of each."""
    largest = sorted(ranked, key=lambda name: -counts[name].rows)[:MOST_GROUPS]
    grid = np.linspace(0, 1, POINTS)
    areas = {name: ranked[name] for name in sorted(largest)}
    curves = {
        name: Histogram(counts[name].pos.astype(float), (counts[name].n - counts[name].pos).astype(float)).roc(grid)
        for name in areas
    }
    rows = [
        {"series": name, "x": round(float(x), 4), "y": round(float(y), 4)}
        for name, curve in curves.items()
        for x, y in zip(grid, curve, strict=True)
    ]
    said = "; ".join(f"{name} {area.value:.3f} ({area.low:.3f} to {area.high:.3f})" for name, area in areas.items())
    return Picture(
        f"calibration.roc_by_{attribute}"[:120],
        f"ROC curve by {attribute}",
        f"How well the scores rank the cases of each group. AUC with 95 % interval: {said}.",
        shapes.lines(rows, x_title="false positive rate", y_title="true positive rate", diagonal=True),
        ("group", "AUC", "lower bound", "upper bound", "people"),
        tuple((name, f"{area.value:.3f}", f"{area.low:.3f}", f"{area.high:.3f}", f"{area.n:,}") for name, area in areas.items()),
    )


def _diagram(sides: Mapping[str, Sequence[ReliabilityBin]]) -> dict[str, Any]:
    """Points with interval bars joined by a line, one colour and dash a series, over the dashed diagonal."""
    values = [
        {"series": name, "x": each.mean, "y": each.rate.value, "low": each.rate.low, "high": each.rate.high, "order": order}
        for name, found in sides.items()
        for order, each in enumerate(found)
        if each.n >= SHOW_FROM
    ]
    color = {"field": "series", "type": "nominal", "sort": None, "legend": {"title": None}}
    x = {"field": "x", "type": "quantitative", "axis": {"title": "mean score"}}
    return {
        "width": shapes.WIDTH,
        "height": 340,
        "layer": [
            {
                "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
                "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "style": "champion"},
                "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
            },
            {
                "data": {"values": values},
                "layer": [
                    {
                        "mark": {"type": "line", "strokeWidth": 2},
                        "encoding": {
                            "x": x,
                            "y": {"field": "y", "type": "quantitative", "axis": {"title": "observed rate"}},
                            "order": {"field": "order", "type": "quantitative"},
                            "color": color,
                            "strokeDash": {"field": "series", "type": "nominal", "sort": None, "legend": None},
                        },
                    },
                    {
                        "mark": {"type": "rule", "strokeWidth": 1.5},
                        "encoding": {
                            "x": x,
                            "y": {"field": "low", "type": "quantitative"},
                            "y2": {"field": "high"},
                            "color": color,
                        },
                    },
                    {
                        "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
                        "encoding": {"x": x, "y": {"field": "y", "type": "quantitative"}, "color": color},
                    },
                ],
            },
        ],
    }


def _gaps(gaps: Sequence[Measure]) -> Picture:
    ordered = sorted(gaps, key=lambda row: -abs(row.value or 0.0))[:MOST_ROWS]
    rows, table = [], []
    for row in ordered:
        value, low, high = row.value or 0.0, row.low or 0.0, row.high or 0.0
        rows.append({"label": row.group, "value": value, "low": low, "high": high})
        table.append(
            (row.group, f"{row.detail['mean_score']:.3f}", f"{row.detail['observed_rate']:.3f}", f"{value:+.3f}", f"{low:+.3f}",
             f"{high:+.3f}", f"{row.n:,}")
        )  # fmt: skip
    level = next((row.detail["level"] for row in ordered if row.detail["tested"]), 0.95)
    return Picture(
        "calibration.gaps",
        "Mean score minus observed rate, by group",
        f"Right of zero the scores are too high for the group. Dashed: {GROUP_LIMIT} either way. Intervals hold together at 95 % "
        f"({level:.2%} each).",
        shapes.points_with_intervals(rows, x_title="mean score minus observed rate", limits=(-GROUP_LIMIT, 0.0, GROUP_LIMIT)),
        ("group", "mean score", "observed rate", "gap", "lower bound", "upper bound", "people"),
        tuple(table),
    )
