"""The reasons a single person would be given: principal reasons by row, whether each adverse decision has some, what they were
before,
and worked examples in words.

Principal reasons (Regulation B): what pushed the score to the bad end, strongest first, at most four. With a reason-code file the
contributions of all features behind one code count together; without one the feature is the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gates.metrics.explanations_rows_impl import Decided
from gates.metrics.reason_codes_file_impl import ReasonCodes
from gates.metrics.statistics.intervals import wilson
from gates.spec import Measure

MOST_REASONS = 4
MOST_FEATURES = 6
MOST_CHANGED = 8
EXAMPLES = 20


@dataclass(frozen=True)
class Reasons:
    """Principal reasons by row as column numbers of `labels`, -1 where there are fewer; `hidden`: rows whose strongest adverse
    feature
    has no code."""

    labels: tuple[str, ...]
    words: tuple[str, ...]
    top: np.ndarray
    hidden: np.ndarray

    def of(self, row: int) -> list[dict[str, str]]:
        """Code and words of a row's reasons, strongest first."""
        return [{"code": self.labels[at], "words": self.words[at]} for at in self.top[row] if at >= 0]

    def said(self, row: int) -> str:
        """The reasons of a row in one line."""
        return "; ".join(item["words"] for item in self.of(row)) or "no reason"


def principal(names: Sequence[str], attributions: np.ndarray, adverse: int, codes: ReasonCodes | None) -> Reasons:
    """The up to four strongest reasons of every row."""
    toward = adverse * attributions
    if codes is None:
        labels, words = tuple(names), tuple(name.replace("_", " ") for name in names)
        weight, hidden = toward, np.zeros(len(toward), dtype=bool)
    else:
        given = [codes.of(name) for name in names]
        labels = tuple(code.code for code in codes.codes)
        words = tuple(code.words or code.code for code in codes.codes)
        member = np.zeros((len(names), len(labels)))
        for at, code in enumerate(given):
            if code is not None:
                member[at, labels.index(code.code)] = 1.0
        weight = toward @ member
        strongest = toward.argmax(axis=1)
        without = np.array([code is None for code in given])
        hidden = without[strongest] & (toward.max(axis=1) > 0)
    size = np.abs(attributions).sum(axis=1, keepdims=True)
    counts = weight > 1e-9 * np.where(size > 0, size, 1.0)
    order = np.argsort(-np.where(counts, weight, -np.inf), axis=1, kind="stable")[:, :MOST_REASONS]
    top = np.where(np.take_along_axis(counts, order, axis=1), order, -1)
    return Reasons(labels, words, top, hidden)


def coverage(reasons: Reasons, decided: Decided, with_codes: bool) -> Iterable[Measure]:
    """How many adverse decisions got no reason, and how many got none for what weighed most."""
    if decided.adverse is None or not decided.adverse.any():
        why = (
            "No decision is known for the explained rows: state the decision threshold, or attach predictions with the decision."
            if decided.adverse is None
            else "None of the explained rows was decided against the person: add rows with adverse decisions."
        )
        for name in ("adverse", "uncovered", "hidden"):
            yield Measure(f"reason_codes.{name}", None, reason=why)
        return
    rows = np.flatnonzero(decided.adverse)
    none = [at for at in rows if reasons.top[at, 0] < 0]
    hidden = [at for at in rows if reasons.hidden[at]]
    n = len(rows)
    yield Measure("reason_codes.adverse", float(n), n=n, text=decided.how, detail={"codes": with_codes})
    for name, found in (("uncovered", none), ("hidden", hidden)):
        bounds = wilson(len(found), n)
        text = ", ".join(str(decided.keys[at]) for at in found[:8])
        yield Measure(f"reason_codes.{name}", len(found) / n, low=bounds.low, high=bounds.high, n=n, text=text)


