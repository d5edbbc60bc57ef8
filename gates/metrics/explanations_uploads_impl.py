"""Attributions computed by the submitter: a row key, one column per feature, a base value. No model is opened on this way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.metrics.explanations_models_impl import Explained
from gates.metrics.reason_codes_file_impl import stands_for
from gates.readers import tables
from gates.readers.models import log_odds

BASE_NAMES = ("base_value", "base", "expected_value", "bias", "base_values")


def read(evidence: EvidenceInput, predictions: EvidenceInput | None, features: Iterable[str] = ()) -> Explained:
    """Read one matrix and check that base + sum gives the submitted score (log-odds or as it is).

    The score comes from the matrix's own `score` column, else from `predictions` joined on the row key; without either the
    check is not made and a note says so. `features`: the declared ones; one-hot columns are summed back to theirs.
    EvidenceProblem for missing key or base, other features, NaN, all zero, doubled keys, rows outside of the evaluation set.
    """
    whole = _Matrix(evidence, features, "")
    return whole.explained(np.ones(whole.rows, dtype=bool), predictions)


def read_runs(evidence: EvidenceInput, column: str, features: Iterable[str] = ()) -> Mapping[str, Explained]:
    """Several matrices in one file, told apart by `column`. EvidenceProblem as in `read`, and when the column is missing."""
    tables.require(evidence, tables.inspect(evidence), [column])
    whole = _Matrix(evidence, features, column)
    names, at = np.unique(whole.runs, return_inverse=True)
    return {str(name): whole.explained(at == number, None) for number, name in enumerate(names)}


class _Matrix:
    """The columns of one file, checked."""

    def __init__(self, evidence: EvidenceInput, features: Iterable[str], run: str) -> None:
        self.evidence = evidence
        info = tables.inspect(evidence)
        key, base = _key_and_base(evidence, info.names)
        score = evidence.columns.get("score") if isinstance(evidence.columns.get("score"), str) else None
        others = {key, base, run}
        others |= {str(evidence.columns[role]) for role in ("score", "label", "prediction", "run") if evidence.columns.get(role)}
        mapped = evidence.columns.get("features")
        columns = [str(name) for name in mapped] if isinstance(mapped, list | tuple) and mapped else []
        columns = columns or [name for name in info.names if name not in others]
        if not columns:
            raise EvidenceProblem(
                file=evidence.name, expected="one column for each feature", found="none", way_out="Upload the whole matrix."
            )
        table = tables.load(evidence, [key, base, *columns, *([score] if score else []), *([run] if run else [])])
        matrix = np.column_stack([tables.numbers(evidence, table, name) for name in columns])
        self.base = tables.numbers(evidence, table, base)
        _finite(evidence, (*columns, base), (*matrix.T, self.base))
        if not np.abs(matrix).max(initial=0):
            raise EvidenceProblem(
                file=evidence.name,
                expected="attributions",
                found="zeros only",
                way_out="Upload the matrix of the model you submit.",
            )
        self.names, self.matrix, self.notes = _by_feature(evidence, columns, matrix, [str(name) for name in features])
        self.ids = np.asarray(table[key]).astype(str)
        self.key = key
        self.scores = np.asarray(table[score], dtype=float) if score else None
        self.runs = np.asarray(table[run]).astype(str) if run else np.zeros(len(self.ids))
        self.rows = len(self.ids)

    def explained(self, which: np.ndarray, predictions: EvidenceInput | None) -> Explained:
        """The rows of `which` as one explanation."""
        ids, matrix, base = self.ids[which], self.matrix[which], self.base[which]
        if len(np.unique(ids)) != len(ids):
            raise EvidenceProblem(
                file=self.evidence.name,
                column=self.key,
                expected="each row key once",
                found=f"{len(ids) - len(np.unique(ids))} doubled",
                way_out="Remove the doubled rows.",
            )
        scores = self.scores[which] if self.scores is not None else _joined(self.evidence, predictions, ids)
        margin, scale, notes = _nearest(base + matrix.sum(axis=1), scores)
        return Explained(self.names, matrix, base, margin, scale, ids, "uploaded", [*self.notes, *notes])


def _key_and_base(evidence: EvidenceInput, names: Sequence[str]) -> tuple[str, str]:
    key, base = evidence.columns.get("id"), evidence.columns.get("base")
    if not isinstance(key, str):
        key = next((name for name in names if name.lower() in ("id", "row_id", "key", "case_id")), None)
    if not isinstance(base, str):
        base = next((name for name in names if name.lower() in BASE_NAMES), None)
    if key is None or base is None:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a row key and a base value beside the features",
            found="no " + " and no ".join(word for word, value in (("row key", key), ("base value", base)) if value is None),
            way_out="Name them in the column mapping (columns.id, columns.base), or call the columns id and base_value.",
        )
    return key, base


def _finite(evidence: EvidenceInput, names: Sequence[str], columns: Sequence[np.ndarray]) -> None:
    for name, column in zip(names, columns, strict=True):
        if not np.isfinite(column).all():
            raise EvidenceProblem(
                file=evidence.name,
                column=name,
                expected="a finite attribution in every row",
                found="missing, NaN or infinite values",
                way_out="Write 0 where a feature had no part in the score.",
            )


def _by_feature(
    evidence: EvidenceInput, columns: Sequence[str], matrix: np.ndarray, features: Sequence[str]
) -> tuple[tuple[str, ...], np.ndarray, list[str]]:
    """One column per declared feature: one-hot columns are summed back, which attributions allow; odd columns are refused."""
    if not features:
        return tuple(columns), matrix, []
    owner = {name: name if name in features else next((f for f in features if stands_for(name, f)), "") for name in columns}
    odd = [name for name, of in owner.items() if not of]
    if odd and len(odd) * 2 >= len(columns):
        raise EvidenceProblem(
            file=evidence.name,
            column=odd[0],
            expected=f"the declared features ({', '.join(features[:6])}{' …' if len(features) > 6 else ''})",
            found=f"{len(odd)} columns of other names",
            way_out="Name the columns after the features of the model, or list them in columns.features.",
        )
    if odd:
        raise EvidenceProblem(
            file=evidence.name,
            column=odd[0],
            expected="a feature that the model declares",
            found=f"{len(odd)} columns that are none ({', '.join(odd[:4])})",
            way_out="Remove them, or name them in the column mapping if they are score, label or key.",
        )
    names = tuple(dict.fromkeys(owner[name] for name in columns))
    summed = np.column_stack(
        [matrix[:, [at for at, name in enumerate(columns) if owner[name] == of]].sum(axis=1) for of in names]
    )
    parts = sorted({of for of in names if sum(owner[name] == of for name in columns) > 1})
    return names, summed, [f"One-hot columns were summed back to their features: {', '.join(parts[:10])}."] if parts else []


def _joined(evidence: EvidenceInput, predictions: EvidenceInput | None, ids: np.ndarray) -> np.ndarray | None:
    """The submitted scores of these rows. EvidenceProblem when most rows are not in the predictions at all."""
    scores = scores_of(predictions, ids)
    if scores is None or predictions is None:
        return scores
    known = int(np.isfinite(scores).sum())
    if known * 2 < len(ids):
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"rows of the evaluation set ({predictions.name})",
            found=f"{known} of {len(ids)} keys are there",
            way_out="Explain rows of the evaluation set and give both files the same row keys.",
        )
    return scores


def scores_of(predictions: EvidenceInput | None, ids: np.ndarray) -> np.ndarray | None:
    """The submitted score by row key, NaN for keys the file does not have; None without key or score column."""
    if (
        predictions is None
        or not isinstance(predictions.columns.get("id"), str)
        or not isinstance(predictions.columns.get("score"), str)
    ):
        return None
    key, score = str(predictions.columns["id"]), str(predictions.columns["score"])
    table = tables.load(predictions, [key, score])
    known: dict[str, Any] = dict(
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


def why_not_additive(explained: Explained, limit: float) -> str:
    """What a difference between base + sum and the score usually means, from its shape; "" when there is none."""
    gap = explained.base + explained.matrix.sum(axis=1) - explained.margin
    if np.abs(gap).max() <= limit:
        return ""
    if gap.std() <= 0.05 * abs(float(gap.mean())):
        return (
            f"the same amount ({gap.mean():+.3g}) is missing in every row: the base value is another model's, or on another scale"
        )
    total = explained.margin + gap
    alike = float(np.corrcoef(total, explained.margin)[0, 1]) if total.std() > 0 and explained.margin.std() > 0 else 0.0
    if alike > 0.9:
        return (
            "sum and score go together but differ row by row: another number of trees (early stopping), log-odds against "
            "probability, or a column that is missing"
        )
    return "sum and score have little to do with each other: the row keys are shifted, or it is another model"


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
        ids = one.ids[at] if one.ids is not None else None
        return Explained(one.names, one.matrix[at], one.base[at], one.margin[at], one.scale, ids, one.method, one.notes)

    return cut(candidate, first), cut(champion, second)
