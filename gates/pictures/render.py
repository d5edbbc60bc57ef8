"""Vega-Lite to SVG, in the child process only. Specifications may carry their data inline and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import vl_convert

from gates.pictures.themes import THEMES, config

MAX_SVG = 2_000_000
_UNSAFE = re.compile(r"<\s*(script|foreignObject|iframe|use|image|a)\b|\son\w+\s*=|javascript:|(xlink:)?href\s*=", re.IGNORECASE)


class PictureProblem(Exception):
    """A specification that is not drawn, with the reason."""


def draw(spec: Mapping[str, Any]) -> dict[str, str]:
    """SVG text per theme. Raises PictureProblem for a link to outside data, an oversized result or a specification Vega
    refuses.
    """
    _no_links(spec)
    drawn = {}
    for theme in THEMES:
        whole = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", **spec, "config": config(theme)}
        try:
            svg = vl_convert.vegalite_to_svg(whole)
        except ValueError as error:
            raise PictureProblem(str(error)[:300]) from error
        if len(svg) > MAX_SVG:
            raise PictureProblem("the drawing is too large")
        if _UNSAFE.search(svg):
            raise PictureProblem("the drawing holds something active")
        drawn[theme] = svg
    return drawn


def _no_links(node: Any) -> None:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("url", "href", "image", "expr", "signal"):
                raise PictureProblem(f"“{key}” is not allowed in a specification")
            if key != "values":
                _no_links(value)
    elif isinstance(node, list | tuple):
        for item in node:
            _no_links(item)
