"""The chart of the slices collector: how much worse each slice is than all other cases, the worst first."""

from __future__ import annotations

from collections.abc import Sequence

from gates.collecting import Picture
from gates.pictures import shapes
from gates.spec import Measure

MOST_ROWS = 30


def picture(compared: Sequence[Measure]) -> Picture | None:
    """None when no slice is large enough to be shown."""
    shown = [row for row in compared if row.value is not None]
    if not shown:
        return None
    rows = [
        {"label": f"{row.group} ({row.text})"[:90], "value": row.value, "low": row.low, "high": row.high}
        for row in shown[:MOST_ROWS]
    ]
    table = tuple(
        (
            row.group,
            row.text,
            f"{row.detail['slice']:.3f}",
            f"{row.detail['rest']:.3f}",
            f"{row.value:+.3f}",
            f"{row.low:+.3f}",
            f"{row.high:+.3f}",
            "too few" if row.detail["p_holm"] is None else f"{row.detail['p_holm']:.3g}",
            f"{row.n:,}",
        )
        for row in shown[:500]
    )
    more = f" The {MOST_ROWS} worst of {len(shown)} are drawn." if len(shown) > MOST_ROWS else ""
    return Picture(
        "slices.worst_first",
        "How much worse the model is on each slice",
        "Error rate of the slice minus that of all other cases, and AUC of all other cases minus that of the slice: right of "
        f"zero the slice is worse. 95 % intervals; p-values in the table are corrected for all slices (Holm).{more}",
        shapes.points_with_intervals(rows, x_title="worse by", limits=(0.0,)),
        ("slice", "figure", "slice's", "all others'", "worse by", "lower bound", "upper bound", "p (Holm)", "cases"),
        table,
    )
