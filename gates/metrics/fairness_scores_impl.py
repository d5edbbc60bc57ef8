"""Groups by their scores: AUC with DeLong's interval, and calibration in the large (mean score against the observed rate)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gates.collecting import EvidenceInput
from gates.metrics.fairness_auc_impl import by_group
from gates.metrics.fairness_compare_impl import LEVEL, SHOW_FROM, TEST_FROM
from gates.metrics.fairness_counts_impl import MAX_LEVELS, Cells
from gates.metrics.statistics.auc import BINS
from gates.metrics.statistics.intervals import effective_n, z_of
from gates.spec import Measure


def by_score(
    evidence: EvidenceInput, cells: Cells, attributes: Sequence[str], bands: Mapping[str, Sequence[float]]
) -> tuple[list[Measure], list[str]]:
    """AUC and calibration per group of single attributes, where the file has scores; else nothing."""
    if cells.score is None:
        return [], []
    measures = [row for name in attributes for row in _calibration(cells, name)]
    bound = 0.0
    for name in attributes:
        for level, one in by_group(evidence, name, bands.get(name)).items():
            n, group = one.positives + one.negatives, f"{name}={level}"
            detail: dict[str, float] = {"positives": one.positives, "negatives": one.negatives, "level": LEVEL}
            if one.found is None or min(one.positives, one.negatives) < TEST_FROM:
                reason = (
                    f"AUC needs {TEST_FROM} positives and {TEST_FROM} negatives; this group has {one.positives} and "
                    f"{one.negatives}."
                )
                measures.append(Measure("fairness.roc_auc", None, group, n=n, reason=reason, detail=detail))
                continue
            found, bound = one.found.interval(0, LEVEL), max(bound, one.found.bound)
            detail["error_bound"] = one.found.bound
            measures.append(Measure("fairness.roc_auc", found.value, group, found.low, found.high, n, detail=detail))
    notes = [f"AUC by group was computed on {BINS:,} bins of the scores; it is off by at most {bound:.1g}."] if bound else []
    return measures, notes


def _calibration(cells: Cells, name: str) -> list[Measure]:
    """Mean score minus observed rate, with the normal interval of the mean of (score - label) over the group's people."""
    assert cells.score is not None and cells.score2 is not None
    known = ~np.isnan(cells.label)
    rows = []
    for level in sorted(set(cells.values[name]))[: MAX_LEVELS + 1]:
        chosen = known & (cells.values[name] == level)
        people, weight, label = int(cells.count[chosen].sum()), float(cells.weight[chosen].sum()), cells.label[chosen]
        group = f"{name}={level}"
        if people < SHOW_FROM:
            reason = f"Only {people} people with labels: under {SHOW_FROM} nothing is shown."
            rows.append(Measure("fairness.calibration_gap", None, group, n=people, reason=reason))
            continue
        mean = float(cells.score[chosen].sum() / weight)
        share = float((cells.weight[chosen] * label).sum() / weight)
        squares = cells.score2[chosen] - 2 * label * cells.score[chosen] + label * cells.weight[chosen]
        variance = max(float(squares.sum()) / weight - (mean - share) ** 2, 0.0)
        half = z_of(LEVEL) * math.sqrt(variance / effective_n(weight, float(cells.weight2[chosen].sum())))
        detail = {"mean_score": mean, "observed_rate": share, "level": LEVEL}
        gap = mean - share
        rows.append(Measure("fairness.calibration_gap", gap, group, gap - half, gap + half, people, detail=detail))
    return rows
