"""Predictions of one model, checked, and two models paired by row id.

Never by position: the files of one pair often come in different row order, and joining by position invents decision flips.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import tables
from gates.readers.tables import Table

MISMATCH_SHARE = 0.001


@dataclass(frozen=True)
class Predictions:
    """One model's rows. Absent columns are None.

    `label` and `decision`: 0/1 as float64 (`label` any number when read with `continuous=True`), `label` NaN where missing;
    `score`: float64; `weight`: float64; `ids`: Arrow array of int64 or text, distinct and without nulls.
    """

    evidence: EvidenceInput
    rows: int
    ids: pa.Array | None = None
    label: np.ndarray | None = None
    decision: np.ndarray | None = None
    score: np.ndarray | None = None
    weight: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def take(self, index: np.ndarray) -> Predictions:
        """The rows at `index`, in that order."""

        def picked(column: np.ndarray | None) -> np.ndarray | None:
            return None if column is None else column[index]

        return replace(
            self,
            rows=len(index),
            ids=None if self.ids is None else self.ids.take(pa.array(index)),
            label=picked(self.label),
            decision=picked(self.decision),
            score=picked(self.score),
            weight=picked(self.weight),
        )

    def labelled(self) -> Predictions:
        """Only the rows that have a label."""
        if self.label is None:
            return self
        known = ~np.isnan(self.label)
        return self if bool(known.all()) else self.take(np.flatnonzero(known))

    def digest(self) -> str:
        """`sha256:…` of the evaluation set: ids with labels, whatever the row order. Empty without ids and labels."""
        if self.ids is None or self.label is None:
            return ""
        order = pc.sort_indices(self.ids)
        ordered = self.ids.take(order)
        content = hashlib.sha256()
        if pa.types.is_integer(ordered.type):
            content.update(np.asarray(ordered).astype("<i8").tobytes())
        else:
            content.update("\n".join(ordered.to_pylist()).encode())
        content.update(self.label[np.asarray(order)].astype("<f8").tobytes())
        return f"sha256:{content.hexdigest()}"


@dataclass(frozen=True)
class Pair:
    """Candidate and champion on the same rows in the same order (`label` of the candidate's file).

    `identical`: every score and decision is equal. `notes`: sentences for the reader.
    """

    candidate: Predictions
    baseline: Predictions
    identical: bool
    notes: tuple[str, ...] = ()


def column_of(evidence: EvidenceInput, role: str) -> str:
    """The column mapped to a role (`label`, `score`, …), or "" when the mapping has none."""
    value = evidence.columns.get(role) or ""
    return value if isinstance(value, str) else ""


def columns_of(evidence: EvidenceInput, role: str) -> tuple[str, ...]:
    """The columns mapped to a role that may have several (`sensitive`, `features`)."""
    value: Any = evidence.columns.get(role) or ()
    return (value,) if isinstance(value, str) else tuple(value)


def read(evidence: EvidenceInput, *, threshold: float | None = None, continuous: bool = False) -> Predictions:
    """Read and check the mapped columns of a predictions file. Raises EvidenceProblem with the way out.

    `threshold`: score at or above which the decision is 1; used where the file has no decision, checked where it has both.
    `continuous`: labels and predictions are numbers (regression); `decision` then stays None and `score` holds the prediction.
    """
    mapped = {role: column_of(evidence, role) for role in ("id", "label", "prediction", "score", "weight")}
    if not mapped["prediction"] and not mapped["score"]:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a column mapping with `prediction` or `score`",
            found="neither" if evidence.columns else "no column mapping",
            way_out="Say which column holds the decision, the score, the label and the row id.",
        )
    table = tables.load(evidence, [column for column in mapped.values() if column])
    notes: list[str] = []
    ids = _ids(evidence, table, mapped["id"]) if mapped["id"] else None
    weight = _weights(evidence, table, mapped["weight"]) if mapped["weight"] else None
    label = decision = score = None
    if mapped["label"]:
        label = (
            tables.numbers(evidence, table, mapped["label"]) if continuous else binary(evidence, table, mapped["label"], "label")
        )
        if continuous and np.isinf(label).any():
            raise _bad_numbers(evidence, mapped["label"], "finite numbers", int(np.isinf(label).sum()), len(label))
        without = int(np.isnan(label).sum())
        if without:
            notes.append(
                f"{without:,} of {len(label):,} rows in {evidence.name} have no label and are left out where one is needed."
            )
    if continuous:
        score = _finite(evidence, table, mapped["prediction"] or mapped["score"])
        return Predictions(evidence, table.rows, ids, label, None, score, weight, tuple(notes))
    if mapped["score"]:
        score = _scores(evidence, table, mapped["score"])
    if mapped["prediction"]:
        decision = binary(evidence, table, mapped["prediction"], "decision")
        missing = int(np.isnan(decision).sum())
        if missing:
            raise _bad_numbers(evidence, mapped["prediction"], "a decision in every row", missing, len(decision), "missing")
    if score is not None and threshold is not None:
        implied = (score >= threshold).astype(np.float64)
        if decision is None:
            decision = implied
            notes.append(f"{evidence.name} has no decisions: score >= {threshold:g} counts as 1.")
        else:
            _check_threshold(evidence, mapped["prediction"], decision, implied, threshold)
    return Predictions(evidence, table.rows, ids, label, decision, score, weight, tuple(notes))


def pair(candidate: Predictions, baseline: Predictions) -> Pair:
    """Put the champion's rows beside the candidate's, by id. Raises EvidenceProblem when the two are not comparable."""
    for side in (candidate, baseline):
        if side.ids is None:
            raise EvidenceProblem(
                file=side.evidence.name,
                expected="an `id` column, to compare the same cases",
                found="none in the column mapping",
                way_out="Add the case id to both files and map it as `id`; row order is never used.",
            )
    same_file = candidate.evidence.sha256 and candidate.evidence.sha256 == baseline.evidence.sha256
    if same_file and all(
        column_of(candidate.evidence, role) == column_of(baseline.evidence, role) for role in ("prediction", "score")
    ):
        raise EvidenceProblem(
            file=baseline.evidence.name,
            expected="the champion's predictions",
            found="the candidate's own file again (same content, same columns)",
            way_out="Upload the predictions of the version in production on the same rows.",
        )
    left, right = candidate.ids, baseline.ids
    assert left is not None and right is not None
    if left.type != right.type:
        left, right = left.cast(pa.string()), right.cast(pa.string())
    at = pc.index_in(left, value_set=right)
    lonely = left.filter(pc.is_null(at))
    other = right.filter(pc.invert(pc.is_in(right, value_set=left)))
    if len(lonely) or len(other):
        raise EvidenceProblem(
            file=baseline.evidence.name,
            column=column_of(baseline.evidence, "id"),
            expected=f"the {len(left):,} ids of {candidate.evidence.name}",
            found=(
                f"{len(left) - len(lonely):,} of them; {len(lonely):,} ids only in {candidate.evidence.name}{_examples(lonely)}, "
                f"{len(other):,} only in {baseline.evidence.name}{_examples(other)}"
            ),
            way_out="Score both versions on exactly the same cases.",
        )
    ordered = baseline.take(np.asarray(at))
    notes: list[str] = []
    if candidate.label is not None and ordered.label is not None:
        differ = ~((candidate.label == ordered.label) | (np.isnan(candidate.label) & np.isnan(ordered.label)))
        if differ.any():
            raise EvidenceProblem(
                file=baseline.evidence.name,
                column=column_of(baseline.evidence, "label"),
                expected=f"the labels of {candidate.evidence.name} for the same ids",
                found=f"{int(differ.sum()):,} of {len(differ):,} labels that differ",
                way_out="Take the labels of both files from the same source.",
            )
    elif candidate.label is not None:
        notes.append(f"{baseline.evidence.name} has no labels: those of {candidate.evidence.name} are used for the same ids.")
    ordered = replace(ordered, label=candidate.label, weight=candidate.weight)
    identical = equal_values(candidate.score, ordered.score) and equal_values(candidate.decision, ordered.decision)
    return Pair(candidate, ordered, identical, tuple(notes))


def mask(value: object) -> str:
    """An id as it may be shown in a message: its first character and its length."""
    text = str(value)
    return f"{text[:1]}…({len(text)})"


def _examples(values: pa.Array) -> str:
    return f" (such as {', '.join(mask(value) for value in values.slice(0, 2).to_pylist())})" if len(values) else ""


def equal_values(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Whether two columns hold the same, or are both absent."""
    return (a is None and b is None) or (a is not None and b is not None and bool(np.array_equal(a, b)))


def _ids(evidence: EvidenceInput, table: Table, column: str) -> pa.Array:
    missing = int(table.missing[column].sum())
    if missing:
        raise _bad_numbers(evidence, column, "an id in every row", missing, table.rows, "missing")
    values = table[column]
    ids = pa.array(values if values.dtype == np.int64 else values.astype(str) if values.dtype != object else values)
    distinct = pc.count_distinct(ids).as_py()
    if distinct < len(ids):
        counts = pc.value_counts(ids)
        double = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected="each id once",
            found=f"{len(double):,} ids more than once in {len(ids):,} rows{_examples(double)}",
            way_out="Keep one row per case, or map the column that tells the rows apart.",
        )
    return ids


