"""The fairness collector's work: counts, Fairlearn, comparisons, and what may not be said."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gates.collecting import Collected, EvidenceInput, Inputs, MeasuredFact
from gates.metrics.fairness_compare_impl import SHOW_FROM, TEST_FROM, pairs, rates, summary
from gates.metrics.fairness_counts_impl import Cells, count
from gates.metrics.fairness_frames_impl import METRICS, TITLES, Frame, equalized_odds, frames
from gates.metrics.fairness_pictures_impl import pictures
from gates.metrics.fairness_scores_impl import by_score
from gates.readers import predictions as reader
from gates.readers.counting import UNKNOWN
from gates.spec import Measure


def collect(inputs: Inputs) -> Collected:
    """See `gates.metrics.fairness`."""
    evidence = inputs.evidence.get("candidate_predictions")
    if evidence is None:
        return Collected(
            not_measured="No candidate predictions were uploaded: add the decisions with one column per protected attribute."
        )
    attributes = reader.columns_of(evidence, "sensitive")
    if not attributes:
        return Collected(
            not_measured=(
                f"{evidence.name} has no column mapped as `sensitive`: add the protected attributes (for "
                "example sex and age band) of the "
                "same people, so that groups can be compared."
            )
        )
    said = inputs.settings.get("fairness.bins")
    bins = {name: edges for name, edges in said.items() if name in attributes} if isinstance(said, Mapping) else {}
    cells, notes = count(
        evidence,
        inputs.evidence.get("baseline_predictions"),
        threshold=_number(inputs.facts.get("model.decision_threshold")),
        champion_threshold=_number(inputs.facts.get("champion.decision_threshold")),
        bins=bins,
    )
    sets: list[tuple[str, ...]] = [(name,) for name in attributes]
    if inputs.settings.get("fairness.pairs", True):
        sets += list(itertools.combinations(attributes, 2))
    found = [frame for chosen in sets for frame in frames(cells, chosen)]
    measures, candidate_pairs = _side(found, "")
    if cells.champion is not None:
        other = [frame for chosen in sets for frame in frames(cells.of_champion(), chosen)]
        measures += _side(other, "champion")[0]
    measures += [*_odds(cells, attributes), *_unknown(cells), *_spelling(cells)]
    if cells.labelled:
        scored, more = by_score(evidence, cells, attributes, bins)
        measures += scored
        notes += more
    notes += _notes(cells, found, evidence)
    measures.append(Measure("fairness.rows", float(cells.rows), n=cells.rows))
    return Collected(
        tuple(measures), tuple(_facts(attributes, candidate_pairs)), tuple(pictures(found, candidate_pairs)), tuple(notes)
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _side(found: Sequence[Frame], side: str) -> tuple[list[Measure], list[Measure]]:
    measures: list[Measure] = []
    every_pair: list[Measure] = []
    for metric in METRICS:
        chosen = [frame for frame in found if frame.metric == metric]
        if not chosen:
            continue
        compared = pairs(chosen, side)
        every_pair += compared
        for index, frame in enumerate(chosen):
            own = rates(frame, side)
            measures += own if index == 0 else own[1:]
            measures += summary(frame, compared, side)
        tested = [row for row in compared if row.detail["tested"] and row.value is not None]
        prefix = f"fairness.{side + '.' if side else ''}{metric}"
        worst = min(tested, key=lambda row: row.value or 0.0, default=None)
        reason = "" if worst else f"No two groups have {TEST_FROM} people or more that count towards the {TITLES[metric]}."
        measures.append(
            Measure(
                f"{prefix}_ratio",
                worst.value if worst else None,
                low=worst.low if worst else None,
                high=worst.high if worst else None,
                n=worst.n if worst else None,
                text=worst.group if worst else "",
                reason=reason,
                detail=dict(worst.detail) if worst else {},
            )
        )
        measures += compared
    return measures, every_pair


def _odds(cells: Cells, attributes: Sequence[str]) -> list[Measure]:
    if not cells.labelled:
        return []
    out = []
    for name in attributes:
        difference, ratio = equalized_odds(cells, name)
        n = int(cells.count[~np.isnan(cells.label)].sum())
        over = {"over": "all groups, whatever their size, as Fairlearn defines it"}
        for metric, value in (("difference", difference), ("ratio", ratio)):
            out.append(
                Measure(f"fairness.equalized_odds_{metric}", value if np.isfinite(value) else None, name, n=n, detail=over)
            )
    return out


def _unknown(cells: Cells) -> list[Measure]:
    """Share of people without a value, per attribute."""
    return [
        Measure(
            "fairness.unknown_share", float(cells.count[cells.values[name] == UNKNOWN].sum() / cells.rows), name, n=cells.rows
        )
        for name in cells.attributes
    ]


def _spelling(cells: Cells) -> list[Measure]:
    """Groups of one attribute that differ only by case or blanks, per attribute."""
    out = []
    for name in cells.attributes:
        spellings: dict[str, set[str]] = {}
        for value in cells.values[name]:
            spellings.setdefault(" ".join(value.split()).casefold(), set()).add(value)
        twins = [sorted(group) for group in spellings.values() if len(group) > 1]
        text = "; ".join(" and ".join(f"“{value}”" for value in group) for group in sorted(twins))
        out.append(Measure("fairness.spelling_variants", float(len(twins)), name, n=cells.rows, text=text))
    return out


def _notes(cells: Cells, found: Sequence[Frame], evidence: EvidenceInput) -> list[str]:
    notes = []
    without = int(cells.count[np.isnan(cells.label)].sum())
    if not cells.labelled:
        notes.append(
            f"{evidence.name} has no labels: only selection rates are compared. True and false positive rates, "
            "precision and accuracy were not measured."
        )
    elif without:
        notes.append(f"{without:,} of {cells.rows:,} people have no label; they count towards the selection rate only.")
    for name in cells.attributes:
        levels = sorted(set(cells.values[name]))
        if len(levels) < 2:
            notes.append(f"{name} has one value only (“{levels[0]}”): there is nobody to compare with.")
    for measure in _spelling(cells):
        if measure.value:
            notes.append(
                f"Groups of {measure.group} differ only by case or blanks: {measure.text}. Write them "
                "alike, or they stay separate groups."
            )
    small = {
        group: size
        for frame in found
        if frame.metric == "selection_rate"
        for group, size in frame.sizes.items()
        if 0 < size < SHOW_FROM
    }
    if small:
        listed = ", ".join(f"{group} ({size})" for group, size in sorted(small.items())[:20])
        notes.append(f"Groups under {SHOW_FROM} people, counted but not rated: {listed}{', …' if len(small) > 20 else ''}.")
    if cells.weight.sum() != cells.count.sum():
        notes.append("Rates use the row weights; intervals use the effective number of people (Kish).")
    return notes


def _facts(attributes: Sequence[str], compared: Sequence[Measure]) -> list[MeasuredFact]:
    # groups to compare stand beside the predictions; whether the model *reads* such an attribute is another fact
    facts = [MeasuredFact("fairness.attributes", list(attributes))]
    tested = [row for row in compared if row.detail["tested"]]
    selection = [row for row in tested if row.metric == "fairness.selection_rate_pair"]
    worst = min(selection, key=lambda row: row.value or 0.0, default=None)
    if worst is not None and worst.detail["worst"] is not None:
        high = 1 / worst.detail["low_95"] if worst.detail["low_95"] else None
        low = 1 / worst.detail["high_95"] if worst.detail["high_95"] else None
        facts.append(MeasuredFact("fairness.worst_selection_ratio", worst.detail["worst"], low, high, locator=worst.group))
    accuracy = [row for row in tested if row.metric == "fairness.accuracy_pair"]
    widest = min(accuracy, key=lambda row: row.detail["difference"], default=None)
    if widest is not None:
        gap = widest.detail
        facts.append(
            MeasuredFact(
                "fairness.accuracy_difference",
                -gap["difference"],
                -gap["difference_high_95"],
                -gap["difference_low_95"],
                locator=widest.group,
            )
        )
    return facts
