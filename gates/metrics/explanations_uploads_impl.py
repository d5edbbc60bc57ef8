"""Attributions computed by the submitter: a row key, one column per feature, a base value. No model is opened on this way."""

from __future__ import annotations

import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.metrics.explanations_models_impl import Explained
from gates.readers import tables
from gates.readers.models import log_odds

BASE_NAMES = ("base_value", "base", "expected_value", "bias", "base_values")


def read(evidence: EvidenceInput, predictions: EvidenceInput | None) -> Explained:
    """Read one matrix and check that base + sum gives the submitted score (log-odds or as it is).

    The score comes from the matrix's own `score` column, else from `predictions` joined on the row key; without either the
    check is not made and a note says so. EvidenceProblem for missing key or base, NaN, all zero, doubled keys.
    """
    info = tables.inspect(evidence)
    key, base = evidence.columns.get("id"), evidence.columns.get("base")
    if not isinstance(key, str):
        key = next((name for name in info.names if name.lower() in ("id", "row_id", "key", "case_id")), None)
    if not isinstance(base, str):
        base = next((name for name in info.names if name.lower() in BASE_NAMES), None)
    if key is None or base is None:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a row key and a base value beside the features",
            found="no " + " and no ".join(word for word, value in (("row key", key), ("base value", base)) if value is None),
            way_out="Name them in the column mapping (columns.id, columns.base), or call the columns id and base_value.",
        )
    others = {
        key,
        base,
        *(
            str(evidence.columns[role])
            for role in ("score", "label", "prediction")
            if isinstance(evidence.columns.get(role), str)
        ),
    }
    mapped = evidence.columns.get("features")
    names = (
        tuple(str(name) for name in mapped)
        if isinstance(mapped, list | tuple) and mapped
        else tuple(n for n in info.names if n not in others)
    )
    score_column = evidence.columns.get("score") if isinstance(evidence.columns.get("score"), str) else None
    table = tables.load(evidence, [key, base, *names, *([score_column] if score_column else [])])
    matrix = np.column_stack([tables.numbers(evidence, table, name) for name in names])
    bases = tables.numbers(evidence, table, base)
    for name, column in zip((*names, base), (*matrix.T, bases), strict=True):
        if not np.isfinite(column).all():
            raise EvidenceProblem(
                file=evidence.name,
                column=name,
                expected="a finite attribution in every row",
                found="missing, NaN or infinite values",
                way_out="Write 0 where a feature had no part in the score.",
            )
    if not np.abs(matrix).max(initial=0):
        raise EvidenceProblem(
            file=evidence.name, expected="attributions", found="zeros only", way_out="Upload the matrix of the model you submit."
        )
    ids = np.asarray(table[key]).astype(str)
    if len(np.unique(ids)) != len(ids):
        raise EvidenceProblem(
            file=evidence.name,
            column=key,
            expected="each row key once",
            found=f"{len(ids) - len(np.unique(ids))} doubled",
            way_out="Remove the doubled rows.",
        )
    total = bases + matrix.sum(axis=1)
    scores = np.asarray(table[score_column], dtype=float) if score_column else scores_of(predictions, ids)
    margin, scale, notes = _nearest(total, scores)
    return Explained(names, matrix, bases, margin, scale, ids, "uploaded", notes)


def scores_of(predictions: EvidenceInput | None, ids: np.ndarray) -> np.ndarray | None:
    if (
        predictions is None
        or not isinstance(predictions.columns.get("id"), str)
        or not isinstance(predictions.columns.get("score"), str)
    ):
        return None
    key, score = str(predictions.columns["id"]), str(predictions.columns["score"])
    table = tables.load(predictions, [key, score])
    known = dict(
        zip(np.asarray(table[key]).astype(str).tolist(), tables.numbers(predictions, table, score).tolist(), strict=True)
    )
    return np.array([known.get(value, np.nan) for value in ids.tolist()])


def _nearest(total: np.ndarray, scores: np.ndarray | None) -> tuple[np.ndarray, str, list[str]]:
    """The submitted score on the scale the matrix adds up to."""
    if scores is None or not np.isfinite(scores).any():
        return total, "score", ["Additivity was not checked: no submitted score for these rows."]
    known = np.isfinite(scores)
    as_odds = np.where(known, log_odds(np.clip(scores, 0, 1)), total)
    as_is = np.where(known, scores, total)
    in_unit = bool(((scores[known] >= 0) & (scores[known] <= 1)).all())
    if in_unit and np.abs(as_odds - total).max() <= np.abs(as_is - total).max():
        return as_odds, "log-odds", []
    return as_is, "score", []


def same_rows(candidate: Explained, champion: Explained, name: str) -> tuple[Explained, Explained]:
    """Both matrices cut to the rows both have, in one order. EvidenceProblem when they share fewer than half."""
    if candidate.ids is None or champion.ids is None:
        raise ValueError("uploaded matrices carry ids")
    shared, first, second = np.intersect1d(candidate.ids, champion.ids, return_indices=True)
    smaller = min(len(candidate.ids), len(champion.ids))
    if len(shared) * 2 < smaller:
        raise EvidenceProblem(
            file=name,
            expected="the same rows in both attribution files",
            found=f"{len(shared)} shared keys of {smaller}",
            way_out="Explain candidate and champion on the same evaluation rows.",
        )

    def cut(one: Explained, at: np.ndarray) -> Explained:
        return Explained(one.names, one.matrix[at], one.base[at], one.margin[at], one.scale, one.ids[at], one.method, one.notes)  # type: ignore[index]

    return cut(candidate, first), cut(champion, second)
