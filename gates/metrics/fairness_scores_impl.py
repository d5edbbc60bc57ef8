"""Groups by their scores: AUC with DeLong's interval, and calibration in the large (mean score against the observed rate)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from gates.collecting import EvidenceInput
from gates.metrics.fairness_compare_impl import LEVEL, SHOW_FROM, TEST_FROM
from gates.metrics.fairness_counts_impl import MAX_LEVELS, Cells
from gates.metrics.statistics.auc import delong
from gates.metrics.statistics.intervals import effective_n, wilson
from gates.readers import predictions as reader
from gates.readers import tables
from gates.readers.counting import UNKNOWN
from gates.spec import Measure


def by_score(
    evidence: EvidenceInput, cells: Cells, attributes: Sequence[str], banded: Collection[str]
) -> tuple[list[Measure], list[str]]:
    """AUC and calibration per group of single attributes, where the file has scores; else nothing. `banded`: without AUC."""
    if cells.score is None:
        return [], []
    measures = [row for name in attributes for row in _calibration(cells, name)]
    column, label_column = reader.column_of(evidence, "score"), reader.column_of(evidence, "label")
    plain = [name for name in attributes if name not in banded]
    notes = [f"AUC by {name} was not measured: its bands are made here." for name in attributes if name not in plain]
    if not plain:
        return measures, notes
    table = tables.load(evidence, [column, label_column, *plain])
    label = reader.binary(evidence, table, label_column, "label")
    score = tables.numbers(evidence, table, column)
    known = ~np.isnan(label)
    for name in plain:
        codes, distinct = pd.factorize(table[name], use_na_sentinel=False)
        named = np.array([_value(value) for value in distinct], dtype=object)
        for level in sorted(set(named)):
            chosen = known & np.isin(codes, np.flatnonzero(named == level))
            positives, negatives = int((label[chosen] == 1).sum()), int((label[chosen] == 0).sum())
            group, detail = f"{name}={level}", {"positives": positives, "negatives": negatives, "level": LEVEL}
            if min(positives, negatives) < TEST_FROM:
                reason = f"AUC needs {TEST_FROM} positives and {TEST_FROM} negatives; this group has {positives} and {negatives}."
                measures.append(Measure("fairness.roc_auc", None, group, n=positives + negatives, reason=reason, detail=detail))
                continue
            found = delong(label[chosen], score[chosen]).interval(0, LEVEL)
            measures.append(
                Measure("fairness.roc_auc", found.value, group, found.low, found.high, positives + negatives, detail=detail)
            )
    return measures, notes


def _value(value: object) -> str:
    """A cell as its group is called by the counting query."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or not str(value).strip():
        return UNKNOWN
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)


def _calibration(cells: Cells, name: str) -> list[Measure]:
    """Mean score minus observed rate; the interval is that of the observed rate (Wilson), the mean score taken as exact."""
    assert cells.score is not None
    known = ~np.isnan(cells.label)
    rows = []
    for level in sorted(set(cells.values[name]))[: MAX_LEVELS + 1]:
        chosen = known & (cells.values[name] == level)
        people, weight = int(cells.count[chosen].sum()), float(cells.weight[chosen].sum())
        group = f"{name}={level}"
        if people < SHOW_FROM:
            reason = f"Only {people} people with labels: under {SHOW_FROM} nothing is shown."
            rows.append(Measure("fairness.calibration_gap", None, group, n=people, reason=reason))
            continue
        mean = float(cells.score[chosen].sum() / weight)
        share = float((cells.weight[chosen] * cells.label[chosen]).sum() / weight)
        n = effective_n(weight, float(cells.weight2[chosen].sum()))
        bounds = wilson(share * n, n, LEVEL)
        detail = {"mean_score": mean, "observed_rate": share, "level": LEVEL}
        rows.append(
            Measure("fairness.calibration_gap", mean - share, group, mean - bounds.high, mean - bounds.low, people, detail=detail)
        )
    return rows
