"""Two themes with one palette each. Colours pass 3:1 against their background and differ in lightness, not in hue alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# the drawing is laid out with Arial's widths on the worker; a wider fallback on the reader's machine has the room on the left
FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
ROOM = {"left": 32, "right": 12, "top": 5, "bottom": 5}

_COLOURS = {
    "light": {
        "text": "#1d2530",
        "soft": "#56616f",
        "grid": "#dde2e8",
        "series": ["#1f5fa8", "#b4530a", "#2e7d4f", "#7a3e9d", "#5b6470"],
        "limit": "#b3261e",
        "first": "#1f5fa8",
        "second": "#6b7785",
    },
    "dark": {
        "text": "#e8ecf1",
        "soft": "#a9b4c0",
        "grid": "#38424e",
        "series": ["#7db4f0", "#f0a35e", "#7fcf9f", "#cda0ea", "#b5bfca"],
        "limit": "#ff8f86",
        "first": "#7db4f0",
        "second": "#a9b4c0",
    },
}
THEMES = tuple(_COLOURS)


def config(theme: str) -> Mapping[str, Any]:
    """The Vega-Lite `config` of a theme. Named styles for marks: `limit`, `candidate`, `champion`, `interval`, `note`."""
    c = _COLOURS[theme]
    return {
        "background": None,
        "padding": ROOM,
        "font": FONT,
        "view": {"stroke": None},
        "range": {"category": c["series"]},
        "axis": {
            "labelColor": c["text"],
            "titleColor": c["soft"],
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "gridColor": c["grid"],
            "domainColor": c["soft"],
            "tickColor": c["soft"],
            "labelLimit": 380,
        },
        "legend": {"labelColor": c["text"], "titleColor": c["soft"], "labelFontSize": 12, "titleFontSize": 12, "orient": "top"},
        "header": {"labelColor": c["text"], "titleColor": c["soft"], "labelFontSize": 12},
        "title": {"color": c["text"], "fontSize": 13, "fontWeight": 600, "anchor": "start"},
        "style": {
            "limit": {"stroke": c["limit"], "fill": c["limit"], "color": c["limit"], "strokeWidth": 1.5, "strokeDash": [5, 3]},
            "candidate": {"fill": c["first"], "stroke": c["first"], "color": c["first"]},
            "champion": {"fill": c["second"], "stroke": c["second"], "color": c["second"]},
            "interval": {"stroke": c["text"], "color": c["text"], "strokeWidth": 1.5},
            "note": {"fill": c["soft"], "color": c["soft"], "fontSize": 11},
        },
    }