def changes(ours: Reasons, theirs: Reasons, now: Decided, before: Decided) -> Iterable[Measure]:
    """Of the people decided against by both versions: whose reasons differ, whose first one does; then some of them in words."""
    if now.adverse is None or before.adverse is None:
        return
    both = np.flatnonzero(now.adverse & before.adverse)
    if not len(both):
        yield Measure("explanation.reason_change_rate", None, reason="No row was decided against the person by both versions.")
        return
    sets = np.array([set(ours.top[at].tolist()) != set(theirs.top[at].tolist()) for at in both])
    first = ours.top[both, 0] != theirs.top[both, 0]
    for name, hits in (("reason_change_rate", sets), ("first_reason_change_rate", first)):
        bounds = wilson(int(hits.sum()), len(both))
        yield Measure(f"explanation.{name}", float(hits.mean()), low=bounds.low, high=bounds.high, n=len(both))
    turned = np.flatnonzero(now.adverse & ~before.adverse)
    for at in [*both[first][: MOST_CHANGED - 2], *turned[:2]]:
        yield Measure(
            "explanation.changed_case", float(now.score[at]), f"case={now.keys[at]}", text=told(ours, theirs, now, before, at)
        )


def told(ours: Reasons, theirs: Reasons, now: Decided, before: Decided, at: int) -> str:
    """ "Case 1041: was declined for X, now for Y." """
    head = f"Case {now.keys[at]}: was {before.words(at)}"
    if before.adverse is not None and before.adverse[at]:
        if ours.said(at) == theirs.said(at):
            return f"{head} by the champion for the same reasons."
        return f"{head} for: {theirs.said(at)}. Now for: {ours.said(at)}."
    return f"{head}, is now {now.words(at)} for: {ours.said(at)}."


def pick_examples(decided: Decided, wanted: int, seed: int) -> list[int]:
    """Rows to read, one from each stratum (decision, group) in turn, those decided against first. Seeded."""
    rng = np.random.default_rng(seed + 3)
    strata: dict[tuple[bool, str], list[int]] = {}
    for at in rng.permutation(len(decided.keys)):
        against = bool(decided.adverse[at]) if decided.adverse is not None else False
        strata.setdefault((not against, str(decided.groups[at])), []).append(int(at))
    chosen: list[int] = []
    queues = [strata[key] for key in sorted(strata)]
    while queues and len(chosen) < wanted:
        for queue in queues:
            if queue and len(chosen) < wanted:
                chosen.append(queue.pop(0))
        queues = [queue for queue in queues if queue]
    return chosen


def examples(
    rows: Sequence[int],
    names: Sequence[str],
    attributions: np.ndarray,
    values: Mapping[str, Sequence[Any]],
    reasons: Reasons,
    decided: Decided,
    codes: ReasonCodes | None,
    sentences: Mapping[int, str],
) -> Iterable[Measure]:
    """Worked examples for people to read: features in words with value and contribution, score, decision, reasons, what they
    were.

    `values`: feature -> its values for `rows`, in that order; `sentences`: row -> what changed since the champion.
    """
    for number, at in enumerate(rows):
        weight = attributions[at]
        order = np.argsort(-np.abs(weight), kind="stable")[:MOST_FEATURES]
        size = float(np.abs(weight).sum()) or 1.0
        parts = [
            {
                "feature": names[col],
                "words": codes.called(names[col]) if codes else names[col].replace("_", " "),
                "value": values[names[col]][number] if names[col] in values else None,
                "contribution": round(float(weight[col]), 4),
                "share": round(float(abs(weight[col])) / size, 4),
            }
            for col in order
            if weight[col] != 0
        ]
        detail = {
            "case": str(decided.keys[at]),
            "decision": decided.words(at),
            "adverse": bool(decided.adverse[at]) if decided.adverse is not None else None,
            "group": str(decided.groups[at]),
            "features": parts,
            "reasons": reasons.of(at) if decided.adverse is None or decided.adverse[at] else [],
            "before": sentences.get(at, ""),
        }
        yield Measure("explanation.example", float(decided.score[at]), f"case={decided.keys[at]}", n=number + 1, detail=detail)
