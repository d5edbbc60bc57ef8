"""Which rows are explained: a seeded sample, stratified by decision, and what was decided about each row.

A decision is read from the submitted predictions where they have the row, else from the score and the decision threshold.
Sampling is
proportional, so that shares need no weights; every decision that occurs keeps at least one row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.collecting import EvidenceInput, Inputs
from gates.metrics.explanations_models_impl import Explained
from gates.readers import tables
from gates.readers.models import OpenedModel

POOL = 50_000  # rows whose decision is looked at before sampling
_WORDS = {
    "credit": ("declined", "granted"),
    "fraud": ("stopped", "let through"),
    "hiring": ("turned down", "put forward"),
    "insurance": ("declined", "accepted"),
    "health": ("flagged", "not flagged"),
    "content_moderation": ("removed", "kept"),
    "pricing": ("given the higher price", "given the lower price"),
}


@dataclass(frozen=True)
class Decided:
    """What was decided about each explained row. `adverse` is True where it went against the person; `how` says where from."""

    keys: np.ndarray
    score: np.ndarray
    adverse: np.ndarray | None
    groups: np.ndarray
    how: str
    against: str
    for_them: str

    def words(self, at: int) -> str:
        """ "declined" or "granted", in the words of the domain; "" when no decision is known."""
        if self.adverse is None:
            return ""
        return self.against if self.adverse[at] else self.for_them


def adverse_sign(inputs: Inputs) -> int:
    """1 when a high score is bad for the person, -1 when a low one is (fact `decision.adverse_score`)."""
    return -1 if inputs.facts.get("decision.adverse_score") == "low" else 1


def stratified(total: int, wanted: int, seed: int, decided: np.ndarray | None, pool: np.ndarray) -> np.ndarray:
    """Row numbers in order: all, or a sample without replacement, proportional to the decisions among `pool`."""
    if total <= wanted:
        return np.arange(total)
    generator = np.random.default_rng(seed)
    if decided is None:
        return np.sort(generator.choice(pool, min(wanted, len(pool)), replace=False))
    chosen = []
    kinds, counts = np.unique(decided, return_counts=True)
    left = wanted
    for at in np.argsort(counts, kind="stable"):  # the rarest first: it keeps at least one row
        share = max(1, round(wanted * counts[at] / counts.sum()))
        take = min(share, counts[at], left) if at != int(np.argmax(counts)) else min(left, counts[at])
        chosen.append(generator.choice(pool[decided == kinds[at]], take, replace=False))
        left -= take
    return np.sort(np.concatenate(chosen))


def pool_of(total: int, seed: int) -> np.ndarray:
    """The rows to sample from: all of them, or so many that knowing their decisions costs seconds."""
    if total <= POOL:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed + 7).choice(total, POOL, replace=False))


def side(inputs: Inputs, model: OpenedModel, margin: np.ndarray) -> np.ndarray | None:
    """The decision the model takes by itself: score at or above the threshold; None when no threshold is known."""
    return by_threshold(inputs, probability(margin, model.scale), model.scale)


def by_threshold(inputs: Inputs, score: np.ndarray, scale: str) -> np.ndarray | None:
    """1 at or above the decision threshold (0.5 for probabilities where none is stated)."""
    given = inputs.facts.get("model.decision_threshold")
    limit = float(given) if isinstance(given, int | float) and not isinstance(given, bool) else None
    if limit is None:
        limit = 0.5 if scale == "log-odds" else None
    return None if limit is None else np.asarray(score >= limit, dtype=int)


def probability(margin: np.ndarray, scale: str) -> np.ndarray:
    """The score as people see it."""
    return np.asarray(1 / (1 + np.exp(-margin)) if scale == "log-odds" else margin)


def decided_on(inputs: Inputs, explained: Explained, keys: np.ndarray, role: str, sample: EvidenceInput | None) -> Decided:
    """Keys, scores, decisions and groups of the explained rows; `role`: the predictions of this version."""
    score = probability(explained.margin, explained.scale)
    predictions = inputs.evidence.get(role)
    decision, how = by_threshold(inputs, score, explained.scale), "the score and the decision threshold"
    submitted = _submitted(predictions, keys)
    if submitted is not None and np.isfinite(submitted).all():
        decision, how = submitted.astype(int), "the submitted predictions"
    bad = 1 if adverse_sign(inputs) > 0 else 0
    words = _WORDS.get(str(inputs.facts.get("decision.domain")), ("decided against", "decided for"))
    adverse = None if decision is None else np.asarray(decision == bad)
    return Decided(keys, score, adverse, _groups(predictions, sample, keys, explained), how, *words)


def keys_of(sample: EvidenceInput | None, explained: Explained) -> np.ndarray:
    """The submitter's own row keys where the sample has them, else row numbers counted from 1."""
    if explained.ids is None:
        return np.arange(1, len(explained.matrix) + 1).astype(str)
    if sample is None:
        return explained.ids
    key = sample.columns.get("id")
    at = explained.ids.astype(int)
    if not isinstance(key, str) or key not in tables.inspect(sample).names:
        return np.asarray((at + 1).astype(str))
    return np.asarray(np.asarray(tables.load(sample, [key])[key]).astype(str)[at])


def _submitted(predictions: EvidenceInput | None, keys: np.ndarray) -> np.ndarray | None:
    """The 0/1 decisions of the predictions for these keys; NaN where the file has no such row, None without usable columns."""
    if predictions is None:
        return None
    key, column = predictions.columns.get("id"), predictions.columns.get("prediction")
    info = tables.inspect(predictions)
    if not isinstance(key, str) or not isinstance(column, str) or not {key, column} <= set(info.names):
        return None
    if info.kind(column) not in tables.NUMERIC:
        return None
    table = tables.load(predictions, [key, column])
    values = tables.numbers(predictions, table, column)
    if not np.isin(values[np.isfinite(values)], (0, 1)).all():
        return None
    known = dict(zip(np.asarray(table[key]).astype(str).tolist(), values.tolist(), strict=True))
    return np.array([known.get(value, np.nan) for value in keys.tolist()])


def _groups(
    predictions: EvidenceInput | None, sample: EvidenceInput | None, keys: np.ndarray, explained: Explained
) -> np.ndarray:
    """`sex=female` for each row from the first sensitive column of the predictions, else of the sample; "" where there is
    none.
    """
    for evidence in (predictions, sample):
        sensitive = evidence.columns.get("sensitive") if evidence is not None else None
        name = sensitive if isinstance(sensitive, str) else next(iter(sensitive or ()), None)
        if evidence is None or not isinstance(name, str) or name not in tables.inspect(evidence).names:
            continue
        key = evidence.columns.get("id")
        if evidence is sample and explained.ids is not None and explained.method != "uploaded":
            values = np.asarray(tables.load(evidence, [name])[name]).astype(str)[explained.ids.astype(int)]
            return np.array([f"{name}={value}" for value in values])
        if isinstance(key, str) and key in tables.inspect(evidence).names:
            table = tables.load(evidence, [key, name])
            known = dict(
                zip(np.asarray(table[key]).astype(str).tolist(), np.asarray(table[name]).astype(str).tolist(), strict=True)
            )
            return np.array([f"{name}={known[key]}" if key in known else "" for key in keys.tolist()])
    return np.full(len(keys), "")
