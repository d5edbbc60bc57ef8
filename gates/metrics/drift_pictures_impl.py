"""Pictures of drift: the features by PSI, and the two distributions of one column over the same bins."""

from __future__ import annotations

from collections.abc import Sequence

from gates.collecting import Picture
from gates.metrics.drift_columns_impl import Column

TOP = 15
BANDS = (0.10, 0.25)


def ranking_picture(ranked: Sequence[Column]) -> Picture:
    """Bars of the largest PSI, with the customary bands at 0.10 and 0.25."""
    shown = list(ranked[:TOP])
    values = [{"feature": column.name, "psi": round(column.psi, 5)} for column in shown]
    spec = {
        "width": 560,
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "bar", "style": "candidate"},
                "encoding": {
                    "y": {"field": "feature", "type": "nominal", "sort": [column.name for column in shown], "title": None},
                    "x": {"field": "psi", "type": "quantitative", "title": "Population stability index"},
                },
            },
            {
                "data": {"values": [{"band": band} for band in BANDS]},
                "mark": {"type": "rule", "style": "limit"},
                "encoding": {"x": {"field": "band", "type": "quantitative"}},
            },
        ],
    }
    rows = tuple((column.name, f"{column.psi:.4f}", f"{column.null_point:.4f}", _other(column)) for column in shown)
    words = (
        f"{shown[0].name} moved most: PSI {shown[0].psi:.3f}. Lines mark 0.10 (moderate) and 0.25 (large). "
        f"{len(shown)} of {len(ranked)} features are shown."
    )
    return Picture(
        "drift_ranking", "Features by drift", words, spec, ("Feature", "PSI", "Chance stays below", "Other measures"), rows
    )


def _other(column: Column) -> str:
    names = {"ks": "KS", "wasserstein": "Wasserstein / SD", "cramers_v": "Cramér's V", "js": "JS distance"}
    return ", ".join(f"{names[key]} {value:.3f}" for key, value in column.figures.items() if key in names)


def overlay_picture(column: Column, place: int, before: str, after: str, title: str = "") -> Picture:
    """Shares per bin, reference beside current."""
    binned = column.binned
    if binned is None:
        raise ValueError("only compared columns have a picture")
    e, a = binned.reference / binned.reference.sum(), binned.current / binned.current.sum()
    order = sorted(range(len(binned.labels)), key=lambda at: -max(e[at], a[at]))[:25]
    chosen = sorted(order)
    labels = [binned.labels[at] for at in chosen]
    values = [
        {"bin": binned.labels[at], "sample": name, "share": round(float(part[at]), 6)}
        for at in chosen
        for name, part in (("reference", e), ("current", a))
    ]
    spec = {
        "width": 560,
        "data": {"values": values},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {"field": "bin", "type": "nominal", "sort": labels, "title": column.name},
            "y": {"field": "share", "type": "quantitative", "axis": {"format": "%"}, "title": "Share of rows"},
            "xOffset": {"field": "sample", "sort": ["reference", "current"]},
            "color": {"field": "sample", "type": "nominal", "sort": ["reference", "current"], "title": None},
        },
    }
    rows = tuple((binned.labels[at], f"{e[at]:.2%}", f"{a[at]:.2%}") for at in chosen)
    at = max(chosen, key=lambda index: abs(a[index] - e[index]))
    words = (
        f"{before} against {after}. The largest difference is in “{binned.labels[at]}”: {e[at]:.1%} before, "
        f"{a[at]:.1%} now. PSI {column.psi:.3f}."
    )
    heading = title or f"{column.name}: reference and current"
    return Picture(
        f"drift_overlay_{place}" if place else "drift_score", heading, words, spec, ("Bin", "Reference", "Current"), rows
    )
