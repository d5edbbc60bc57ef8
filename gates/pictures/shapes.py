"""The chart shapes collectors use, as Vega-Lite specifications without colours (those come from the theme).

Pure: dictionaries in and out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 560
ROW_HEIGHT = 26


def points_with_intervals(
    rows: Sequence[Mapping[str, Any]],
    *,
    x_title: str,
    limits: Sequence[float] = (),
    domain: tuple[float, float] | None = None,
    by: str = "",
    height: int = 0,
) -> dict[str, Any]:
    """One line per `label` with its `value` and a bar from `low` to `high`; dashed lines at `limits`.

    `rows`: mappings with label, value, low, high and, when `by` names one, the key that tells series apart by colour.
    """
    scale: dict[str, Any] = {"zero": False, "nice": True}
    if domain:
        scale["domain"] = list(domain)
    y: dict[str, Any] = {"field": "label", "type": "nominal", "sort": None, "axis": {"title": None}}
    shared: dict[str, Any] = {"y": y}
    if by:
        shared["yOffset"] = {"field": by, "type": "nominal", "sort": None}
        shared["color"] = {"field": by, "type": "nominal", "sort": None, "legend": {"title": None}}
    style = {} if by else {"style": "candidate"}
    x_axis = {"title": x_title}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2, **({} if by else {"style": "interval"})},
            "encoding": {
                **shared,
                "x": {"field": "low", "type": "quantitative", "scale": scale, "axis": x_axis},
                "x2": {"field": "high"},
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, **style},
            "encoding": {**shared, "x": {"field": "value", "type": "quantitative", "scale": scale, "axis": x_axis}},
        },
    ]
    layers.extend(_limit(value, "x") for value in limits)
    return {
        "width": WIDTH,
        "height": height or {"step": ROW_HEIGHT},
        "data": {"values": [dict(r) for r in rows]},
        "layer": layers,
    }


def bars_with_intervals(
    rows: Sequence[Mapping[str, Any]], *, x_title: str, limits: Sequence[float] = (), domain: tuple[float, float] | None = None
) -> dict[str, Any]:
    """One bar per `label` from zero to `value` with its interval; dashed lines at `limits`. Rows as in
    `points_with_intervals`.
    """
    scale: dict[str, Any] = {"nice": True, **({"domain": list(domain)} if domain else {})}
    y = {"field": "label", "type": "nominal", "sort": None, "axis": {"title": None}}
    x_axis = {"title": x_title}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "bar", "style": "candidate", "opacity": 0.75, "height": {"band": 0.7}},
            "encoding": {"y": y, "x": {"field": "value", "type": "quantitative", "scale": scale, "axis": x_axis}},
        },
        {
            "mark": {"type": "rule", "style": "interval"},
            "encoding": {"y": y, "x": {"field": "low", "type": "quantitative", "axis": x_axis}, "x2": {"field": "high"}},
        },
    ]
    layers.extend(_limit(value, "x") for value in limits)
    return {"width": WIDTH, "height": {"step": ROW_HEIGHT}, "data": {"values": [dict(r) for r in rows]}, "layer": layers}


def lines(
    rows: Sequence[Mapping[str, Any]], *, x_title: str, y_title: str, diagonal: bool = False, height: int = 320
) -> dict[str, Any]:
    """Curves of `y` over `x`, one per `series`, in the order given; optionally the dashed diagonal of a ROC plot."""
    layers: list[dict[str, Any]] = []
    if diagonal:
        layers.append(
            {
                "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
                "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "style": "champion"},
                "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
            }
        )
    layers.append(
        {
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {
                "x": {"field": "x", "type": "quantitative", "axis": {"title": x_title}},
                "y": {"field": "y", "type": "quantitative", "axis": {"title": y_title}},
                "order": {"field": "order", "type": "quantitative"},
                "color": {"field": "series", "type": "nominal", "sort": None, "legend": {"title": None}},
                "strokeDash": {"field": "series", "type": "nominal", "sort": None, "legend": None},
            },
        }
    )
    values = [{"order": index, **row} for index, row in enumerate(rows)]
    return {"width": WIDTH, "height": height, "data": {"values": values}, "layer": layers}


def _limit(value: float, axis: str) -> dict[str, Any]:
    return {"mark": {"type": "rule", "style": "limit"}, "encoding": {axis: {"datum": value, "type": "quantitative"}}}
