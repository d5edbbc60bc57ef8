"""Pictures of attribution shares: who carries the score, and what moved since the champion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gates.collecting import Picture
from gates.spec import Measure

TOP = 12
SWARM_FEATURES, SWARM_ROWS, SWARM_BINS = 8, 150, 40


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


def concentration_picture(names: Sequence[str], share: np.ndarray, before: np.ndarray | None) -> Picture:
    """How much of the score the largest feature, the two largest, … carry together: the steeper, the more it leans on few."""
    sides = [("candidate", share), *([("champion", before)] if before is not None else [])]
    most = min(TOP, len(share))
    running = {version: np.cumsum(np.sort(part)[::-1])[:most] for version, part in sides}
    values = [
        {"features": count + 1, "share": round(float(total), 6), "version": version}
        for version, totals in running.items()
        for count, total in enumerate(totals)
    ]
    spec: dict[str, Any] = {
        "width": 560,
        "height": 240,
        "data": {"values": values},
        "mark": {"type": "line", "point": True, "tooltip": True},
        "encoding": {
            "x": {
                "field": "features",
                "type": "ordinal",
                "title": "Number of features, largest first",
                "axis": {"labelAngle": 0},
            },
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": {"format": "%"},
                "title": "Share of attribution together",
            },
            "color": {"field": "version", "type": "nominal", "sort": ["candidate", "champion"], "title": None},
            "strokeDash": {"field": "version", "type": "nominal", "sort": ["candidate", "champion"], "title": None},
        },
    }
    half = int(np.searchsorted(np.cumsum(np.sort(share)[::-1]), 0.5)) + 1
    words = f"{half} of {len(share)} features carry half of the candidate's score"
    if before is not None:
        was = int(np.searchsorted(np.cumsum(np.sort(before)[::-1]), 0.5)) + 1
        words += f"; for the champion it took {was}"
    columns = ("Features", *(version.capitalize() for version, _ in sides))
    rows = tuple((at + 1, *(f"{totals[at]:.1%}" for totals in running.values())) for at in range(most))
    return Picture("explanation_concentration", "On how few features the score rests", f"{words}.", spec, columns, rows)


def quantiles(contributions: np.ndarray) -> list[float]:
    """Tenth, half and nine tenths of a feature's contributions over the explained rows."""
    return [float(np.quantile(contributions, share)) for share in (0.1, 0.5, 0.9)]


def beeswarm_picture(
    names: Sequence[str],
    ours: np.ndarray,
    theirs: np.ndarray | None,
    shares: Sequence[Measure],
    values: Mapping[str, np.ndarray],
    seed: int,
) -> Picture:
    """Contributions of single rows for the largest features, candidate beside champion; colour is the feature's own value.

    `shares`: the measured shares, whose `detail` has the quantiles that the table shows.
    """
    largest = sorted(shares, key=lambda row: -(row.value or 0.0))[:SWARM_FEATURES]
    order = [list(names).index(row.group.removeprefix("feature=")) for row in largest]
    rows = np.sort(np.random.default_rng(seed + 11).permutation(len(ours))[:SWARM_ROWS])
    sides = [("candidate", ours), *([("champion", theirs)] if theirs is not None else [])]
    points: list[dict[str, Any]] = []
    table: list[tuple[Any, ...]] = []
    for at, row in zip(order, largest, strict=True):
        level = _levels(values.get(names[at]), rows)
        cells: list[Any] = [names[at]]
        for version, matrix in sides:
            column = matrix[rows, at]
            for value, offset, height in zip(column, _offsets(column), level, strict=True):
                points.append(
                    {
                        "feature": names[at],
                        "version": version,
                        "contribution": round(float(value), 4),
                        "offset": offset,
                        "value": height,
                    }
                )
            low, middle, high = row.detail["contributions" if version == "candidate" else "champion_contributions"]
            cells.append(f"{low:+.3f} to {high:+.3f} ({middle:+.3f})")
        table.append(tuple(cells))
    spec: dict[str, Any] = {
        "width": 560 if len(sides) == 1 else 260,
        "height": 34 * len(order),
        "data": {"values": points},
        "mark": {"type": "circle", "size": 14, "opacity": 0.75},
        "encoding": {
            "y": {"field": "feature", "type": "nominal", "sort": [names[at] for at in order], "title": None},
            "yOffset": {"field": "offset", "type": "quantitative", "scale": {"domain": [-SWARM_BINS, SWARM_BINS]}},
            "x": {"field": "contribution", "type": "quantitative", "title": "Contribution to the score"},
            "color": {
                "field": "value",
                "type": "nominal",
                "sort": ["low", "middle", "high", "no number"],
                "title": "The feature's own value",
            },
        },
    }
    if len(sides) > 1:
        spec["encoding"]["column"] = {"field": "version", "type": "nominal", "sort": ["candidate", "champion"], "title": None}
    widest = max(order, key=lambda at: float(np.ptp(ours[rows, at])))
    words = (
        f"Each point is one of {len(rows)} sampled rows. {names[widest]} spreads most, from "
        f"{ours[rows, widest].min():+.2f} to {ours[rows, widest].max():+.2f}."
    )
    columns = ("Feature", *(f"{version.capitalize()}: 10 % to 90 % (middle)" for version, _ in sides))
    return Picture("explanation_rows", "How features push single rows", words, spec, columns, tuple(table))


def _levels(column: np.ndarray | None, rows: np.ndarray) -> list[str]:
    """Low, middle or high third of a feature's values among the rows drawn."""
    if column is None or not all(isinstance(value, int | float) for value in column[rows]):
        return ["no number"] * len(rows)
    numbers = column[rows].astype(float)
    low, high = np.quantile(numbers, [1 / 3, 2 / 3])
    return ["low" if value < low else "high" if value > high else "middle" for value in numbers]


def _offsets(column: np.ndarray) -> list[int]:
    """Points that would lie on each other stand above and below the line in turn."""
    spread = float(np.ptp(column)) or 1.0
    bins = np.clip(((column - column.min()) / spread * SWARM_BINS).astype(int), 0, SWARM_BINS)
    seen: dict[int, int] = {}
    found = []
    for place in bins.tolist():
        count = seen.get(place, 0)
        seen[place] = count + 1
        found.append(int(np.clip((count + 1) // 2 * (1 if count % 2 else -1) * 3, -SWARM_BINS, SWARM_BINS)))
    return found
