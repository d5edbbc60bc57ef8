"""The performance collector's work: reads, pairs, measures, and says what stood in the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, MeasuredFact
from gates.metrics import performance_counted_impl as counted
from gates.metrics.performance_metrics_impl import LOSSES, TITLES, Result, canonical, classification, regression
from gates.metrics.performance_pictures_impl import pictures
from gates.metrics.performance_summary_impl import Summary, summarise
from gates.metrics.statistics import paired
from gates.readers import predictions as reader
from gates.readers.predictions import Predictions
from gates.spec import Measure

LEAK_GAIN = 0.15
REGRESSION_TASKS = ("regression", "tabular-regression", "forecasting")


def collect(inputs: Inputs) -> Collected:
    """See `gates.metrics.performance`."""
    continuous = str(inputs.settings.get("performance.task") or inputs.facts.get("model.task") or "").lower() in REGRESSION_TASKS
    evidence = inputs.evidence.get("candidate_predictions")
    if evidence is None:
        return Collected(
            not_measured="No candidate predictions were uploaded: add the candidate's decisions or scores with labels and ids."
        )
    if not reader.column_of(evidence, "label"):
        raise EvidenceProblem(
            file=evidence.name,
            expected="a `label` column in the mapping",
            found="none",
            way_out="Map the column with the true outcome. Without outcomes performance cannot be shown.",
        )
    if not continuous and counted.large(evidence):
        results, summary, notes, not_comparable = counted.measure(inputs, evidence)
    else:
        results, summary, notes, not_comparable = _in_memory(inputs, evidence, continuous)
    primary, note = _primary(inputs, results, continuous)
    notes += [note] if note else []
    measures = _measures(summary, results, primary, not_comparable, _flag(inputs.facts.get("champion.exists")))
    notes += _remarks(summary, results, primary)
    facts = _facts(summary, results, primary)
    return Collected(tuple(measures), tuple(facts), tuple(pictures(summary, results, primary)), tuple(notes))


def _in_memory(inputs: Inputs, evidence: EvidenceInput, continuous: bool) -> tuple[dict[str, Result], Summary, list[str], str]:
    """Results, what is known beside them, notes, and why the champion is not comparable ("" when it is)."""
    candidate = reader.read(evidence, threshold=_threshold(inputs, "model.decision_threshold"), continuous=continuous)
    notes = list(candidate.notes)
    baseline, not_comparable = _baseline(inputs, candidate, continuous)
    if baseline is not None:
        notes += [*baseline.notes]
    candidate, baseline = _labelled(candidate, baseline)
    _need_rows(evidence, candidate, continuous)
    if continuous:
        results = regression(candidate, baseline)
    else:
        results, more = classification(candidate, baseline, seed=inputs.seed)
        notes += more
    return results, summarise(candidate, baseline), notes, not_comparable


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _threshold(inputs: Inputs, name: str) -> float | None:
    value = inputs.facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _baseline(inputs: Inputs, candidate: Predictions, continuous: bool) -> tuple[Predictions | None, str]:
    """The champion on the candidate's rows, or why there is none."""
    evidence = inputs.evidence.get("baseline_predictions")
    if evidence is None:
        return None, "No champion predictions were uploaded: add those of the version in production on the same rows."
    try:
        other = reader.read(evidence, threshold=_threshold(inputs, "champion.decision_threshold"), continuous=continuous)
        pair = reader.pair(candidate, other)
    except EvidenceProblem as problem:
        return None, str(problem)
    extra = pair.notes
    if pair.identical:
        extra = (
            *extra,
            "Every score and decision equals the champion's. If the model was meant to change, the wrong file was uploaded.",
        )
    return Predictions(
        pair.baseline.evidence,
        pair.baseline.rows,
        pair.baseline.ids,
        pair.baseline.label,
        pair.baseline.decision,
        pair.baseline.score,
        pair.baseline.weight,
        (*pair.baseline.notes, *extra),
    ), ""


def _labelled(candidate: Predictions, baseline: Predictions | None) -> tuple[Predictions, Predictions | None]:
    assert candidate.label is not None
    known = ~np.isnan(candidate.label)
    if known.all():
        return candidate, baseline
    index = np.flatnonzero(known)
    return candidate.take(index), baseline.take(index) if baseline is not None else None


def _need_rows(evidence: EvidenceInput, candidate: Predictions, continuous: bool) -> None:
    label = candidate.label
    assert label is not None
    column = reader.column_of(evidence, "label")
    if not len(label):
        raise EvidenceProblem(
            file=evidence.name, column=column, expected="labels", found="none at all", way_out="Add the true outcomes."
        )
    if continuous:
        if float(label.min()) == float(label.max()):
            raise EvidenceProblem(
                file=evidence.name,
                column=column,
                expected="labels that vary",
                found=f"{label[0]:g} in every row",
                way_out="Check that the right column is mapped as `label`.",
            )
        return
    if len(np.unique(label)) < 2:
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected="both classes, 0 and 1",
            found=f"only {label[0]:g} in {len(label):,} rows",
            way_out="Use an evaluation set with both outcomes, and check that the right column is mapped as `label`.",
        )


def _primary(inputs: Inputs, results: Mapping[str, Result], continuous: bool) -> tuple[str, str]:
    """The deciding metric: the pack's, else the declared one, else the default for what was uploaded."""
    fallback = next((name for name in (("rmse",) if continuous else ("roc_auc", "accuracy")) if name in results), "")
    for source, said in (
        ("the policy", inputs.settings.get("performance.metric")),
        ("the submission", inputs.facts.get("performance.metric")),
    ):
        if not said:
            continue
        name = canonical(str(said))
        if name in results:
            return name, ""
        why = "cannot be computed from predictions here" if not name else "needs columns that were not uploaded"
        return fallback, f"“{str(said)[:40]}”, named by {source}, {why}; {TITLES.get(fallback, 'nothing')} decides instead."
    return fallback, ""


