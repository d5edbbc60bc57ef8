"""Change of performance against the champion, from what both files say.

Whether the *stated* figures can be compared is the fact `performance.figures_comparable`; whether candidate and champion were
measured
on the same rows is `performance.comparable`, and only a measurement says so.

Compared are only figures of the same metric on the same evaluation data, by its digest. Everything else is said not to be
comparable,
with the reason; a measurement on the same rows is worth more and is made by the gates.
"""

from __future__ import annotations

from dataclasses import dataclass

from governance.domain.facts import Fact, FactSet
from governance.prefill.derived import derived, known
from governance.prefill.metric_names import HIGHER_IS_BETTER, canonical_metric, canonical_values


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric's value on one data set, with the fact that states it."""

    metric: str
    value: float
    digest: str
    fact: Fact


def performance_change(facts: FactSet, champion: FactSet) -> tuple[Fact, ...]:
    """Baseline and relative change (positive is better), or the reason why there is none."""
    now = _candidate_figures(facts)
    before = [*_candidate_figures(champion), *_listed_figures(champion)]
    if not now or not before:
        return ()
    rows: list[Fact] = []
    reason = ""
    for figure in now:
        matching = _matching(figure, before)
        if not matching:
            reason = reason or _why_not(figure, before)
        for old in matching:
            change = relative_change(figure.metric, figure.value, old.value)
            if change is None:
                reason = reason or _no_direction(figure.metric, old.value)
                continue
            because = f"{figure.metric} {figure.value:g} against {old.value:g} on data {figure.digest}"
            rows += [
                derived(
                    "performance.baseline", old.value, [figure.fact], f"the champion's {figure.metric} on data {figure.digest}"
                ),
                derived("performance.relative_change", change, [figure.fact], because),
            ]
    if rows:
        return (
            derived("performance.figures_comparable", True, [now[0].fact], "same metric, same data, by the digest"),
            *dict.fromkeys(rows),
        )
    return (derived("performance.figures_comparable", False, [now[0].fact], reason),)


def _matching(figure: Figure, before: list[Figure]) -> list[Figure]:
    """The champion's figures of the same metric and data: every value that the most assured sources give, so none
    can be picked.
    """
    found = [old for old in before if old.metric == figure.metric and old.digest and old.digest == figure.digest]
    highest = max((old.fact.assurance for old in found), default=None)
    distinct: dict[float, Figure] = {}
    for old in found:
        if old.fact.assurance == highest:
            distinct.setdefault(old.value, old)
    return list(distinct.values())


def relative_change(metric: str, candidate: float, baseline: float) -> float | None:
    """(candidate - baseline) / |baseline|, signed so that positive is better; None where that cannot be said."""
    higher = HIGHER_IS_BETTER.get(metric)
    if higher is None or baseline == 0:
        return None
    change = (candidate - baseline) / abs(baseline)
    return change if higher else -change


def _candidate_figures(facts: FactSet) -> list[Figure]:
    """Figures that stand for the version: each candidate value with the metric and data named in the same place."""
    figures: list[Figure] = []
    for fact in known(facts, "performance.candidate"):
        metric = _beside(facts, fact, "performance.metric")
        if metric:
            figure = Figure(canonical_metric(metric), float(fact.value), _beside(facts, fact, "evaluation.dataset_digest"), fact)
            if not any((old.metric, old.value, old.digest) == (figure.metric, figure.value, figure.digest) for old in figures):
                figures.append(figure)
    return figures


def _listed_figures(facts: FactSet) -> list[Figure]:
    """Every known metric of every list of metrics."""
    return [
        Figure(metric, value, _beside(facts, fact, "evaluation.dataset_digest"), fact)
        for fact in known(facts, "performance.metrics")
        for metric, value in canonical_values(fact.value).items()
    ]


def _beside(facts: FactSet, fact: Fact, name: str) -> str:
    """The text fact `name` of the same source; else the only one there is; else nothing."""
    statements = known(facts, name)
    own = [other for other in statements if (other.origin, other.digest) == (fact.origin, fact.digest)]
    values = {str(other.value) for other in own or statements}
    return values.pop() if len(values) == 1 else ""


def _why_not(figure: Figure, before: list[Figure]) -> str:
    same_metric = [old for old in before if old.metric == figure.metric]
    if not same_metric:
        names = ", ".join(sorted({old.metric for old in before})[:5])
        return f"the champion has no {figure.metric} (it has {names}); give the same metric for both"
    if not figure.digest:
        return f"nothing says on which data {figure.metric} was measured; log the evaluation data set"
    digests = ", ".join(sorted({old.digest or "unknown data" for old in same_metric})[:3])
    return f"{figure.metric} was measured on data {figure.digest}, the champion's on {digests}; evaluate both on the same data"


def _no_direction(metric: str, baseline: float) -> str:
    if baseline == 0:
        return f"the champion's {metric} is 0, so a relative change says nothing"
    return f"whether a higher {metric} is better is not known here; give a metric such as roc_auc, accuracy, f1, r2 or rmse"
