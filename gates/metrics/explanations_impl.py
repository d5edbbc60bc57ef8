"""Explanations: which way the attributions come, and the measures, facts and pictures made from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, MeasuredFact, Picture
from gates.metrics import explanations_models_impl as from_models
from gates.metrics import explanations_statistics_impl as statistics
from gates.metrics import explanations_uploads_impl as from_uploads
from gates.metrics.explanations_models_impl import Explained
from gates.metrics.explanations_pictures_impl import comparison_picture, movement_picture
from gates.readers import tables
from gates.readers.models import OpenedModel, open_model
from gates.spec import Measure

FIGURES = (
    "max_share_change",
    "total_variation",
    "row_cosine_median",
    "row_cosine_p10",
    "sign_flips",
    "top1_agreement",
    "spearman",
    "top5_jaccard",
)
FACTS = ("max_share_change", "total_variation", "row_cosine_p10", "sign_flips")
KEPT_FEATURES = 200


def measure(inputs: Inputs) -> Collected:
    """Attributions of the candidate, and of the champion where there is one; see the module of the collector for what comes
    out.

    EvidenceProblem (from the candidate's side) is raised; a problem on the champion's side leaves the comparison
    unmeasured with its reason.
    """
    if "candidate_attributions" in inputs.evidence:
        candidate, champion, reason = _uploaded(inputs)
        used = None
    elif "candidate_model" in inputs.evidence:
        sample = from_models.sample_of(inputs)
        if sample is None:
            return Collected(
                not_measured=(
                    "No rows to explain: attach an explanation sample (or a reference or current sample) with the features."
                )
            )
        candidate, champion, reason = _modelled(inputs, sample)
        used = sample
    else:
        return Collected(
            not_measured=(
                "No candidate model and no candidate attributions: attach one of them (attributions from your own "
                "pipeline are the safest)."
            )
        )
    return _collected(inputs, candidate, champion, reason, used)


def _uploaded(inputs: Inputs) -> tuple[Explained, Explained | None, str]:
    candidate = from_uploads.read(inputs.evidence["candidate_attributions"], inputs.evidence.get("candidate_predictions"))
    baseline = inputs.evidence.get("baseline_attributions")
    if baseline is None:
        return candidate, None, _why_no_champion(inputs, "attributions of the champion on the same rows (baseline_attributions)")
    try:
        champion = from_uploads.read(baseline, inputs.evidence.get("baseline_predictions"))
        candidate, champion = from_uploads.same_rows(candidate, champion, baseline.name)
    except EvidenceProblem as problem:
        return candidate, None, str(problem)
    return candidate, champion, ""


def _modelled(inputs: Inputs, sample: EvidenceInput) -> tuple[Explained, Explained | None, str]:
    given = inputs.evidence["candidate_model"]
    candidate_model = open_model(given)
    baseline = inputs.evidence.get("baseline_model")
    champion_model, reason = None, ""
    if baseline is None:
        reason = _why_no_champion(inputs, "the champion's model (baseline_model)")
    else:
        try:
            champion_model = open_model(baseline)
        except EvidenceProblem as problem:
            reason = str(problem)
    if champion_model is not None and baseline is not None:
        try:
            return (*_both(inputs, sample, (given, candidate_model), (baseline, champion_model)), "")
        except _ChampionProblem as problem:
            reason = str(problem)
    method = from_models.method_for([candidate_model])
    return _one(inputs, sample, given, candidate_model, method), None, reason


class _ChampionProblem(Exception):
    """The champion cannot be explained on these rows; the candidate may still be."""


def _both(
    inputs: Inputs,
    sample: EvidenceInput,
    candidate: tuple[EvidenceInput, OpenedModel],
    champion: tuple[EvidenceInput, OpenedModel],
) -> tuple[Explained, Explained]:
    method = from_models.method_for([candidate[1], champion[1]])
    first = _one(inputs, sample, *candidate, method)
    try:
        second = _one(inputs, sample, *champion, method)
    except EvidenceProblem as problem:
        raise _ChampionProblem(f"The champion could not be explained on the same rows. {problem}") from problem
    if candidate[1].format.value.split("_")[0] != champion[1].format.value.split("_")[0]:
        first.notes.append(
            f"The candidate is {candidate[1].format.label} and the champion {champion[1].format.label}; both were "
            "explained by the same method."
        )
    return first, second


def _one(inputs: Inputs, sample: EvidenceInput, given: EvidenceInput, model: OpenedModel, method: str) -> Explained:
    names = from_models.feature_names(model, inputs, sample)
    total = tables.inspect(sample).rows
    default = from_models.ROWS_PERMUTATION if method == "permutation" else from_models.ROWS_NATIVE
    wanted = from_models.settings_number(inputs.settings, "explanation_rows", default)
    wanted = min(wanted, from_models.ROWS_PERMUTATION) if method == "permutation" else wanted
    chosen = from_models.pick_rows(total, wanted, inputs.seed)
    rows = from_models.rows_for(model, names, sample, chosen)
    background = np.empty((0, len(names)))
    notes = []
    if method != "native":
        source = _background_source(inputs, sample, names)
        size = min(from_models.settings_number(inputs.settings, "explanation_background", from_models.BACKGROUND), 200)
        background = from_models.rows_for(
            model, names, source, from_models.pick_rows(tables.inspect(source).rows, size, inputs.seed + 1)
        )
        notes.append(f"Background: {len(background)} rows of {source.name}, the same for every model.")
    found = from_models.explain(model, names, rows, background, method, inputs.seed, given)
    words = {
        "native": "the booster's own contributions (TreeSHAP, path dependent), exact",
        "linear": "shap's linear explainer, exact for independent features",
        "permutation": "shap's permutation explainer, an approximation (r about 0.97 with exact values)",
    }
    found.notes = [f"Method: {words[method]}.", *notes]
    if len(chosen) < total:
        found.notes.append(f"Explained {len(chosen):,} of {total:,} rows of {sample.name}, drawn with seed {inputs.seed}.")
    found.ids = chosen.astype(str)
    return found


def _background_source(inputs: Inputs, sample: EvidenceInput, names: Sequence[str]) -> EvidenceInput:
    reference = inputs.evidence.get("reference_sample")
    return reference if reference is not None and set(names) <= set(tables.inspect(reference).names) else sample


def _why_no_champion(inputs: Inputs, what: str) -> str:
    if inputs.facts.get("champion.exists") is False or inputs.facts.get("system.first_deployment") is True:
        return "first version"
    return f"There is nothing to compare with: attach {what}."


def _collected(
    inputs: Inputs, candidate: Explained, champion: Explained | None, reason: str, sample: EvidenceInput | None
) -> Collected:
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
    measures = [
        Measure("explanation.rows", float(rows), n=rows, detail={"method": candidate.method}),
        Measure("explanation.additivity_error", candidate.error, n=rows, detail={"scale": candidate.scale}),
        *_concentration(union, share, rows),
        *_protected(inputs, sample, union, share, rows),
    ]
    order = np.argsort(-np.maximum(share, before if before is not None else 0), kind="stable")[:KEPT_FEATURES]
    for at in order:
        detail = {"champion": float(before[at]), "change": float(share[at] - before[at])} if before is not None else {}
        measures.append(Measure("explanation.share", float(share[at]), group=f"feature={union[at]}", n=rows, detail=detail))
    if sample is not None:
        measures.extend(_same_score(inputs, sample, candidate))
    notes = list(candidate.notes)
    facts: list[MeasuredFact] = []
    pictures: list[Picture] = [comparison_picture(union, share, before)]
    if theirs is None or before is None:
        measures.extend(_nothing_compared(reason))
    else:
        compared, facts = _compared(inputs, union, ours, theirs, rows)
        measures.extend(compared)
        pictures.append(movement_picture(union, share, before))
        notes.append(_noise(compared, rows))
        gone = [name for name in union if champion and (name in champion.names) != (name in candidate.names)]
        if gone:
            notes.append("Only one version knows: " + ", ".join(gone[:20]) + ".")
    return Collected(tuple(measures), tuple(facts), tuple(pictures), tuple(notes))


def _same_score(inputs: Inputs, sample: EvidenceInput, candidate: Explained) -> Iterable[Measure]:
    """Whether the model gives the scores that were submitted: largest difference over the rows both files have."""
    predictions, key = inputs.evidence.get("candidate_predictions"), sample.columns.get("id")
    if predictions is None or not isinstance(key, str) or candidate.ids is None:
        return
    table = tables.load(sample, [key])
    ids = np.asarray(table[key]).astype(str)[candidate.ids.astype(int)]
    submitted = from_uploads.scores_of(predictions, ids)
    if submitted is None or not (known := np.isfinite(submitted)).any():
        return
    own = 1 / (1 + np.exp(-candidate.margin)) if candidate.scale == "log-odds" else candidate.margin
    yield Measure("explanation.score_mismatch", float(np.abs(own - submitted)[known].max()), n=int(known.sum()))


def _concentration(names: Sequence[str], share: np.ndarray, rows: int) -> Iterable[Measure]:
    at = int(np.argmax(share))
    yield Measure("explanation.top_share", float(share[at]), n=rows, text=names[at])


def _protected(
    inputs: Inputs, sample: EvidenceInput | None, names: Sequence[str], share: np.ndarray, rows: int
) -> Iterable[Measure]:
    flagged: set[str] = set()
    for source in (
        inputs.facts.get("data.protected_attributes"),
        inputs.settings.get("proxy_features"),
        inputs.settings.get("protected_features"),
    ):
        flagged |= {str(name) for name in source} if isinstance(source, list | tuple) else set()
    for evidence in (sample, inputs.evidence.get("candidate_predictions")):
        sensitive = evidence.columns.get("sensitive") if evidence is not None else None
        flagged |= {sensitive} if isinstance(sensitive, str) else {str(name) for name in sensitive or ()}
    found = [at for at, name in enumerate(names) if any(belongs(name, attribute) for attribute in flagged)]
    part = float(share[found].sum()) if found else 0.0
    listed = ", ".join(names[at] for at in sorted(found, key=lambda at: -share[at])[:20])
    yield Measure("explanation.protected_share", part, n=rows, text=listed, detail={"attributes": sorted(flagged)})


def belongs(feature: str, attribute: str) -> bool:
    """Whether a feature is the attribute itself or one of its one-hot columns (`sex`, `sex_male`, `sex=male`)."""
    name, wanted = feature.strip().lower(), attribute.strip().lower()
    return bool(wanted) and (
        name == wanted
        or name.startswith((f"{wanted}_", f"{wanted}=", f"{wanted}-", f"{wanted}__"))
        or name.endswith(f"__{wanted}")
    )


def _nothing_compared(reason: str) -> Iterable[Measure]:
    if reason == "first version":
        yield Measure("explanation.first_version", 1.0, text="There is no champion yet, so nothing can have moved.")
        return
    for name in FIGURES:
        yield Measure(f"explanation.{name}", None, reason=reason)


def _compared(
    inputs: Inputs, names: Sequence[str], ours: np.ndarray, theirs: np.ndarray, rows: int
) -> tuple[list[Measure], list[MeasuredFact]]:
    adverse = -1 if inputs.settings.get("higher_score_is_better_for_the_person") is True else 1
    figures = statistics.compare(ours, theirs, adverse)
    bounds = statistics.intervals(ours, theirs, inputs.seed)
    change = np.abs(statistics.shares(ours) - statistics.shares(theirs))
    measures, facts = [], []
    for name in FIGURES:
        low, high = bounds.get(name, (None, None))
        text = names[int(np.argmax(change))] if name == "max_share_change" else ""
        measures.append(
            Measure(f"explanation.{name}", figures[name], low=low, high=high, n=rows, text=text, detail={"level": 0.95})
        )
        if name in FACTS:
            facts.append(MeasuredFact(f"explanation.{name}", figures[name], low, high, locator=text and f"feature {text}"))
    return measures, facts


def _noise(compared: Sequence[Measure], rows: int) -> str:
    """The noise floor: what another draw of rows alone would change."""
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
    return (
        f"Drawing other {rows:,} rows would move the figures within: {', '.join(parts)}.{few} A retrain with "
        "another seed moves them too."
    )
