"""Charts of the fairness collector: rates per group, and how far each pair of groups is from even, with the limit."""

from __future__ import annotations

from collections.abc import Sequence

from gates.collecting import Picture
from gates.metrics.fairness_compare_impl import SHOW_FROM, rates
from gates.metrics.fairness_frames_impl import TITLES, Frame
from gates.pictures import shapes
from gates.spec import Measure

LIMIT = 0.8
MOST_ROWS = 40


def pictures(found: Sequence[Frame], compared: Sequence[Measure]) -> list[Picture]:
    """Rates per metric over the groups of single attributes, then ratios per metric over tested pairs."""
    drawn = []
    for metric, title in TITLES.items():
        single = [frame for frame in found if frame.metric == metric and len(frame.attributes) == 1]
        if single:
            drawn.append(_rates(metric, title, single))
    for metric in ("selection_rate", "true_positive_rate", "false_positive_rate", "false_negative_rate"):
        rows = [row for row in compared if row.metric == f"fairness.{metric}_pair" and row.detail["tested"]]
        if rows:
            drawn.append(_ratios(metric, TITLES[metric], rows))
    return drawn


def _rates(metric: str, title: str, single: Sequence[Frame]) -> Picture:
    rows, table = [], []
    for frame in single:
        for measure in rates(frame, "")[1:]:
            people = f"{measure.n:,}"
            if measure.value is None:
                table.append((measure.group, f"not shown (under {SHOW_FROM})", "", "", people))
                continue
            low, high = measure.low or 0.0, measure.high or 0.0
            rows.append({"label": measure.group, "value": measure.value, "low": low, "high": high})
            table.append((measure.group, f"{measure.value:.1%}", f"{low:.1%}", f"{high:.1%}", people))
    whole = single[0].overall.value
    return Picture(
        f"fairness.{metric}",
        f"{title[0].upper()}{title[1:]} by group",
        f"The {title} of each group with its 95 % interval. Dashed: all people together, {whole:.1%}.",
        shapes.bars_with_intervals(rows[:MOST_ROWS], x_title=title, limits=(whole,), domain=(0.0, 1.0)),
        ("group", title, "lower bound", "upper bound", "people it rests on"),
        tuple(table),
    )


def _ratios(metric: str, title: str, compared: Sequence[Measure]) -> Picture:
    ordered = sorted(compared, key=lambda row: row.value if row.value is not None else 1.0)[:MOST_ROWS]
    rows, table = [], []
    for row in ordered:
        value, low = row.value or 0.0, row.low or 0.0
        high = min(row.high if row.high is not None else 2.0, 2.0)
        rows.append({"label": row.group, "value": value, "low": min(low, 2.0), "high": high})
        worst = row.detail["worst"]
        table.append(
            (
                row.group,
                f"{value:.3f}",
                f"{low:.3f}",
                f"{row.high:.3f}" if row.high is not None else "no bound",
                f"{worst:.3f}" if worst else "∞",
            )
        )
    level = ordered[0].detail["level"]
    return Picture(
        f"fairness.{metric}_ratio",
        f"{title[0].upper()}{title[1:]}: lower group over higher group",
        (
            f"1 is even. Dashed: {LIMIT} (the same as 1.25 the other way round) and 1. Intervals hold together at 95 % "
            f"({level:.2%} each, {ordered[0].detail['comparisons']} comparisons). The four-fifths rule "
            "is about selection in hiring; "
            "elsewhere it is a convention."
        ),
        shapes.points_with_intervals(rows, x_title=f"ratio of the {title}", limits=(LIMIT, 1.0)),
        ("groups", "ratio", "lower bound", "upper bound", "inverse"),
        tuple(table),
    )
