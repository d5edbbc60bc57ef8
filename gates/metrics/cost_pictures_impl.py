"""Charts of the cost collector: latency of both versions by percentile, the month against the budget, and cost by version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gates.collecting import Picture
from gates.metrics.cost_report_impl import CostReport, Run
from gates.pictures import shapes
from gates.spec import Measure

GRID = np.array([0.01, 0.05, *np.arange(0.1, 0.91, 0.05), 0.95, 0.97, 0.98, 0.99, 0.995])
SHOWN = (0.50, 0.90, 0.95, 0.99)


def pictures(
    report: CostReport, candidate: Run, champion: Run | None, costs: Sequence[Measure], earlier: Sequence[tuple[str, float]]
) -> list[Picture]:
    """The charts that the report allows."""
    drawn = [_latency(report, candidate, champion)]
    month = next((row for row in costs if row.metric == "cost.per_month" and row.value is not None), None)
    if month is not None and report.budget is not None:
        drawn.append(_month(report, month))
    now = next((row for row in costs if row.metric == "cost.per_1k" and row.value is not None), None)
    if now is not None and now.value is not None and earlier:
        drawn.append(_trend(report, [*earlier, ("this version", now.value)]))
    return drawn


def _latency(report: CostReport, candidate: Run, champion: Run | None) -> Picture:
    sides = {"candidate": candidate, **({"champion": champion} if champion is not None else {})}
    curves = {name: np.quantile(run.latency, GRID) for name, run in sides.items()}
    rows = [
        {"series": name, "x": round(100 * float(q), 1), "y": float(value)}
        for name, curve in curves.items()
        for q, value in zip(GRID, curve, strict=True)
    ]
    table = tuple((f"{q:.0%}", *(f"{float(np.quantile(run.latency, q)):.3g}" for run in sides.values())) for q in SHOWN)
    wanted = ", ".join(f"{name.removesuffix('_ms')} under {most:g} ms" for name, most in report.objective.items())
    load = f"{candidate.hardware}, batch size {candidate.batch_size:g}, concurrency {candidate.concurrency:g}"
    return Picture(
        "cost.latency",
        "Latency by percentile",
        f"How many milliseconds a request takes at each percentile; {len(candidate.latency):,} samples on {load}. "
        f"{f'Service objective: {wanted}.' if wanted else 'No service objective is named.'}",
        shapes.lines(rows, x_title="percentile", y_title="milliseconds"),
        ("percentile", *(f"{name}, ms" for name in sides)),
        table,
    )


def _month(report: CostReport, month: Measure) -> Picture:
    value, budget = month.value or 0.0, report.budget or 0.0
    low, high = month.low if month.low is not None else value, month.high if month.high is not None else value
    unit = f" in {report.currency}" if report.currency else ""
    side = "over" if value > budget else "within"
    return Picture(
        "cost.month",
        "A month against the budget",
        f"Expected cost of a month{unit} with its 95 % interval: {value:,.2f}, {side} the budget of {budget:,.2f} (dashed).",
        shapes.bars_with_intervals(
            [{"label": "this version", "value": value, "low": low, "high": high}],
            x_title=f"cost of a month{unit}",
            limits=(budget,),
        ),
        ("version", "cost of a month", "lower bound", "upper bound", "budget"),
        (("this version", f"{value:,.2f}", f"{low:,.2f}", f"{high:,.2f}", f"{budget:,.2f}"),),
    )


def _trend(report: CostReport, costs: Sequence[tuple[str, float]]) -> Picture:
    unit = f" in {report.currency}" if report.currency else ""
    order = [name for name, _ in costs]
    axis: dict[str, Any] = {"field": "version", "type": "ordinal", "sort": order, "axis": {"title": None, "labelAngle": 0}}
    height = {
        "field": "cost",
        "type": "quantitative",
        "axis": {"title": f"cost of 1,000 predictions{unit}"},
        "scale": {"zero": True},
    }
    spec = {
        "width": shapes.WIDTH,
        "height": 240,
        "data": {"values": [{"version": name, "cost": cost} for name, cost in costs]},
        "layer": [
            {"mark": {"type": "line", "style": "candidate", "filled": False}, "encoding": {"x": axis, "y": height}},
            {"mark": {"type": "point", "filled": True, "size": 70, "style": "candidate"}, "encoding": {"x": axis, "y": height}},
        ],
    }
    first, last = costs[-2][1], costs[-1][1]
    told = f",{unit}" if unit else ""
    change = f" {last / first - 1:+.0%} against the version before." if first > 0 else ""
    return Picture(
        "cost.trend",
        "Cost of 1,000 predictions by version",
        f"As measured when each version was handed in{told}.{change}",
        spec,
        ("version", "cost of 1,000 predictions"),
        tuple((name, f"{cost:.4g}") for name, cost in costs),
    )