def _row(name: str, interval: Any, *, n: int, reason: str = "", text: str = "", **detail: Any) -> Measure:
    if reason or interval is None or not math.isfinite(interval.value):
        why = reason or "The champion's value is zero or could not be computed, so there is no relative change."
        estimate = {"estimate": interval.value} if interval is not None and math.isfinite(interval.value) else {}
        return Measure(name, None, n=n, text=text, reason=why, detail={**detail, **estimate})
    low, high = (bound if math.isfinite(bound) else None for bound in (interval.low, interval.high))
    return Measure(name, interval.value, low=low, high=high, n=n, text=text, detail={"level": interval.level, **detail})


def _measures(
    summary: Summary, results: Mapping[str, Result], primary: str, not_comparable: str, champion_exists: Any
) -> list[Measure]:
    n = summary.rows
    rows = [Measure("performance.rows", float(n), n=n)]
    if summary.positives is not None and summary.negatives is not None:
        rows += [
            Measure("performance.positives", float(summary.positives), n=n),
            Measure("performance.negatives", float(summary.negatives), n=n),
        ]
    if champion_exists is not None:
        rows.append(Measure("performance.champion_exists", float(champion_exists), n=n))
    rows.append(Measure("performance.comparable", float(summary.comparable), n=n, reason=not_comparable))
    if summary.comparable:
        rows.append(Measure("performance.identical", float(summary.identical), n=n))
    test = summary.mcnemar
    if test is not None:
        p = test.p_exact if test.only_first + test.only_second < paired.EXACT_BELOW else test.p
        detail = {
            "only_candidate_right": test.only_first,
            "only_champion_right": test.only_second,
            "statistic": test.statistic,
        }
        text = f"only the candidate is right in {test.only_first:,} rows, only the champion in {test.only_second:,}"
        rows.append(Measure("performance.mcnemar_p", p, n=n, text=text, detail=detail))
    if summary.constant is not None and "roc_auc" in results:
        rows.append(Measure("performance.constant_scores", float(summary.constant), n=n))
    if "candidate" in summary.curves:
        own, other = summary.curves["candidate"], summary.curves.get("champion")
        beside = {"base_rate": own.base_rate, **({"champion": other.average_precision} if other is not None else {})}
        rows.append(Measure("performance.average_precision", own.average_precision, n=n, detail=beside))
    for name, result in results.items():
        title = TITLES[name]
        weighted = {}
        if name == "roc_auc" and summary.weighted_auc is not None:
            weighted = {"weighted": summary.weighted_auc}
        better = "lower" if name in LOSSES else "higher"
        rows.append(
            _row(
                f"performance.candidate.{name}",
                result.candidate,
                n=n,
                reason=result.reason,
                text=title,
                better=better,
                **weighted,
            )
        )
        if result.baseline is not None:
            rows.append(
                _row(f"performance.baseline.{name}", result.baseline, n=n, reason=result.reason, text=title, better=better)
            )
            rows.append(_row(f"performance.change.{name}", result.change, n=n, reason=result.reason, text=title))
            rows.append(_row(f"performance.relative_change.{name}", result.relative, n=n, reason=result.reason, text=title))
    if primary:
        result, title = results[primary], TITLES[primary]
        why = result.reason or (
            "" if result.baseline is not None else not_comparable or "The champion's file lacks the columns for it."
        )
        rows.append(_row("performance.candidate", result.candidate, n=n, reason=result.reason, text=title, metric=primary))
        rows.append(_row("performance.baseline", result.baseline, n=n, reason=why, text=title, metric=primary))
        rows.append(_row("performance.change", result.change, n=n, reason=why, text=title, metric=primary))
        rows.append(_row("performance.relative_change", result.relative, n=n, reason=why, text=title, metric=primary))
    return rows


def _facts(summary: Summary, results: Mapping[str, Result], primary: str) -> list[MeasuredFact]:
    facts = [MeasuredFact("performance.comparable", summary.comparable)]
    if summary.digest:
        facts.append(MeasuredFact("evaluation.dataset_digest", summary.digest, locator="ids and labels, in id order"))
    if not primary:
        return facts
    result = results[primary]
    facts.append(MeasuredFact("performance.metric", primary))
    for name, interval in (
        ("performance.candidate", result.candidate),
        ("performance.baseline", result.baseline),
        ("performance.relative_change", result.relative),
    ):
        if interval is not None and not result.reason and math.isfinite(interval.value):
            low, high = (bound if math.isfinite(bound) else None for bound in (interval.low, interval.high))
            facts.append(MeasuredFact(name, interval.value, low, high, locator=primary))
    return facts


def _remarks(summary: Summary, results: Mapping[str, Result], primary: str) -> list[str]:
    said = []
    ranking = results.get("roc_auc")
    if ranking is not None and ranking.candidate.value < 0.5:
        said.append("AUC is below 0.5: labels or scores are probably the wrong way round.")
    if summary.constant:
        said.append("Every score is the same: the model does not tell cases apart, or the wrong column is mapped.")
    relative = results[primary].relative if primary else None
    if summary.comparable and relative is not None and relative.value >= LEAK_GAIN:
        said.append(
            f"{TITLES[primary]} is {relative.value:.0%} better than the champion's. A jump this large "
            "usually means that the label leaks into a "
            "feature: check when each feature becomes known."
        )
    return said
