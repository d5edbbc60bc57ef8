"""The experiment collector's work: what is set up, how large it has to be, which other tests it meets, how the split came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gates.collecting import Collected, Inputs
from gates.metrics.experiment_pictures_impl import pictures
from gates.metrics.experiment_plan_impl import Experiment, from_register, read_experiment
from gates.metrics.statistics import experiments as stats
from gates.spec import Measure

OVERLAP, OPPOSITE = 1.0, 2.0


def collect(inputs: Inputs) -> Collected:
    """See `gates.metrics.experiment`."""
    strategy = inputs.facts.get("rollout.strategy")
    evidence = inputs.evidence.get("experiment")
    if evidence is None:
        if strategy != "ab_test":
            return Collected(not_applicable="No A/B test is declared: the version is not rolled out as one.")
        return Collected(
            not_measured="It is to be rolled out as an A/B test, and its set-up was not handed in. Add it as “experiment”: "
            "hypothesis, metric, unit, allocation, minimum effect, duration and stop rule."
        )
    plan, named = read_experiment(evidence)
    register = inputs.settings.get("running_experiments")
    others = [from_register(row) for row in register if isinstance(row, Mapping)] if isinstance(register, list | tuple) else []
    known = {(other.team, other.id) for other in others}
    others += [other for other in named if (other.team, other.id) not in known]
    others = [other for other in others if (other.team, other.id) != (plan.team, plan.id)]
    size = _size(plan)
    measures = [
        Measure("experiment.declared", 1.0, text=f"{plan.id} of {plan.team}", detail=plan.declared()),
        *_setup(plan),
        *size,
        *_exposure(plan, inputs.facts.get("rollout.traffic_percent")),
        *_meetings(plan, others),
        *_split(plan),
    ]
    notes = [] if strategy == "ab_test" else ["An experiment was handed in, though the roll-out is not called an A/B test."]
    return Collected(tuple(measures), pictures=tuple(pictures(plan, others, size)), notes=tuple(notes))


def _setup(plan: Experiment) -> list[Measure]:
    """One 0/1 row for each thing that has to be there; the text says what is, or what is wrong."""

    def there(name: str, text: str, missing: str) -> Measure:
        return Measure("experiment.setup", float(bool(text)), f"part={name}", text=text or missing)

    total = sum(plan.allocation.values())
    arms = ", ".join(f"{arm} {share:g}" for arm, share in plan.allocation.items())
    rows = [
        there("hypothesis", plan.hypothesis, "no hypothesis is stated"),
        there("primary metric", plan.metric, "no primary metric is named"),
        there("unit", plan.unit, "the unit of randomisation is not named"),
        there("stop rule", plan.stop_kind or plan.stop_rule, "no stop rule is stated"),
        there("salt", plan.salt, "no salt is named, so the split may follow an older test's"),
        there("guardrails", ", ".join(plan.guardrails), "no guardrail metric is named"),
        there("allocation", arms if abs(total - 1) < 1e-6 and all(share > 0 for share in plan.allocation.values()) else "",
              f"the arms ({arms}) sum to {total:g} instead of 1" if arms else "no allocation is stated"),
    ]  # fmt: skip
    same = plan.unit == (plan.analysis_unit or plan.unit)
    rows.append(there("analysis unit", plan.unit if same else "", f"randomised by {plan.unit}, analysed by {plan.analysis_unit}"))
    rows.append(there("separate arms", "" if plan.overlapping_arms else "a unit is in one arm only", "a unit can be in two arms"))
    peeking = plan.looks > 0 and plan.stop_kind != "sequential" and not plan.correction
    says = f"{plan.looks} looks at a test of fixed length without a correction"
    rows.append(there("no peeking", "" if peeking else plan.correction or plan.stop_kind or "one look at the end", says))
    guess = plan.effect_source.startswith("observed")
    rows.append(
        there(
            "effect chosen before",
            "" if guess else "the minimum effect is what would matter",
            "the effect was observed, not chosen",
        )
    )
    return rows


def _size(plan: Experiment) -> list[Measure]:
    """Units needed, units expected, days."""
    rows = [
        Measure(
            "experiment.days",
            float(plan.days) if plan.days is not None else None,
            reason="" if plan.days is not None else "Start and end are not stated.",
        )
    ]
    detail: dict[str, Any] = {"alpha": plan.alpha, "power": plan.power, "effect": plan.effect, "baseline": plan.baseline}
    if not plan.effect or plan.effect < 0:
        found = "none" if plan.effect is None else f"{plan.effect:g}"
        why = f"The minimum effect has to be an absolute change above zero; found {found}."
        return [*rows, Measure("experiment.needed", None, reason=why), Measure("experiment.expected", None, reason=why)]
    if not 0 < plan.alpha < 1 or not 0 < plan.power < 1:
        why = f"alpha and power lie between 0 and 1; found {plan.alpha:g} and {plan.power:g}."
        return [*rows, Measure("experiment.needed", None, reason=why), Measure("experiment.expected", None, reason=why)]
    try:
        if plan.spread is not None:
            arm, formula = (
                stats.per_arm_of_means(plan.spread, plan.effect, alpha=plan.alpha, power=plan.power),
                stats.FORMULA_OF_MEANS,
            )
        elif plan.baseline is not None:
            arm, formula = stats.per_arm(plan.baseline, plan.effect, alpha=plan.alpha, power=plan.power), stats.FORMULA
        else:
            raise ValueError("the metric's baseline (a rate) or its standard deviation is stated")
    except ValueError as error:
        why = f"The sample size needs that {error}."
        return [*rows, Measure("experiment.needed", None, reason=why), Measure("experiment.expected", None, reason=why)]
    shares = [share for share in plan.allocation.values() if share > 0] or [0.5, 0.5]
    needed = stats.unequal(arm, shares)
    rows.append(Measure("experiment.needed_per_arm", float(round(arm)), text=formula, detail=detail))
    rows.append(Measure("experiment.needed", float(round(needed)), detail={"shares": shares}))
    if plan.per_day is None or plan.days is None:
        why = "How many units take part in a day (units_per_day), or start and end, are not stated."
        return [*rows, Measure("experiment.expected", None, reason=why)]
    return [*rows, Measure("experiment.expected", plan.per_day * plan.days, detail={"per_day": plan.per_day, "days": plan.days})]


def _exposure(plan: Experiment, said: Any) -> list[Measure]:
    declared = float(said) if isinstance(said, int | float) and not isinstance(said, bool) else None
    if plan.exposure is None and declared is None:
        return [Measure("experiment.exposure_percent", None, reason="How much of the traffic takes part is not stated.")]
    largest = max(value for value in (plan.exposure, declared) if value is not None)
    apart = plan.exposure is not None and declared is not None and abs(plan.exposure - declared) > 1e-9
    text = f"the experiment says {plan.exposure:g} %, the answers {declared:g} %" if apart else ""
    return [Measure("experiment.exposure_percent", largest, text=text)]


def _meetings(plan: Experiment, others: Sequence[Experiment]) -> list[Measure]:
    """One row for each other test that meets this one: 1 overlaps, 2 changes the same decision the other way."""
    rows = [Measure("experiment.others", float(len(others)))]
    if plan.start is None or plan.end is None:
        rows.append(Measure("experiment.conflicts", None, reason="Without start and end nobody can tell which tests it meets."))
        return rows
    met = []
    for other in others:
        severity = severity_of(plan, other)
        if severity:
            met.append(severity)
            name = f"experiment={other.team}/{other.id}"[:300]
            said = _meeting(plan, other, severity)
            rows.append(Measure("experiment.conflict", severity, name, text=said, detail=other.declared()))
    rows.append(Measure("experiment.conflicts", float(len(met))))
    return rows


def severity_of(plan: Experiment, other: Experiment) -> float:
    """0: they do not meet; 1: same unit, people and time in one layer; 2: and they change the same decision in opposite ways.

    Layers keep tests apart only where both are named and differ, and never two opposite changes of one decision.
    """
    if plan.unit and other.unit and plan.unit != other.unit:
        return 0.0
    if not _same_time(plan, other) or not _same_people(plan, other):
        return 0.0
    if plan.decision and plan.decision == other.decision and plan.direction * other.direction < 0:
        return OPPOSITE
    if plan.layer and other.layer and plan.layer != other.layer:
        return 0.0
    return OVERLAP


def _same_time(plan: Experiment, other: Experiment) -> bool:
    """Whether their days overlap; a test without dates counts as running."""
    assert plan.start and plan.end
    return not ((other.end is not None and other.end < plan.start) or (other.start is not None and other.start > plan.end))


def _same_people(plan: Experiment, other: Experiment) -> bool:
    """Whether somebody can be in both: no attribute that both name is without a common value."""
    shared = set(plan.population) & set(other.population)
    return all(set(plan.population[name]) & set(other.population[name]) for name in shared)


def _meeting(plan: Experiment, other: Experiment, severity: float) -> str:
    both = sorted(set(plan.population) & set(other.population))
    people = "; ".join(f"{name} {', '.join(sorted(set(plan.population[name]) & set(other.population[name])))}" for name in both)
    start = max(day for day in (plan.start, other.start) if day is not None)
    end = min(day for day in (plan.end, other.end) if day is not None)
    what = f"change “{plan.decision}” in opposite ways" if severity == OPPOSITE else "meet"
    where = f"on {people}" if people else "on everybody"
    return (
        f"{plan.id} of {plan.team} and {other.id} of {other.team} {what} {where}, by {plan.unit or 'unit'}, from {start} to {end}"
    )


def _split(plan: Experiment) -> list[Measure]:
    if not plan.observed:
        return [Measure("experiment.launched", 0.0)]
    rows = [Measure("experiment.launched", 1.0)]
    counts = {arm: plan.observed[arm] for arm in plan.observed}
    if set(counts) != set(plan.allocation):
        why = f"The arms observed ({', '.join(counts)}) are not those allocated ({', '.join(plan.allocation) or 'none'})."
        return [*rows, Measure("experiment.split_p", None, reason=why)]
    try:
        statistic, p = stats.sample_ratio(list(counts.values()), [plan.allocation[arm] for arm in counts])
    except (ValueError, ZeroDivisionError):
        return [*rows, Measure("experiment.split_p", None, reason="The arms have no units yet, or one of them has no share.")]
    n = int(sum(counts.values()))
    shown = ", ".join(f"{arm} {count:,.0f}" for arm, count in counts.items())
    detail = {"chi_square": statistic, "counts": counts, "shares": dict(plan.allocation)}
    return [*rows, Measure("experiment.split_p", p, n=n, text=shown, detail=detail)]
