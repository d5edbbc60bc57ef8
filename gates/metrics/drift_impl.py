"""Drift of every feature and of the score: what is compared, what is left out and why, and what comes out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, MeasuredFact, Picture, working_on
from gates.metrics import drift_statistics_impl as statistics
from gates.metrics.drift_columns_impl import Column, columns_of, compare_column
from gates.metrics.drift_pictures_impl import overlay_picture, ranking_picture
from gates.metrics.drift_reported_impl import reported
from gates.readers import tables
from gates.spec import Measure

MIN_ROWS = 500
MODERATE = 0.10
LARGE = 0.25


def measure(inputs: Inputs) -> Collected:
    """Feature drift (reference against current sample) and prediction drift (score in the samples, else champion against
    candidate).
    """
    reference, current = inputs.evidence.get("reference_sample"), inputs.evidence.get("current_sample")
    found = _Found()
    if reference is not None and current is not None:
        _features(inputs, reference, current, found)
    else:
        missing = " and ".join(
            role.replace("_", " ")
            for role, item in (("reference_sample", reference), ("current_sample", current))
            if item is None
        )
        found.measures.append(Measure("drift.share", None, reason=f"Feature drift needs both samples; there is no {missing}."))
    _prediction(inputs, reference, current, found)
    there = reported(inputs, {row.group.removeprefix("feature="): row for row in found.measures if row.metric == "drift.psi"})
    if not any(row.value is not None for row in found.measures):
        reasons = [*(row.reason for row in found.measures if row.reason), *([there.note] if there.note else [])]
        return Collected(not_measured=" ".join(dict.fromkeys(reasons)))
    found.measures += there.measures
    found.pictures += there.pictures
    found.notes += [there.note] if there.note else []
    return Collected(tuple(found.measures), tuple(found.facts), tuple(found.pictures), tuple(found.notes))


@dataclass
class _Found:
    measures: list[Measure] = field(default_factory=list)
    facts: list[MeasuredFact] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _features(inputs: Inputs, reference: EvidenceInput, current: EvidenceInput, found: _Found) -> None:
    reason = _cannot_compare(reference, current)
    if reason:
        found.measures.append(Measure("drift.share", None, reason=reason))
        return
    names, notes = columns_of(reference, current, inputs)
    found.notes.extend(notes)
    compared: list[Column] = []
    for column in _side_by_side(reference, current, names, inputs.seed):
        name = column.name
        if column.skipped:
            found.notes.append(f"{name}: {column.skipped}.")
        else:
            compared.append(column)
            found.notes.extend(f"{name}: {text}." for text in column.notes)
    if not compared:
        found.measures.append(Measure("drift.share", None, reason="The two samples share no column that can be compared."))
        return
    weights, weighting = _weights(inputs, [column.name for column in compared])
    _report(compared, weights, weighting, reference, current, found)


def _side_by_side(reference: EvidenceInput, current: EvidenceInput, names: Sequence[str], seed: int) -> Iterator[Column]:
    """The columns in order. Two are read and sorted at a time: more would only hold more of the samples in memory."""
    with ThreadPoolExecutor(2) as pool:
        begun = deque(pool.submit(compare_column, reference, current, name, seed) for name in names[:2])
        for number in range(len(names)):
            working_on("comparing {} columns", number, len(names))
            yield begun.popleft().result()
            if number + 2 < len(names):
                begun.append(pool.submit(compare_column, reference, current, names[number + 2], seed))


def _cannot_compare(reference: EvidenceInput, current: EvidenceInput) -> str:
    if reference.sha256 and reference.sha256 == current.sha256:
        return f"{reference.name} and {current.name} are the same file: attach the reference and the current data."
    rows = {item.name: tables.inspect(item).rows for item in (reference, current)}
    small = [f"{name} has {count:,}" for name, count in rows.items() if count < MIN_ROWS]
    if small:
        return f"PSI needs {MIN_ROWS} rows on each side, below that chance alone looks like drift; {' and '.join(small)}."
    return ""


def _weights(inputs: Inputs, names: list[str]) -> tuple[dict[str, float], str]:
    """Attribution shares as weights where they are known for these features, else equal weights."""
    shares = inputs.facts.get("explanation.shares") or inputs.settings.get("attribution_shares")
    if isinstance(shares, Mapping):
        known = {name: float(shares[name]) for name in names if isinstance(shares.get(name), int | float) and shares[name] > 0}
        if sum(known.values()) > 0.5:
            total = sum(known.values())
            return {name: known.get(name, 0.0) / total for name in names}, "attribution"
    return {name: 1 / len(names) for name in names}, "equal"


def _report(
    compared: list[Column],
    weights: Mapping[str, float],
    weighting: str,
    reference: EvidenceInput,
    current: EvidenceInput,
    found: _Found,
) -> None:
    ranked = sorted(compared, key=lambda column: (-column.psi, column.name))
    drifted = [column for column in ranked if column.psi > max(MODERATE, column.null_point)]
    share = float(sum(weights[column.name] for column in drifted))
    top = sorted(compared, key=lambda column: (-weights[column.name], -column.psi, column.name))[:5]
    rows = min(column.rows for column in compared)
    worst_top = max(top, key=lambda column: column.psi)
    listed = ", ".join(f"{column.name} ({column.psi:.2f})" for column in drifted[:10])
    found.measures += [
        Measure("drift.rows", float(rows), n=rows),
        Measure("drift.features", float(len(compared)), n=rows),
        Measure(
            "drift.share",
            share,
            n=rows,
            text=listed,
            detail={"weights": weighting, "drifted": len(drifted), "features": len(compared)},
        ),
        Measure("drift.max_psi", ranked[0].psi, n=rows, text=ranked[0].name, detail={"null_point": ranked[0].null_point}),
    ]
    if weighting == "attribution":
        found.measures.append(Measure("drift.top5_psi", worst_top.psi, n=rows, text=worst_top.name))
    for column in ranked[:300]:
        found.measures.append(
            Measure("drift.psi", column.psi, group=f"feature={column.name}", n=column.rows, detail=column.detail())
        )
    found.facts.append(MeasuredFact("drift.share", share, locator=listed))
    found.notes.append(
        "Features are weighted by their share in the champion's explanation." if weighting == "attribution" else
        "Every feature weighs the same: there is no champion whose explanation says what carries the score."
    )  # fmt: skip
    found.pictures.append(ranking_picture(ranked))
    found.pictures.extend(overlay_picture(column, at, reference.name, current.name) for at, column in enumerate(ranked[:3], 1))


def _prediction(inputs: Inputs, reference: EvidenceInput | None, current: EvidenceInput | None, found: _Found) -> None:
    reasons = []
    for before, after, words in _score_pairs(inputs, reference, current):
        first, second = before.columns["score"], after.columns["score"]
        if before.sha256 and before.sha256 == after.sha256:
            reasons.append(f"{before.name} and {after.name} are the same file.")
            continue
        if min(tables.inspect(item).rows for item in (before, after)) < MIN_ROWS:
            reasons.append(f"PSI of the score needs {MIN_ROWS} rows on each side.")
            continue
        column = compare_column(before, after, str(first), inputs.seed, other=str(second), identifiers=False)
        if column.skipped or not column.numeric:
            problem = column.skipped or "is text"
            raise EvidenceProblem(
                file=after.name,
                column=str(second),
                expected="scores that vary",
                found=problem,
                way_out="Map columns.score to the model's score.",
            )
        text = f"{words}"
        found.measures.append(Measure("drift.prediction_psi", column.psi, n=column.rows, text=text, detail=column.detail()))
        found.facts.append(MeasuredFact("drift.prediction_psi", column.psi, locator=text))
        found.pictures.append(overlay_picture(column, 0, before.name, after.name, title="Distribution of the score"))
        return
    wanted = "attach samples with a score column, or predictions of champion and candidate, with columns.score mapped"
    found.measures.append(Measure("drift.prediction_psi", None, reason=" ".join(reasons) or f"No score to compare: {wanted}."))


def _score_pairs(
    inputs: Inputs, reference: EvidenceInput | None, current: EvidenceInput | None
) -> Iterable[tuple[EvidenceInput, EvidenceInput, str]]:
    baseline, candidate = inputs.evidence.get("baseline_predictions"), inputs.evidence.get("candidate_predictions")
    pairs = (
        (reference, current, "score in the reference sample against the current sample"),
        (baseline, candidate, "the champion's score against the candidate's on the evaluation rows"),
    )
    for before, after, words in pairs:
        if (
            before is not None
            and after is not None
            and all(isinstance(item.columns.get("score"), str) for item in (before, after))
        ):
            yield before, after, words


__all__ = ["LARGE", "MIN_ROWS", "MODERATE", "measure", "statistics"]