def _weights(evidence: EvidenceInput, table: Table, column: str) -> np.ndarray:
    weight = _finite(evidence, table, column)
    negative = int((weight < 0).sum())
    if negative or not weight.sum() > 0:
        raise _bad_numbers(evidence, column, "weights of zero or more", negative or len(weight), len(weight))
    return weight


def _finite(evidence: EvidenceInput, table: Table, column: str) -> np.ndarray:
    values = tables.numbers(evidence, table, column)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise _bad_numbers(evidence, column, "finite numbers", bad, len(values), "missing, NaN or infinite")
    return values


def _scores(evidence: EvidenceInput, table: Table, column: str) -> np.ndarray:
    score = tables.numbers(evidence, table, column)
    for bad, words in (
        (np.isnan(score), "missing or NaN"),
        (np.isinf(score), "infinite"),
    ):
        if bad.any():
            raise _bad_numbers(evidence, column, "a score in every row", int(bad.sum()), len(score), words)
    outside = (score < 0) | (score > 1)
    if outside.any():
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected="scores from 0 to 1",
            found=f"{int(outside.sum()):,} of {len(score):,} outside (from {score.min():.4g} to {score.max():.4g})",
            way_out="Write probabilities: log-odds, margins and percentages have to be turned into 0 to 1.",
        )
    return score


