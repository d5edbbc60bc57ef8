"""Charts of the experiment collector: which tests run when, and units expected against units needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gates.collecting import Picture
from gates.metrics.experiment_plan_impl import Experiment
from gates.pictures import shapes
from gates.spec import Measure

MOST_ROWS = 20


def pictures(plan: Experiment, others: Sequence[Experiment], size: Sequence[Measure]) -> list[Picture]:
    """The charts that the document allows."""
    drawn = []
    dated = [other for other in others if other.start and other.end]
    if plan.start and plan.end and dated:
        drawn.append(_calendar(plan, dated[:MOST_ROWS]))
    needed = next((row for row in size if row.metric == "experiment.needed" and row.value is not None), None)
    expected = next((row for row in size if row.metric == "experiment.expected" and row.value is not None), None)
    if needed is not None and expected is not None:
        drawn.append(_units(needed.value or 0.0, expected.value or 0.0))
    return drawn


def _calendar(plan: Experiment, others: Sequence[Experiment]) -> Picture:
    rows: list[dict[str, Any]] = []
    for each, which in ((plan, "this test"), *((other, "others") for other in others)):
        assert each.start and each.end
        rows.append(
            {"label": f"{each.team}: {each.id}"[:70], "from": each.start.isoformat(), "to": each.end.isoformat(), "which": which}
        )
    x = {"type": "temporal", "axis": {"title": None, "format": "%d %b", "labelOverlap": True}}
    spec = {
        "width": shapes.WIDTH,
        "height": {"step": shapes.ROW_HEIGHT},
        "data": {"values": rows},
        "mark": {"type": "bar", "height": {"band": 0.6}},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": None, "axis": {"title": None}},
            "x": {"field": "from", **x},
            "x2": {"field": "to"},
            "color": {"field": "which", "type": "nominal", "sort": None, "legend": {"title": None}},
        },
    }
    table = tuple(
        (each.team, each.id, str(each.start), str(each.end), each.layer or "not said", each.decision or "not said")
        for each in (plan, *others)
    )
    return Picture(
        "experiment.calendar",
        "Which tests run when",
        f"{plan.id} from {plan.start} to {plan.end}, and the {len(others)} other declared tests known here.",
        spec,
        ("team", "test", "from", "to", "layer", "decision changed"),
        table,
    )


def _units(needed: float, expected: float) -> Picture:
    rows = [
        {"label": name, "value": value, "low": value, "high": value}
        for name, value in (("needed", needed), ("expected", expected))
    ]
    return Picture(
        "experiment.units",
        "Units expected against units needed",
        f"{expected:,.0f} units are expected in the time planned, {needed:,.0f} are needed to find the minimum effect (dashed).",
        shapes.bars_with_intervals(rows, x_title="units in all arms", limits=(needed,)),
        ("", "units"),
        (("needed", f"{needed:,.0f}"), ("expected", f"{expected:,.0f}")),
    )
