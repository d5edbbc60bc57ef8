"""The measures, facts and pictures made from attributions, however they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, MeasuredFact, Picture
from gates.metrics import explanations_reasons_impl as giving
from gates.metrics import explanations_rows_impl as picking
from gates.metrics import explanations_statistics_impl as statistics
from gates.metrics import explanations_uploads_impl as from_uploads
from gates.metrics.explanations_models_impl import Explained, settings_number
from gates.metrics.explanations_pictures_impl import (
    beeswarm_picture,
    comparison_picture,
    concentration_picture,
    movement_picture,
    quantiles,
)
from gates.metrics.reason_codes_file_impl import ReasonCodes
from gates.metrics.reason_codes_file_impl import read as read_codes
from gates.metrics.reason_codes_impl import belongs, protected_names
from gates.readers import tables
from gates.spec import Measure

FIGURES = (
    "max_share_change",
    "total_variation",
    "row_cosine_median",
    "row_cosine_p10",
    "sign_flips",
    "top1_agreement",
    "spearman",
    "weighted_kendall",
    "top5_jaccard",
)
FACTS = ("max_share_change", "total_variation", "row_cosine_p10", "sign_flips")
KEPT_FEATURES = 200


@dataclass(frozen=True)
class Pair:
    """The candidate's attributions, the champion's on the same rows or why there are none, and the noise floor where measured."""

    candidate: Explained
    champion: Explained | None
    reason: str
    noise: tuple[Measure, ...] = ()


def collected(inputs: Inputs, pair: Pair, sample: EvidenceInput | None, *, uploaded: bool) -> Collected:
    """Everything that follows from the attributions. `sample`: the rows behind them, for values of features and row keys."""
    candidate, champion = pair.candidate, pair.champion
    rows = len(candidate.matrix)
    union = [*candidate.names, *([name for name in champion.names if name not in candidate.names] if champion else [])]
    ours = statistics.aligned(candidate.names, candidate.matrix, union)
    if not np.abs(ours).max(initial=0):
        return Collected(
            not_measured="The candidate's attributions are all zero on these rows: its score is the same for everybody."
        )
    theirs = statistics.aligned(champion.names, champion.matrix, union) if champion else None
    share = statistics.shares(ours)
    before = statistics.shares(theirs) if theirs is not None else None
    rows_of = None if uploaded else sample
    keys = picking.keys_of(rows_of, candidate)
    notes = list(candidate.notes)
    error = statistics.share_error(ours, inputs.seed)
    checked = not any(note.startswith("Additivity was not checked") for note in candidate.notes)
    measures = [
        Measure("explanation.rows", float(rows), n=rows, text=_method(candidate), detail={"method": candidate.method}),
        Measure(
            "explanation.additivity_error",
            candidate.error if checked else None,
            n=rows,
            text=from_uploads.why_not_additive(candidate, 1e-3) if checked else "",
            reason="" if checked else "No submitted score for these rows: attach the predictions with the same row keys.",
            detail={"scale": candidate.scale},
        ),
        Measure("explanation.share_error", error, n=rows),
        *_concentration(union, share, rows),
        *_protected(inputs, sample, union, share, rows),
    ]
    order = np.argsort(-np.maximum(share, before if before is not None else 0), kind="stable")[:KEPT_FEATURES]
    for at in order:
        detail: dict[str, Any] = {"contributions": quantiles(ours[:, at])}
        if before is not None and theirs is not None:
            detail |= {"champion": float(before[at]), "change": float(share[at] - before[at])}
            detail["champion_contributions"] = quantiles(theirs[:, at])
        measures.append(Measure("explanation.share", float(share[at]), group=f"feature={union[at]}", n=rows, detail=detail))
    if rows_of is not None:
        measures.extend(_same_score(inputs, candidate, keys))
    facts = [MeasuredFact("explanation.shares", {union[at]: round(float(share[at]), 6) for at in order})]
    values = _values(sample, candidate, keys, candidate.names, uploaded=uploaded)
    pictures: list[Picture] = [comparison_picture(union, share, before), concentration_picture(union, share, before)]
    of_feature = {row.group.removeprefix("feature="): row for row in measures if row.metric == "explanation.share"}
    pictures.append(beeswarm_picture(union, ours, theirs, [of_feature[union[at]] for at in order], values, inputs.seed))
    if theirs is None or before is None:
        measures.extend(_nothing_compared(pair.reason))
    else:
        compared, moved = _compared(inputs, union, ours, theirs, rows)
        measures.extend((*compared, *pair.noise))
        facts += moved
        pictures.append(movement_picture(union, share, before))
        notes += [_drawn(compared, rows), *_noise(pair.noise)]
        gone = [name for name in union if champion and (name in champion.names) != (name in candidate.names)]
        if gone:
            notes.append("Only one version knows: " + ", ".join(gone[:20]) + ".")
    notes.append(f"Sampling error of a feature's share: at most {error:.3f} (one standard error, from {rows:,} rows).")
    measures.extend(_people(inputs, pair, union, (ours, theirs), keys, sample, values, notes))
    return Collected(tuple(measures), tuple(facts), tuple(pictures), tuple(notes))


def _method(candidate: Explained) -> str:
    stated = next((note for note in candidate.notes if note.startswith("Method: ")), "")
    return stated.removeprefix("Method: ").rstrip(".")


def _people(
    inputs: Inputs,
    pair: Pair,
    union: Sequence[str],
    matrices: tuple[np.ndarray, np.ndarray | None],
    keys: np.ndarray,
    sample: EvidenceInput | None,
    values: Mapping[str, np.ndarray],
    notes: list[str],
) -> Iterable[Measure]:
    """Reasons of single people: coverage by codes, changes against the champion, worked examples."""
    ours, theirs = matrices
    codes = _codes(inputs, notes)
    adverse = picking.adverse_sign(inputs)
    now = picking.decided_on(inputs, pair.candidate, keys, "candidate_predictions", sample)
    reasons = giving.principal(union, ours, adverse, codes)
    yield from giving.coverage(reasons, now, codes is not None)
    sentences: dict[int, str] = {}
    wanted = settings_number(inputs.settings, "explanation_examples", giving.EXAMPLES)
    chosen = giving.pick_examples(now, wanted, inputs.seed)
    if theirs is not None and pair.champion is not None:
        earlier = giving.principal(union, theirs, adverse, codes)
        past = picking.decided_on(inputs, pair.champion, keys, "baseline_predictions", sample)
        yield from giving.changes(reasons, earlier, now, past)
        if now.adverse is not None and past.adverse is not None:
            sentences = {at: giving.told(reasons, earlier, now, past, at) for at in chosen if now.adverse[at]}
    shown = {name: column[chosen].tolist() for name, column in values.items()}
    yield from giving.examples(chosen, union, ours, shown, reasons, now, codes, sentences)


def _codes(inputs: Inputs, notes: list[str]) -> ReasonCodes | None:
    evidence = inputs.evidence.get("reason_codes")
    if evidence is None:
        return None
    try:
        return read_codes(evidence)
    except EvidenceProblem as problem:  # its own collector reports it; the comparison does not need it
        notes.append(f"Reasons are shown as features. {problem}")
        return None


def _values(
    sample: EvidenceInput | None, candidate: Explained, keys: np.ndarray, names: Sequence[str], *, uploaded: bool
) -> dict[str, np.ndarray]:
    """Feature values of the explained rows as they stand in the sample: by row number, or by key for uploaded attributions."""
    if sample is None:
        return {}
    info = tables.inspect(sample)
    have = [name for name in names if name in info.names]
    key = sample.columns.get("id")
    if not uploaded:
        if candidate.ids is None:
            return {}
        table, at = tables.load(sample, have), candidate.ids.astype(int)
    else:
        if not isinstance(key, str) or key not in info.names:
            return {}
        table = tables.load(sample, list(dict.fromkeys([key, *have])))
        where = {value: number for number, value in enumerate(np.asarray(table[key]).astype(str).tolist())}
        if not all(value in where for value in keys.tolist()):
            return {}
        at = np.array([where[value] for value in keys.tolist()])
    return {name: _plain(np.asarray(table[name])[at]) for name in have}


def _plain(column: np.ndarray) -> np.ndarray:
    """Values that JSON can hold: numbers rounded, everything else as text."""
    if column.dtype.kind in "iub":
        return column.astype(object)
    if column.dtype.kind == "f":
        return np.array([None if not np.isfinite(value) else round(float(value), 4) for value in column], dtype=object)
    return np.array([None if value is None else str(value)[:60] for value in column], dtype=object)


def _same_score(inputs: Inputs, candidate: Explained, keys: np.ndarray) -> Iterable[Measure]:
    """Whether the model gives the scores that were submitted: largest difference over the rows both files have."""
    submitted = from_uploads.scores_of(inputs.evidence.get("candidate_predictions"), keys)
    if submitted is None or not (known := np.isfinite(submitted)).any():
        return
    own = picking.probability(candidate.margin, candidate.scale)
    yield Measure("explanation.score_mismatch", float(np.abs(own - submitted)[known].max()), n=int(known.sum()))


def _concentration(names: Sequence[str], share: np.ndarray, rows: int) -> Iterable[Measure]:
    at = int(np.argmax(share))
    yield Measure("explanation.top_share", float(share[at]), n=rows, text=names[at])


def _protected(
    inputs: Inputs, sample: EvidenceInput | None, names: Sequence[str], share: np.ndarray, rows: int
) -> Iterable[Measure]:
    flagged = protected_names(inputs)
    sensitive = sample.columns.get("sensitive") if sample is not None else None
    flagged |= {sensitive} if isinstance(sensitive, str) else {str(name) for name in sensitive or ()}
    found = [at for at, name in enumerate(names) if any(belongs(name, attribute) for attribute in flagged)]
    part = float(share[found].sum()) if found else 0.0
    listed = ", ".join(names[at] for at in sorted(found, key=lambda at: -share[at])[:20])
    yield Measure("explanation.protected_share", part, n=rows, text=listed, detail={"attributes": sorted(flagged)})


def _nothing_compared(reason: str) -> Iterable[Measure]:
    if reason == "first version":
        yield Measure("explanation.first_version", 1.0, text="There is no champion yet, so nothing can have moved.")
        return
    for name in FIGURES:
        yield Measure(f"explanation.{name}", None, reason=reason)


def _compared(
    inputs: Inputs, names: Sequence[str], ours: np.ndarray, theirs: np.ndarray, rows: int
) -> tuple[list[Measure], list[MeasuredFact]]:
    figures = statistics.compare(ours, theirs, picking.adverse_sign(inputs))
    bounds = statistics.intervals(ours, theirs, inputs.seed)
    change = np.abs(statistics.shares(ours) - statistics.shares(theirs))
    measures, facts = [], []
    for name in FIGURES:
        low, high = bounds.get(name, (None, None))
        text = names[int(np.argmax(change))] if name == "max_share_change" else ""
        detail: dict[str, Any] = {"level": 0.95}
        why = "" if figures[name] is not None else "One version attributes nothing to any feature, so there is no order."
        measures.append(
            Measure(f"explanation.{name}", figures[name], low=low, high=high, n=rows, text=text, reason=why, detail=detail)
        )
        if name in FACTS:
            facts.append(MeasuredFact(f"explanation.{name}", figures[name], low, high, locator=text and f"feature {text}"))
    return measures, facts


def _drawn(compared: Sequence[Measure], rows: int) -> str:
    """What another draw of rows alone would change."""
    wanted = {
        "explanation.max_share_change": "largest share change",
        "explanation.row_cosine_p10": "row cosine (10th percentile)",
    }
    parts = [
        f"{wanted[row.metric]} {row.low:.3f} to {row.high:.3f}"
        for row in compared
        if row.metric in wanted and row.low is not None and row.high is not None
    ]
    few = "" if rows >= 500 else " 500 rows settle a verdict; 1,000 are comfortable."
    within = ", ".join(parts)
    return (
        f"Drawing other {rows:,} rows would move the figures within: {within}.{few} A retrain with another seed moves them too."
    )


def _noise(noise: Sequence[Measure]) -> list[str]:
    """What repeated runs showed, in one sentence each."""
    said = []
    for start, begins in (("explanation.noise.", "Noise floor"), ("explanation.retrains.", "Retrains")):
        rows = [row for row in noise if row.metric.startswith(start) and row.value is not None]
        if rows:
            figures = ", ".join(f"{row.metric.removeprefix(start).replace('_', ' ')} {row.value:.3f}" for row in rows)
            said.append(f"{begins}, {rows[0].n} runs of {rows[0].text}: at worst {figures}.")
        else:
            why = next((row.reason for row in noise if row.metric.startswith(start) and row.reason), "")
            said += [why] if why else []
    return said
