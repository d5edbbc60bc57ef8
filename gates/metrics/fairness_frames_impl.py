"""Fairlearn's `MetricFrame` on counted rows, and the counts behind each of its rates."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import (
    MetricFrame,
    equalized_odds_difference,
    equalized_odds_ratio,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score, precision_score

from gates.metrics.fairness_counts_impl import Cells
from gates.metrics.statistics.intervals import effective_n

Rows = Callable[[np.ndarray, np.ndarray], np.ndarray]

# metric -> (Fairlearn or scikit-learn function, whether it needs labels, which rows are its denominator, which of these count)
METRICS: dict[str, tuple[Callable[..., Any], bool, Rows, Rows]] = {
    "selection_rate": (selection_rate, False, lambda y, d: np.ones_like(d, dtype=bool), lambda y, d: d == 1),
    "true_positive_rate": (true_positive_rate, True, lambda y, d: y == 1, lambda y, d: d == 1),
    "false_positive_rate": (false_positive_rate, True, lambda y, d: y == 0, lambda y, d: d == 1),
    "false_negative_rate": (false_negative_rate, True, lambda y, d: y == 1, lambda y, d: d == 0),
    "precision": (functools.partial(precision_score, zero_division=0), True, lambda y, d: d == 1, lambda y, d: y == 1),
    "accuracy": (accuracy_score, True, lambda y, d: np.ones_like(d, dtype=bool), lambda y, d: y == d),
}
TITLES = {
    "selection_rate": "selection rate",
    "true_positive_rate": "true positive rate",
    "false_positive_rate": "false positive rate",
    "false_negative_rate": "false negative rate",
    "precision": "precision",
    "accuracy": "accuracy",
}


@dataclass(frozen=True)
class Rate:
    """One metric of one group. `rows`: people in the denominator; `n`, `k`: effective denominator and numerator (equal to
    counts without weights).
    """

    group: str
    value: float
    rows: int
    n: float
    k: float


@dataclass(frozen=True)
class Frame:
    """One metric over the groups of one attribute, or of a pair. `ratio`, `difference`: Fairlearn's between all groups."""

    attributes: tuple[str, ...]
    metric: str
    overall: Rate
    groups: tuple[Rate, ...]
    sizes: dict[str, int]
    ratio: float
    difference: float


def frames(cells: Cells, attributes: Sequence[str]) -> list[Frame]:
    """Every metric the columns allow, disaggregated by the attributes together."""
    out = []
    for wanted_labels in (False, True):
        names = [name for name, (_, needs, _, _) in METRICS.items() if needs is wanted_labels]
        keep = ~np.isnan(cells.label) if wanted_labels else np.ones(len(cells.label), dtype=bool)
        if not keep.any():
            continue
        out += _frames(cells, tuple(attributes), names, keep)
    return out


def _features(cells: Cells, attributes: Sequence[str], keep: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(cells.values[name][keep], dtype=object) for name in attributes})


def _frames(cells: Cells, attributes: tuple[str, ...], names: Sequence[str], keep: np.ndarray) -> list[Frame]:
    decision, weight = cells.decision[keep], cells.weight[keep]
    label = np.where(np.isnan(cells.label[keep]), 0.0, cells.label[keep])
    features = _features(cells, attributes, keep)
    measured = MetricFrame(
        metrics={name: METRICS[name][0] for name in names},
        y_true=label,
        y_pred=decision,
        sensitive_features=features,
        sample_params={name: {"sample_weight": weight} for name in names},
    )
    groups = {
        key if isinstance(key, tuple) else (key,): np.asarray(index)
        for key, index in features.groupby(list(attributes)).indices.items()
    }
    names_of = {key: " & ".join(f"{name}={value}" for name, value in zip(attributes, key, strict=True)) for key in groups}
    by_group = measured.by_group
    ratio, difference = measured.ratio(errors="coerce"), measured.difference(errors="coerce")
    out = []
    for name in names:
        _, _, bottom, top = METRICS[name]
        below = bottom(label, decision)
        above = below & top(label, decision)

        def rate(group: str, index: np.ndarray, value: float, below: np.ndarray = below, above: np.ndarray = above) -> Rate:
            b = index[below[index]]
            count, w, w2 = cells.count[keep][b].sum(), weight[b].sum(), cells.weight2[keep][b].sum()
            n = effective_n(float(w), float(w2)) if w > 0 else 0.0
            share = float(weight[index[above[index]]].sum() / w) if w > 0 else 0.0
            plain = bool(np.array_equal(cells.weight[keep][b], cells.count[keep][b]))
            return Rate(group, value, int(count), float(count) if plain else n, float(w * share) if plain else n * share)

        every = np.arange(len(label))
        column = by_group[name]
        found = tuple(
            rate(names_of[key], groups[key], float(column.loc[key if len(key) > 1 else key[0]])) for key in sorted(groups)
        )
        sizes = {names_of[key]: int(cells.count[keep][index].sum()) for key, index in groups.items()}
        out.append(
            Frame(
                attributes,
                name,
                rate("", every, float(measured.overall[name])),
                found,
                sizes,
                float(ratio[name]),
                float(difference[name]),
            )
        )
    return out


def equalized_odds(cells: Cells, attribute: str) -> tuple[float, float]:
    """Fairlearn's equalized odds difference and ratio over all groups of one attribute."""
    keep = ~np.isnan(cells.label)
    given = {
        "y_true": cells.label[keep],
        "y_pred": cells.decision[keep],
        "sensitive_features": _features(cells, (attribute,), keep),
        "sample_weight": cells.weight[keep],
    }
    return float(equalized_odds_difference(**given)), float(equalized_odds_ratio(**given))