def binary(evidence: EvidenceInput, table: Table, column: str, what: str) -> np.ndarray:
    """0/1 as float64 with NaN where missing. `positive` in the column mapping names the value that counts as 1."""
    values, missing = table[column], table.missing[column]
    positive = evidence.columns.get("positive")
    kind = table.info.kind(column)
    if positive is not None and not (kind in tables.NUMERIC and _is_zero_one(values)):
        text = np.array([None if gone else _plain(value) for value, gone in zip(values, missing, strict=True)], dtype=object)
        levels = sorted({value for value in text if value is not None})
        if len(levels) > 2 or str(positive) not in levels:
            raise not_binary(evidence, column, what, levels, f"two values, one of them “{positive}”")
        return np.where(missing, np.nan, (text == str(positive)).astype(np.float64))
    if kind in tables.NUMERIC:
        numeric = np.asarray(values, dtype=np.float64)
        if _is_zero_one(values):
            return numeric
        levels = [_plain(value) for value in np.unique(numeric[~np.isnan(numeric)])[:6]]
        if what == "decision" and bool(((numeric >= 0) & (numeric <= 1)).all()):
            raise EvidenceProblem(
                file=evidence.name,
                column=column,
                expected="decisions 0 or 1",
                found=f"numbers between 0 and 1 such as {levels[1] if len(levels) > 1 else levels[0]}",
                way_out="Map this column as `score`, and give decisions or a threshold.",
            )
        raise not_binary(evidence, column, what, levels, "0 and 1")
    levels = sorted({str(value) for value in values if value is not None})
    raise not_binary(evidence, column, what, levels, "0 and 1", table.info.oddities.get(column, ""))


def _is_zero_one(values: np.ndarray) -> bool:
    numeric = np.asarray(values, dtype=np.float64)
    return bool(((numeric == 0) | (numeric == 1) | np.isnan(numeric)).all())


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def not_binary(
    evidence: EvidenceInput, column: str, what: str, levels: Sequence[str], expected: str, odd: str = ""
) -> EvidenceProblem:
    shown = ", ".join(str(level)[:20] for level in levels[:5]) + (", …" if len(levels) > 5 else "")
    return EvidenceProblem(
        file=evidence.name,
        column=column,
        expected=f"{what}s {expected}",
        found=odd or (shown if levels else "no value at all"),
        way_out="Write 0 and 1, or name the value that counts as 1 as `positive` in the column mapping.",
    )


def _bad_numbers(
    evidence: EvidenceInput, column: str, expected: str, bad: int, rows: int, words: str = "outside that"
) -> EvidenceProblem:
    return EvidenceProblem(
        file=evidence.name,
        column=column,
        expected=expected,
        found=f"{bad:,} of {rows:,} rows {words}",
        way_out="Mend or remove these rows, and say so in the description of the evaluation set.",
    )


def _check_threshold(evidence: EvidenceInput, column: str, decision: np.ndarray, implied: np.ndarray, threshold: float) -> None:
    differ = int((decision != implied).sum())
    if differ > MISMATCH_SHARE * len(decision):
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected=f"decisions that follow from score >= {threshold:g}",
            found=f"{differ:,} of {len(decision):,} that do not",
            way_out="Correct the decision threshold in the answers, or the decisions in the file.",
        )
