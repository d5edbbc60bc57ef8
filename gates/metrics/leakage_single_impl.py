"""Each feature alone against a two-class label: the AUC by rank, with DeLong's interval.

Numbers are ranked as they are, in either direction. Categories are ranked by the share of positives that the *other* half of
the rows has for them, so that a column of many rare values cannot look like knowledge. That a value is missing is a feature too:
the larger of the two AUCs counts. One column is in memory at a time, at most `ROWS` of its values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.collecting import EvidenceInput, Inputs
from gates.metrics.statistics.auc import delong
from gates.metrics.statistics.intervals import bonferroni
from gates.readers import tables

ROWS = 500_000
MIN_CLASS = 100
FEATURES = 500
SMOOTHING = 5.0


@dataclass(frozen=True)
class Alone:
    """One feature alone. `auc` is None with `reason` where it could not be told."""

    feature: str
    auc: float | None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    how: str = ""
    level: float = 0.95
    reason: str = ""


def features_alone(inputs: Inputs, features: list[str]) -> tuple[list[Alone], str, str]:
    """(every feature, the largest AUC first; the file looked at; why nothing could be looked at, or "")."""
    found = _source(inputs)
    if isinstance(found, str):
        return [], "", found
    evidence, label, at, name = found
    positives = int(label.sum())
    if min(positives, len(label) - positives) < MIN_CLASS:
        few = min(positives, len(label) - positives)
        return [], "", f"{evidence.name}: an AUC needs {MIN_CLASS} cases of either kind; the rarer one has {few:,}."
    known = tables.inspect(evidence).names
    chosen = [feature for feature in features if feature in known and feature != name][:FEATURES]
    if not chosen:
        return [], "", f"{evidence.name} holds none of the model's features beside the label."
    level = bonferroni(0.95, len(chosen))
    halves = np.random.default_rng(inputs.seed).random(len(label)) < 0.5
    alone = [_one(evidence, feature, at, label, halves, level) for feature in chosen]
    return sorted(alone, key=lambda item: (-(item.auc or 0.0), item.feature)), evidence.name, ""


def _source(inputs: Inputs) -> tuple[EvidenceInput, np.ndarray, np.ndarray, str] | str:
    """Where features and label stand together: in one file, or in a sample and the predictions joined by the row key.

    Returns the file with the features, the label (0/1) and the rows of the file it belongs to, and the label's column name.
    """
    reasons = []
    for role in ("reference_sample", "current_sample", "explanation_sample"):
        evidence = inputs.evidence.get(role)
        if evidence is None:
            continue
        name = evidence.columns.get("label")
        if isinstance(name, str):
            at = _spread(tables.inspect(evidence).rows)
            label, why = _binary(_column(evidence, name, at))
            if label is not None:
                return evidence, label[0], at[label[1]], name
            reasons.append(f"{evidence.name}: {why}")
            continue
        joined = _joined(inputs, evidence)
        if joined is not None:
            return joined
    return " ".join(reasons) or (
        "No file holds features and labels together: map columns.label in the reference sample, or columns.id in the "
        "explanation sample and the predictions."
    )


def _joined(inputs: Inputs, evidence: EvidenceInput) -> tuple[EvidenceInput, np.ndarray, np.ndarray, str] | None:
    predictions = inputs.evidence.get("candidate_predictions")
    if predictions is None:
        return None
    key, other, name = evidence.columns.get("id"), predictions.columns.get("id"), predictions.columns.get("label")
    if not (isinstance(key, str) and isinstance(other, str) and isinstance(name, str)):
        return None
    at = _spread(tables.inspect(evidence).rows)
    wanted = _column(evidence, key, at).cast(pa.string())
    table = tables.load(predictions, [other, name])
    labels, _ = _binary(pa.array(table[name], from_pandas=True))
    if labels is None:
        return None
    keys = np.asarray(table[other]).astype(str)[labels[1]]
    order = np.argsort(keys, kind="stable")
    ours = np.asarray(wanted.fill_null(""), dtype=object).astype(str)
    place = np.minimum(np.searchsorted(keys[order], ours), len(keys) - 1)
    hit = keys[order][place] == ours
    return (evidence, labels[0][order][place][hit], at[hit], name) if hit.any() else None


def _spread(rows: int) -> np.ndarray:
    """Evenly spaced row numbers, at most `ROWS` of them."""
    return np.arange(rows) if rows <= ROWS else np.unique(np.linspace(0, rows - 1, ROWS).astype(np.int64))


def _column(evidence: EvidenceInput, name: str, at: np.ndarray) -> pa.Array:
    """The named rows of one column, streamed."""
    parts, start = [], 0
    for batch in tables.iter_batches(evidence, [name]):
        inside = at[(at >= start) & (at < start + batch.num_rows)] - start
        if len(inside):
            column = batch.column(0)
            if pa.types.is_dictionary(column.type):
                column = column.cast(pa.string())
            parts.append(column.take(pa.array(inside)))
        start += batch.num_rows
    return pa.concat_arrays(parts) if len(parts) > 1 else parts[0]


def _binary(column: pa.Array) -> tuple[tuple[np.ndarray, np.ndarray] | None, str]:
    """0/1 labels with the places that have one; the larger (or later) of two values is 1."""
    present = np.flatnonzero(np.asarray(column.is_valid()))
    kept = column.take(pa.array(present))
    values = pc.unique(kept).to_pylist()
    if len(values) != 2:
        return None, f"the label has {len(values):,} values; a single feature is set against labels of two classes."
    top = max(values, key=lambda value: (str(type(value)), value))
    return (np.asarray(pc.equal(kept, pa.scalar(top, kept.type)), dtype=bool).astype(np.int8), present), ""


def _one(evidence: EvidenceInput, feature: str, at: np.ndarray, label: np.ndarray, halves: np.ndarray, level: float) -> Alone:
    column = _column(evidence, feature, at)
    there = np.asarray(column.is_valid())
    kind = tables.inspect(evidence).kind(feature)
    if kind in ("integer", "number", "boolean"):
        values = np.asarray(column.cast(pa.float64(), safe=False).fill_null(float("nan")), dtype=np.float64)
        there &= np.isfinite(values)
        score, how = values, "rank"
    elif kind == "text":
        score, how = _levels(column, label, halves), "category"
    else:
        return Alone(feature, None, reason="times are not set against the label")
    best: Alone | None = None
    if (~there).sum() > 0 and min(int((~there).sum()), int(there.sum())) >= MIN_CLASS:
        best = _auc(feature, label, (~there).astype(float), "whether it is missing", level)
    kept_label, kept_score = label[there], score[there]
    rarer = min(int(kept_label.sum()), int((1 - kept_label).sum())) if len(kept_label) else 0
    if rarer >= MIN_CLASS and kept_score.min() < kept_score.max():
        present = _auc(feature, kept_label, kept_score, how, level)
        best = present if best is None or (present.auc or 0) >= (best.auc or 0) else best
    return best or Alone(feature, None, reason="is constant or too often missing to be set against the label")


def _auc(feature: str, label: np.ndarray, score: np.ndarray, how: str, level: float) -> Alone:
    found = delong(label, score).interval(level=level)
    if found.value < 0.5:
        return Alone(feature, 1 - found.value, 1 - found.high, 1 - found.low, len(label), how, level)
    return Alone(feature, found.value, found.low, found.high, len(label), how, level)


def _levels(column: pa.Array, label: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """Each row's category as the share of positives that it has in the other half of the rows, drawn to the mean when rare."""
    encoded = column.cast(pa.string()).dictionary_encode()
    code = np.asarray(encoded.indices.fill_null(len(encoded.dictionary)), dtype=np.int64)
    size = len(encoded.dictionary) + 1
    score = np.empty(len(label))
    for side in (True, False):
        others, own = halves != side, halves == side
        mean = float(label[others].mean()) if others.any() else 0.5
        hits = np.bincount(code[others], weights=label[others], minlength=size)
        rows = np.bincount(code[others], minlength=size)
        score[own] = ((hits + SMOOTHING * mean) / (rows + SMOOTHING))[code[own]]
    return score
