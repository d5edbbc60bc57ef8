"""Pictures of attribution shares: who carries the score, and what moved since the champion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gates.collecting import Picture

TOP = 12


def comparison_picture(names: Sequence[str], share: np.ndarray, before: np.ndarray | None) -> Picture:
    """Bars of the largest shares, candidate beside champion."""
    weight = share if before is None else np.maximum(share, before)
    order = np.argsort(-weight, kind="stable")[:TOP]
    values = []
    for at in order:
        values.append({"feature": names[at], "version": "candidate", "share": round(float(share[at]), 6)})
        if before is not None:
            values.append({"feature": names[at], "version": "champion", "share": round(float(before[at]), 6)})
    top = names[int(order[0])]
    words = f"{top} carries {share[order[0]]:.0%} of the candidate's score"
    if before is not None:
        words += f" and {before[order[0]]:.0%} of the champion's"
    spec = {
        "width": 560,
        "data": {"values": values},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "y": {"field": "feature", "type": "nominal", "sort": [names[at] for at in order], "title": None},
            "x": {"field": "share", "type": "quantitative", "axis": {"format": "%"}, "title": "Share of attribution"},
            "yOffset": {"field": "version", "sort": ["candidate", "champion"]},
            "color": {"field": "version", "type": "nominal", "sort": ["candidate", "champion"], "title": None},
        },
    }
    columns: tuple[str, ...] = ("Feature", "Candidate")
    rows: tuple[tuple[object, ...], ...] = tuple((names[at], f"{share[at]:.1%}") for at in order)
    if before is not None:
        columns = ("Feature", "Candidate", "Champion", "Change (points)")
        rows = tuple(
            (names[at], f"{share[at]:.1%}", f"{before[at]:.1%}", f"{100 * (share[at] - before[at]):+.1f}") for at in order
        )
    title = "What drives the score" if before is None else "What drives the score: candidate and champion"
    return Picture("explanation_shares", title, f"{words}. The {len(order)} largest features are shown.", spec, columns, rows)


def movement_picture(names: Sequence[str], share: np.ndarray, before: np.ndarray) -> Picture:
    """The features whose share changed most; the line is no change."""
    change = share - before
    order = np.argsort(-np.abs(change), kind="stable")[:TOP]
    values = [
        {"feature": names[at], "change": round(float(change[at]), 6), "direction": "more" if change[at] > 0 else "less"}
        for at in order
    ]
    spec = {
        "width": 560,
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "bar", "tooltip": True},
                "encoding": {
                    "y": {"field": "feature", "type": "nominal", "sort": [names[at] for at in order], "title": None},
                    "x": {
                        "field": "change",
                        "type": "quantitative",
                        "axis": {"format": "+%"},
                        "title": "Change of attribution share",
                    },
                    "color": {"field": "direction", "type": "nominal", "title": None},
                },
            },
            {
                "data": {"values": [{"x": 0.0}]},
                "mark": {"type": "rule", "style": "limit"},
                "encoding": {"x": {"field": "x", "type": "quantitative"}},
            },
        ],
    }
    at = int(order[0])
    words = f"{names[at]} changed most, from {before[at]:.1%} to {share[at]:.1%} of all attribution."
    rows = tuple((names[at], f"{before[at]:.1%}", f"{share[at]:.1%}", f"{100 * change[at]:+.1f}") for at in order)
    return Picture(
        "explanation_changes",
        "What moved since the champion",
        words,
        spec,
        ("Feature", "Champion", "Candidate", "Change (points)"),
        rows,
    )
