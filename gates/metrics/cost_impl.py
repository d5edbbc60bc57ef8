"""The cost collector's work: percentiles, ratios to the champion, cost per 1,000 and per month against the budget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gates.collecting import Collected, Inputs, MeasuredFact
from gates.metrics.cost_pictures_impl import pictures
from gates.metrics.cost_report_impl import COMFORTABLE, CostReport, Run, differences, read_report
from gates.metrics.statistics import latency
from gates.metrics.statistics.intervals import Interval
from gates.spec import Measure

QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def collect(inputs: Inputs) -> Collected:
    """See `gates.metrics.cost`."""
    evidence = inputs.evidence.get("cost_report")
    if evidence is None:
        return _without(inputs)
    report = read_report(evidence)
    candidate, champion = report.runs["candidate"], report.runs.get("champion")
    measures = [*_latencies(candidate, "", inputs.seed), *_objective(report, inputs.seed)]
    notes = []
    apart = differences(candidate, champion) if champion is not None else []
    if champion is not None:
        measures += _latencies(champion, "champion.", inputs.seed)
        measures += _ratios(candidate, champion, apart, inputs.seed)
        if apart:
            notes.append(f"Times of the two versions are not compared: {'; '.join(apart)}.")
    volume = report.volume if report.volume is not None else _number(inputs.facts.get("impact.people_per_month"))
    if report.volume is None and volume is not None:
        notes.append("The report names no expected volume: one prediction for each person affected in a month is taken.")
    costs, facts = _costs(report, candidate, volume, inputs.seed)
    few = {side: len(run.latency) for side, run in report.runs.items() if len(run.latency) < COMFORTABLE}
    notes += [f"{side} has {n:,} samples: under {COMFORTABLE:,} the 99th percentile is uncertain." for side, n in few.items()]
    if report.utilisation == 1.0:
        notes.append("Hardware is taken as busy all the time it is paid for; say `utilisation` if it is not.")
    drawn = pictures(report, candidate, champion, costs, _earlier(inputs.settings.get("earlier_costs")))
    return Collected((*measures, *costs), tuple(facts), tuple(drawn), tuple(notes))


def _without(inputs: Inputs) -> Collected:
    """No report: none is needed under the pack's monthly amount, going by what is declared."""
    per_1k = _number(inputs.facts.get("cost.per_1k_predictions"))
    people = _number(inputs.facts.get("impact.people_per_month"))
    limit = _number(inputs.settings.get("cost.report_from_per_month"))
    if per_1k is not None and people is not None and limit is not None and per_1k * people / 1000 < limit:
        said = f"{per_1k:g} for 1,000 predictions and {people:,.0f} people a month make {per_1k * people / 1000:,.2f} a month"
        return Collected(not_applicable=f"No cost report is needed: as declared, {said}, under {limit:g}.")
    return Collected(
        not_measured="No cost report was handed in, and what is declared does not show that the cost is small. Add one as "
        "“cost_report”: latency samples, price, expected volume and budget."
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _row(metric: str, interval: Interval, n: int, text: str = "", **detail: Any) -> Measure:
    told = {"level": interval.level, **detail}
    return Measure(f"cost.{metric}", interval.value, low=interval.low, high=interval.high, n=n, text=text, detail=told)


def _latencies(run: Run, side: str, seed: int) -> list[Measure]:
    n = len(run.latency)
    load = {"hardware": run.hardware, "batch_size": run.batch_size, "concurrency": run.concurrency}
    rows = [
        _row(f"{side}latency_{name}", latency.percentile(run.latency, q, seed=seed), n, "ms", **load)
        for name, q in QUANTILES.items()
    ]
    rows.append(_row(f"{side}latency_mean", latency.mean(run.latency, seed=seed), n, "ms", **load))
    rows.append(Measure(f"cost.{side}predictions_per_second", run.per_second, n=n))
    for name in ("memory_mb", "model_size_mb"):
        value = getattr(run, name)
        if value is not None:
            rows.append(Measure(f"cost.{side}{name}", value))
    return rows


def _objective(report: CostReport, seed: int) -> list[Measure]:
    run = report.runs["candidate"]
    rows = []
    for name, q in QUANTILES.items():
        most = report.objective.get(f"{name}_ms")
        if most is not None:
            found = latency.percentile(run.latency, q, seed=seed)
            rows.append(
                Measure("cost.objective", found.value, f"percentile={name}", found.low, found.high, len(run.latency), "ms",
                        detail={"objective": most, "level": found.level})
            )  # fmt: skip
    if not rows:
        rows.append(
            Measure("cost.objective", None, reason="The report names no service objective (objective: p95_ms and others).")
        )
    return rows


def _ratios(candidate: Run, champion: Run, apart: Sequence[str], seed: int) -> list[Measure]:
    names = ["ratio", *(f"ratio_{name}" for name in QUANTILES)]
    if apart:
        reason = f"The two load tests differ ({'; '.join(apart)}): run both on the same hardware, batch size and concurrency."
        return [Measure(f"cost.{name}", None, reason=reason) for name in names]
    a, b = candidate.latency, champion.latency
    n = min(len(a), len(b))
    price = 1.0
    if math.isfinite(candidate.per_hour) and math.isfinite(champion.per_hour):
        price = candidate.per_hour / champion.per_hour
    mean = latency.mean_ratio(a, b, seed=seed)
    cost = Interval(mean.value * price, mean.low * price, mean.high * price, mean.level)
    rows = [_row("ratio", cost, n, "cost of a prediction over the champion's", price_ratio=price)]
    rows += [
        _row(f"ratio_{name}", latency.percentile_ratio(a, b, q, seed=seed), n, f"{name} over the champion's")
        for name, q in QUANTILES.items()
    ]
    return rows


def _costs(report: CostReport, candidate: Run, volume: float | None, seed: int) -> tuple[list[Measure], list[MeasuredFact]]:
    """Cost per 1,000, per month, and against the budget, with what the policy reads."""
    n, currency = len(candidate.latency), report.currency
    if not math.isfinite(candidate.per_hour):
        reason = "The report names no price (price_per_hour), so nothing can be said about money."
        return [Measure(f"cost.{name}", None, reason=reason) for name in ("per_1k", "per_month", "over_budget")], []
    mean = latency.mean(candidate.latency, seed=seed)
    factor = candidate.per_1k / mean.value / report.utilisation
    per_1k = Interval(mean.value * factor, mean.low * factor, mean.high * factor, mean.level)
    rows = [_row("per_1k", per_1k, n, currency, utilisation=report.utilisation)]
    facts = [MeasuredFact("cost.per_1k_predictions", per_1k.value, per_1k.low, per_1k.high, locator=currency)]
    champion = report.runs.get("champion")
    if champion is not None and math.isfinite(champion.per_hour):
        rows.append(Measure("cost.champion.per_1k", champion.per_1k / report.utilisation, n=len(champion.latency), text=currency))
    ratio = champion is not None and not differences(candidate, champion)
    if ratio and champion is not None:
        found = next(row for row in _ratios(candidate, champion, (), seed) if row.metric == "cost.ratio")
        facts.append(MeasuredFact("cost.ratio", found.value, found.low, found.high, locator="cost over the champion's"))
    if volume is None:
        reason = "Neither the report nor the answers say how many predictions a month are expected."
        return [*rows, *(Measure(f"cost.{name}", None, reason=reason) for name in ("per_month", "over_budget"))], facts
    thousands = volume / 1000
    month = Interval(per_1k.value * thousands, per_1k.low * thousands, per_1k.high * thousands, per_1k.level)
    rows.append(_row("per_month", month, n, currency, predictions_per_month=volume))
    facts.append(MeasuredFact("cost.per_month", month.value, month.low, month.high, locator=currency))
    if report.budget is None:
        reason = "The report names no budget (budget: per_month and owner)."
        return [*rows, Measure("cost.over_budget", None, reason=reason)], facts
    over = month.value > report.budget
    detail = {
        "budget": report.budget,
        "owner": report.budget_owner,
        "share": month.value / report.budget if report.budget else None,
    }
    rows.append(Measure("cost.over_budget", float(over), n=n, text=currency, detail=detail))
    facts += [
        MeasuredFact("cost.budget_per_month", report.budget, locator=report.budget_owner),
        MeasuredFact("cost.over_budget", over, locator=f"{month.value:,.2f} of {report.budget:,.2f} {currency}".strip()),
    ]
    return rows, facts


def _earlier(given: Any) -> list[tuple[str, float]]:
    """What earlier versions cost per 1,000, as the register tells it."""
    rows = given if isinstance(given, list | tuple) else []
    return [
        (str(row["version"]), float(row["per_1k"]))
        for row in rows
        if isinstance(row, Mapping) and isinstance(row.get("per_1k"), int | float)
    ]
