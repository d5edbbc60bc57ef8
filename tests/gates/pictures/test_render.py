"""Specifications become SVG in both themes, and only harmless ones do."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from gates.pictures import shapes
from gates.pictures.render import PictureProblem, draw

ROWS = [
    {"label": "sex=female", "value": 0.4, "low": 0.3, "high": 0.5},
    {"label": "sex=male & <b>", "value": 0.6, "low": 0.55, "high": 0.65},
]
SHAPES = {
    "points": shapes.points_with_intervals(ROWS, x_title="rate", limits=(0.5,)),
    "points by series": shapes.points_with_intervals(
        [{**row, "model": m} for row in ROWS for m in ("candidate", "champion")], x_title="rate", by="model"
    ),
    "bars": shapes.bars_with_intervals(ROWS, x_title="rate", limits=(0.5,), domain=(0, 1)),
    "lines": shapes.lines(
        [{"series": s, "x": x / 10, "y": x / 10} for s in "ab" for x in range(11)], x_title="x", y_title="y", diagonal=True
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_drawn_in_both_themes(name: str) -> None:
    drawn = draw(SHAPES[name])
    assert set(drawn) == {"light", "dark"}
    for svg in drawn.values():
        root = ET.fromstring(svg)
        assert root.tag.endswith("svg")
        assert 300 < float(root.attrib["width"]) < 900
        assert "<script" not in svg and "<b>" not in svg
    assert drawn["light"] != drawn["dark"]


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"url": "https://example.org/x.csv"}},
        {"params": [{"name": "a", "expr": "1+1"}]},
        {"mark": {"type": "image"}, "encoding": {"url": {"value": "http://example.org"}}},
        {"mark": {"type": "bar", "href": "javascript:alert(1)"}},
        {"mark": "no such mark"},
    ],
)
def test_what_reaches_out_or_is_no_specification_is_refused(change: dict[str, Any]) -> None:
    spec = {"data": {"values": ROWS}, "mark": "point", "encoding": {"x": {"field": "value", "type": "quantitative"}}, **change}
    with pytest.raises(PictureProblem):
        draw(spec)
