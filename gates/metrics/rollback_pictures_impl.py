"""Pictures of decision flips: the two-by-two matrix, the segments, and the largest score moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gates.collecting import Picture


def flips_picture(both: Mapping[tuple[int, int], int], rows: int) -> Picture:
    """Champion's decision by candidate's decision, as a matrix with shares."""
    cells = [(before, now, both.get((before, now), 0)) for before in (0, 1) for now in (0, 1)]
    values = [
        {"before": str(before), "now": str(now), "share": round(count / rows, 6), "text": f"{count:,} ({count / rows:.1%})"}
        for before, now, count in cells
    ]
    axes = {
        "x": {"field": "now", "type": "nominal", "title": "Candidate decides", "axis": {"labelAngle": 0}},
        "y": {"field": "before", "type": "nominal", "title": "Champion decides"},
    }
    spec = {
        "width": 280,
        "height": 200,
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rect", "opacity": 0.35},
                "encoding": {**axes, "color": {"field": "share", "type": "quantitative", "legend": None}},
            },
            {"mark": {"type": "text", "style": "note", "fontSize": 13}, "encoding": {**axes, "text": {"field": "text"}}},
        ],
    }
    flipped = both.get((0, 1), 0) + both.get((1, 0), 0)
    words = (
        f"{flipped:,} of {rows:,} decisions flip ({flipped / rows:.1%}): {both.get((0, 1), 0):,} from 0 to 1 "
        f"and {both.get((1, 0), 0):,} from 1 to 0."
    )
    table = tuple((f"champion {before}", f"candidate {now}", f"{count:,}", f"{count / rows:.2%}") for before, now, count in cells)
    return Picture("rollback_flips", "Decisions that flip", words, spec, ("Champion", "Candidate", "Rows", "Share"), table)


def segments_picture(segments: Sequence[tuple[str, int, int]], overall: float) -> Picture:
    """Flip rate by group, with the overall rate as a line."""
    shown = sorted(segments, key=lambda row: -row[1] / row[2])[:20]
    values = [{"label": group, "rate": round(flipped / rows, 6)} for group, flipped, rows in shown]
    spec = {
        "width": 560,
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "bar", "style": "candidate"},
                "encoding": {
                    "y": {"field": "label", "type": "nominal", "sort": None, "title": None},
                    "x": {"field": "rate", "type": "quantitative", "axis": {"format": "%"}, "title": "Decisions that flip"},
                },
            },
            {
                "data": {"values": [{"rate": overall}]},
                "mark": {"type": "rule", "style": "limit"},
                "encoding": {"x": {"field": "rate", "type": "quantitative"}},
            },
        ],
    }
    group, flipped, rows = shown[0]
    words = f"{group} flips most: {flipped / rows:.1%} of {rows:,} rows; overall {overall:.1%} (the line)."
    table = tuple((name, f"{count:,}", f"{total:,}", f"{count / total:.2%}") for name, count, total in shown)
    return Picture("rollback_segments", "Flips by group", words, spec, ("Group", "Flipped", "Rows", "Rate"), table)


def moves_picture(moves: Sequence[tuple[str, float, float]]) -> Picture:
    """The rows whose score moved most: before and after, joined by a line."""
    values = [{"row": key, "before": before, "now": now} for key, before, now in moves]
    y = {"field": "row", "type": "nominal", "sort": None, "title": "Row key"}
    spec = {
        "width": 560,
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rule", "style": "interval"},
                "encoding": {"y": y, "x": {"field": "before", "type": "quantitative", "title": "Score"}, "x2": {"field": "now"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "style": "champion"},
                "encoding": {"y": y, "x": {"field": "before", "type": "quantitative"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "style": "candidate"},
                "encoding": {"y": y, "x": {"field": "now", "type": "quantitative"}},
            },
        ],
    }
    key, before, now = moves[0]
    words = f"Row {key} moved most: from {before:.3f} (champion) to {now:.3f} (candidate). Look at these cases by hand."
    table = tuple((name, f"{first:.4f}", f"{second:.4f}", f"{second - first:+.4f}") for name, first, second in moves)
    return Picture("rollback_moves", "Largest score moves", words, spec, ("Row key", "Champion", "Candidate", "Change"), table)
