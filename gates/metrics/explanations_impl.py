"""Explanations: which way the attributions come, candidate and champion on the same rows with the same method and background."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import explanations_models_impl as from_models
from gates.metrics import explanations_rows_impl as picking
from gates.metrics import explanations_uploads_impl as from_uploads
from gates.metrics.explanations_measures_impl import Pair, collected
from gates.metrics.explanations_models_impl import Explained
from gates.metrics.explanations_noise_impl import repeated, retrains
from gates.readers import tables
from gates.readers.models import OpenedModel, open_model
from gates.spec import Measure

ADDITIVE = 1e-3
_WORDS = {
    "native": "the booster's own contributions (TreeSHAP, path dependent), exact",
    "linear": "the weights of a linear model, exact for independent features",
    "permutation": "shap's permutation explainer, an approximation (r about 0.97 with exact values)",
}


def measure(inputs: Inputs) -> Collected:
    """Attributions of the candidate, and of the champion where there is one; see the module of the collector for what comes
    out.

    EvidenceProblem (from the candidate's side) is raised; a problem on the champion's side leaves the comparison
    unmeasured with its reason.
    """
    if "candidate_attributions" in inputs.evidence:
        return collected(inputs, _uploaded(inputs), inputs.evidence.get("explanation_sample"), uploaded=True)
    if "candidate_model" not in inputs.evidence:
        return Collected(
            not_measured=(
                "No candidate model and no candidate attributions: attach one of them (attributions from your own "
                "pipeline are the safest)."
            )
        )
    sample = from_models.sample_of(inputs)
    if sample is None:
        return Collected(
            not_measured="No rows to explain: attach an explanation sample (or a reference or current sample) with the features."
        )
    return collected(inputs, _modelled(inputs, sample), sample, uploaded=False)


def _uploaded(inputs: Inputs) -> Pair:
    features = [str(name) for name in inputs.facts.get("model.features") or ()]
    predictions = inputs.evidence.get("candidate_predictions")
    candidate = from_uploads.read(inputs.evidence["candidate_attributions"], predictions, features)
    baseline = inputs.evidence.get("baseline_attributions")
    if baseline is None:
        why = _why_no_champion(inputs, "attributions of the champion on the same rows (baseline_attributions)")
        return Pair(candidate, None, why)
    try:
        champion = from_uploads.read(baseline, inputs.evidence.get("baseline_predictions"))
        wrong = from_uploads.why_not_additive(champion, ADDITIVE)
        if wrong:
            return Pair(candidate, None, f"The champion's attributions do not add up to its submitted score: {wrong}.")
        candidate, champion = from_uploads.same_rows(candidate, champion, baseline.name)
        noise = _of_retrains(inputs, champion)
    except EvidenceProblem as problem:
        return Pair(candidate, None, str(problem))
    return Pair(candidate, champion, "", tuple(noise))


def _of_retrains(inputs: Inputs, champion: Explained) -> list[Measure]:
    evidence = inputs.evidence.get("retrain_attributions")
    if evidence is None:
        return []
    return list(retrains(evidence, champion, from_uploads.read_runs))


def _modelled(inputs: Inputs, sample: EvidenceInput) -> Pair:
    given = inputs.evidence["candidate_model"]
    model = open_model(given)
    baseline = inputs.evidence.get("baseline_model")
    before, reason = None, ""
    if baseline is None:
        reason = _why_no_champion(inputs, "the champion's model (baseline_model)")
    else:
        try:
            before = open_model(baseline)
        except EvidenceProblem as problem:
            reason = str(problem)
    models = [model] if before is None else [model, before]
    method = from_models.method_for(models, [_some_rows(inputs, sample, each) for each in models], inputs.seed)
    plan = _Plan(inputs, sample, method, given, model)
    candidate = plan.explain(given, model)
    if before is None or baseline is None:
        return Pair(_alone(inputs, sample, plan, candidate), None, reason)
    began = time.monotonic()
    try:
        champion = plan.explain(baseline, before)
    except EvidenceProblem as problem:
        why = f"The champion could not be explained on the same rows. {problem}"
        return Pair(_alone(inputs, sample, plan, candidate), None, why)
    if model.format.value.split("_")[0] != before.format.value.split("_")[0]:
        candidate.notes.append(
            f"The candidate is {model.format.label} and the champion {before.format.label}; both were explained by the "
            "same method."
        )
    noise = plan.noise(baseline, before, champion, time.monotonic() - began)
    try:
        noise += _of_retrains(inputs, champion)
    except EvidenceProblem as problem:
        candidate.notes.append(f"The retrains were left out. {problem}")
    return Pair(candidate, champion, "", tuple(noise))


def _alone(inputs: Inputs, sample: EvidenceInput, plan: _Plan, candidate: Explained) -> Explained:
    """The candidate by the best method of its own, when there is no champion that asked for another."""
    best = from_models.method_for([plan.model], [plan.pooled], inputs.seed)
    if best == plan.method:
        return candidate
    return _Plan(inputs, sample, best, plan.given, plan.model).explain(plan.given, plan.model)


def _some_rows(inputs: Inputs, sample: EvidenceInput, model: OpenedModel) -> np.ndarray:
    """Rows as this model takes them, to see what kind it is; none where they do not fit, which explaining them then says."""
    chosen = from_models.pick_rows(tables.inspect(sample).rows, from_models.ROWS_PERMUTATION, inputs.seed)
    try:
        return from_models.rows_for(model, from_models.feature_names(model, inputs, sample), sample, chosen)
    except EvidenceProblem:
        return np.empty((0, model.count))


class _Plan:
    """Rows, background and method, chosen once and used for every model of the run."""

    def __init__(self, inputs: Inputs, sample: EvidenceInput, method: str, given: EvidenceInput, model: OpenedModel) -> None:
        self.inputs, self.sample, self.method, self.given, self.model = inputs, sample, method, given, model
        self.total = tables.inspect(sample).rows
        self.notes: list[str] = [f"Method: {_WORDS[method]}."]
        names = from_models.feature_names(model, inputs, sample)
        self.pool = picking.pool_of(self.total, inputs.seed)
        self.pooled = from_models.rows_for(model, names, sample, self.pool)
        self.decided = self._decided(given)
        most = from_models.ROWS_PERMUTATION if method == "permutation" else from_models.ROWS_NATIVE
        wanted = from_models.settings_number(inputs.settings, "explanation_rows", most)
        self.rows = min(wanted, most) if method == "permutation" else wanted
        most = from_models.BACKGROUND_PERMUTATION if method == "permutation" else from_models.BACKGROUND
        wanted = from_models.settings_number(inputs.settings, "explanation_background", most)
        self.background = 0 if method == "native" else min(wanted, most)
        if method == "permutation":
            self._afford()
        self.chosen = self.draw(inputs.seed)
        self._say(inputs)

    def _decided(self, given: EvidenceInput) -> np.ndarray | None:
        """The candidate's own decisions on the pool, for stratifying; None where it does not score the rows or has no
        threshold.
        """
        try:
            return picking.side(self.inputs, self.model, self.model.margin(self.pooled))
        except Exception:  # explaining the same rows says what is wrong, with the file's name
            return None

    def _afford(self) -> None:
        try:
            count, size, seconds = from_models.affordable(self.model.margin, self.pooled[: self.rows], self.background)
        except Exception:  # as above: explaining says it
            return
        if seconds > from_models.MOST_SECONDS:
            evaluations = count * size * (2 * self.pooled.shape[1] + 1)
            raise EvidenceProblem(
                file=self.given.name,
                expected=f"a model of which {count} rows can be explained within {from_models.MOST_SECONDS:.0f} s",
                found=f"one that needs about {seconds:,.0f} s for the {evaluations:,} scores that takes",
                way_out="Upload attributions from your own pipeline (candidate_attributions), or a model that scores faster.",
            )
        self.rows, self.background = min(self.rows, count), size
        self.notes.append(
            f"An arbitrary model is explained on {min(self.rows, self.total)} rows against {size} background rows "
            f"({2 * self.pooled.shape[1] + 1} evaluations each, about {max(1, round(seconds))} s): "
            "more would take minutes and change little."
        )

    def _say(self, inputs: Inputs) -> None:
        if self.background:
            source = self._source(from_models.feature_names(self.model, inputs, self.sample))
            rows = min(self.background, tables.inspect(source).rows)
            self.notes.append(f"Background: {rows} rows of {source.name}, the same for every model.")
        if len(self.chosen) < self.total:
            by = ", stratified by decision" if self.decided is not None else ""
            self.notes.append(
                f"Explained {len(self.chosen):,} of {self.total:,} rows of {self.sample.name}, drawn with seed {inputs.seed}{by}."
            )

    def draw(self, seed: int) -> np.ndarray:
        """Row numbers for one run."""
        return picking.stratified(self.total, self.rows, seed, self.decided, self.pool)

    def _source(self, names: Sequence[str]) -> EvidenceInput:
        reference = self.inputs.evidence.get("reference_sample")
        return reference if reference is not None and set(names) <= set(tables.inspect(reference).names) else self.sample

    def explain(
        self, given: EvidenceInput, model: OpenedModel, *, chosen: np.ndarray | None = None, seed: int | None = None
    ) -> Explained:
        """Attributions of one model; on other rows or with another seed for the noise floor."""
        at = self.chosen if chosen is None else chosen
        number = self.inputs.seed if seed is None else seed
        names = from_models.feature_names(model, self.inputs, self.sample)
        rows = from_models.rows_for(model, names, self.sample, at)
        background = np.empty((0, len(names)))
        if self.background:
            source = self._source(names)
            drawn = from_models.pick_rows(tables.inspect(source).rows, self.background, number + 1)
            background = from_models.rows_for(model, names, source, drawn)
        found = from_models.explain(model, names, rows, background, self.method, number, given)
        found.notes = list(self.notes)
        found.ids = at.astype(str)
        return found

    def noise(self, given: EvidenceInput, model: OpenedModel, champion: Explained, took: float) -> list[Measure]:
        """The champion against itself: other rows where rows are explained one by one, another background where there is one."""
        if self.background:

            def again(number: int) -> np.ndarray:
                return self.explain(given, model, seed=self.inputs.seed + 100 * number).matrix

            what = f"the champion against itself with other background rows{' and seeds' if self.method == 'permutation' else ''}"
            return repeated(champion.matrix, again, what, same_rows=True, took=took)
        if len(self.chosen) >= self.total:
            return [
                Measure(
                    f"explanation.noise.{name}", None, reason="All rows of the sample are explained: there are no others to draw."
                )
                for name in ("max_share_change", "total_variation")
            ]

        def other(number: int) -> np.ndarray:
            return self.explain(given, model, chosen=self.draw(self.inputs.seed + 100 * number)).matrix

        return repeated(champion.matrix, other, "the champion against itself on other rows", same_rows=False, took=took)


def _why_no_champion(inputs: Inputs, what: str) -> str:
    if inputs.facts.get("champion.exists") is False or inputs.facts.get("system.first_deployment") is True:
        return "first version"
    return f"There is nothing to compare with: attach {what}."
