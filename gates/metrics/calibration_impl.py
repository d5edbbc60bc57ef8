"""The calibration collector's work: counts, figures for everybody, for each group and for the champion, and the charts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics.calibration_counts_impl import Scored, open_scored
from gates.metrics.calibration_pictures_impl import pictures
from gates.metrics.statistics import calibration as stats
from gates.metrics.statistics.auc import of_bins
from gates.metrics.statistics.calibration import ReliabilityBin, ScoreCounts
from gates.metrics.statistics.intervals import Interval, bonferroni
from gates.readers import predictions as reader
from gates.readers import tables
from gates.spec import Measure

MIN_PER_CLASS = 100
SHOW_FROM, TEST_FROM = 30, 100
MAX_LEVELS = 50
LEVEL = 0.95
REGRESSION_TASKS = ("regression", "tabular-regression", "forecasting")


def collect(inputs: Inputs) -> Collected:
    """See `gates.metrics.calibration`."""
    if str(inputs.facts.get("model.task") or "").lower() in REGRESSION_TASKS:
        return Collected(
            not_applicable="The model predicts a quantity, not a chance: there is no calibration of scores to judge."
        )
    evidence = inputs.evidence.get("candidate_predictions")
    lacking = _lacking(evidence)
    if evidence is None or lacking:
        return Collected(not_measured=lacking)
    scored = open_scored(evidence)
    whole = scored.whole()
    if whole is None:
        raise EvidenceProblem(
            file=evidence.name,
            column=reader.column_of(evidence, "label"),
            expected="labels",
            found="none at all",
            way_out="Add the true outcomes.",
        )
    edges = stats.edges_of(whole)
    bins = stats.reliability(whole, edges)
    measures = side_rows(whole, bins, "", seed=inputs.seed)
    groups, notes = _groups(scored, inputs.settings.get("fairness.bins"))
    measures += group_rows(groups, edges, inputs.seed)
    champion, note = _champion(inputs.evidence.get("baseline_predictions"), edges, inputs.seed)
    measures += champion[0]
    notes += [note] if note else []
    drawn = pictures(bins, champion[1], {name: stats.reliability(part, edges) for name, part in groups.items()}, measures, groups)
    return Collected(tuple(measures), pictures=tuple(drawn), notes=tuple(notes))


def _lacking(evidence: EvidenceInput | None) -> str:
    if evidence is None:
        return "No candidate predictions were uploaded: add the candidate's scores with labels."
    if not reader.column_of(evidence, "score"):
        return (
            f"{evidence.name} has no column mapped as `score`: decisions alone say nothing about calibration. Add the "
            "probability behind each decision."
        )
    if not reader.column_of(evidence, "label"):
        return f"{evidence.name} has no column mapped as `label`: without outcomes nobody can tell whether scores are right."
    return ""


def side_rows(counts: ScoreCounts, bins: Sequence[ReliabilityBin], side: str, *, seed: int) -> list[Measure]:
    """The figures of one model over everybody. `side`: "" for the candidate, "champion." for the other."""
    n, name = counts.rows, f"calibration.{side}"
    detail = {"positives": counts.positives, "negatives": counts.negatives, "level": LEVEL}
    few = min(counts.positives, counts.negatives) < MIN_PER_CLASS
    reason = (
        f"Calibration needs at least {MIN_PER_CLASS} positive and {MIN_PER_CLASS} negative rows; the evaluation set has "
        f"{counts.positives:,} and {counts.negatives:,}."
        if few
        else ""
    )

    def row(metric: str, interval: Interval | None, text: str, why: str = "", **more: Any) -> Measure:
        if reason or interval is None or not math.isfinite(interval.value):
            return Measure(f"{name}{metric}", None, n=n, text=text, reason=reason or why, detail={**detail, **more})
        return Measure(
            f"{name}{metric}", interval.value, low=interval.low, high=interval.high, n=n, text=text, detail={**detail, **more}
        )

    error = stats.expected_error(bins, seed=seed)
    cox = stats.recalibration(counts)
    flat = "Scores that are all alike, or that separate the classes perfectly, have no slope."
    rows = [
        row("gap", stats.gap(counts), "mean score minus observed rate", mean_score=counts.mean_score, observed_rate=counts.rate),
        row("observed_to_expected", stats.observed_to_expected(counts), "observed over expected", "No positives were expected."),
        row("brier", stats.brier(counts), "Brier score"),
        row("expected_error", error.error, "expected calibration error", raw=error.raw, floor=error.floor, bins=len(bins)),
        row("slope", cox.slope if cox else None, "calibration slope", flat),
        row("intercept", cox.intercept if cox else None, "calibration intercept", flat),
    ]
    for at, each in enumerate(bins, 1):
        group = f"bin={at:02d}"
        if each.n < SHOW_FROM:
            rows.append(Measure(f"{name}bin", None, group, n=each.n, reason=f"Only {each.n} rows in this bin."))
            continue
        more = {"mean_score": each.mean, "share": each.share, "level": LEVEL}
        rows.append(Measure(f"{name}bin", each.rate.value, group, each.rate.low, each.rate.high, each.n, detail=more))
    rows.append(Measure(f"{name}rows", float(n), n=n))
    return rows


def _groups(scored: Scored, bands: Any) -> tuple[dict[str, ScoreCounts], list[str]]:
    """Counts of every group of every sensitive column, by `attribute=value`."""
    named = bands if isinstance(bands, Mapping) else {}
    found: dict[str, ScoreCounts] = {}
    notes: list[str] = []
    columns = reader.columns_of(scored.evidence, "sensitive")
    tables.require(scored.evidence, scored.info, columns)
    for column in columns:
        edges = named.get(column)
        banded = bool(edges) and scored.info.kind(column) in tables.NUMERIC
        if not banded and scored.too_many(column, MAX_LEVELS):
            notes.append(f"{column} has more than {MAX_LEVELS} values and was left out: add a column with bands and map that.")
            continue
        for value, part in scored.by(scored.group_of(column, edges if banded else None)).items():
            found[f"{column}={value}"] = part
    return found, notes


def group_rows(groups: Mapping[str, ScoreCounts], edges: np.ndarray, seed: int) -> list[Measure]:
    """Gap, slope and expected error of each group; the gap's bounds hold together over all groups tested (Bonferroni)."""
    tested = sum(part.rows >= TEST_FROM for part in groups.values())
    level = bonferroni(LEVEL, tested)
    rows = []
    for name, part in groups.items():
        detail: dict[str, Any] = {"people": part.rows, "tested": part.rows >= TEST_FROM, "comparisons": tested}
        if part.rows < SHOW_FROM:
            why = f"Only {part.rows} people with labels: under {SHOW_FROM} nothing is shown."
            rows.append(Measure("calibration.group_gap", None, name, n=part.rows, reason=why, detail=detail))
            continue
        used = level if detail["tested"] else LEVEL
        gap = stats.gap(part, used)
        detail |= {"level": used, "mean_score": part.mean_score, "observed_rate": part.rate}
        rows.append(Measure("calibration.group_gap", gap.value, name, gap.low, gap.high, part.rows, detail=detail))
        if min(part.positives, part.negatives) < MIN_PER_CLASS:
            continue
        area = of_bins(part.pos, part.n - part.pos).interval()
        classes = {"positives": part.positives, "negatives": part.negatives, "level": LEVEL}
        rows.append(Measure("calibration.group_auc", area.value, name, area.low, area.high, part.rows, detail=classes))
        error = stats.expected_error(stats.reliability(part, edges), seed=seed)
        more = {"raw": error.raw, "floor": error.floor, "level": LEVEL}
        each = error.error
        rows.append(Measure("calibration.group_expected_error", each.value, name, each.low, each.high, part.rows, detail=more))
        cox = stats.recalibration(part)
        if cox is not None:
            rows.append(
                Measure("calibration.group_slope", cox.slope.value, name, cox.slope.low, cox.slope.high, part.rows,
                        detail={"level": LEVEL})
            )  # fmt: skip
    return rows


def _champion(
    evidence: EvidenceInput | None, edges: np.ndarray, seed: int
) -> tuple[tuple[list[Measure], tuple[ReliabilityBin, ...]], str]:
    """The champion's figures on its own file where that has scores and labels; else nothing, and why in a note."""
    if evidence is None or _lacking(evidence):
        return ([], ()), ""
    try:
        counts = open_scored(evidence).whole()
    except EvidenceProblem as problem:
        return ([], ()), f"The champion is not shown beside the candidate. {problem}"
    if counts is None:
        return ([], ()), ""
    bins = stats.reliability(counts, edges)
    return (side_rows(counts, bins, "champion.", seed=seed), bins), ""
