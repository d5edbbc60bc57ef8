"""What a pipeline costs in a month against its budget, from the facts; establishes `cost.over_budget`. Needs no file."""

from __future__ import annotations

from gates.collecting import Collected, Inputs, MeasuredFact
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "pipeline_cost"
TITLE = "Working out the cost of a month"
VERSION = 1
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_FACTS = ("cost.per_run", "pipeline.runs_per_month", "cost.budget_per_month")


def collect(inputs: Inputs) -> Collected:
    """`cost.month` from cost a run and runs a month, and `cost.budget_share` of the budget."""
    run, runs, budget = (_number(inputs.facts.get(name)) for name in USES_FACTS)
    if run is None or runs is None:
        return Collected((Measure("cost.month", None, reason="Cost a run or runs a month are not known (cost.per_run)."),))
    month = run * runs
    measures = [Measure("cost.month", month, text=f"{runs:,.0f} runs at {run:,.2f}")]
    facts = [MeasuredFact("cost.per_month", month, locator="cost.per_run × pipeline.runs_per_month")]
    if budget is None:
        measures.append(Measure("cost.budget_share", None, reason="No budget a month is named (cost.budget_per_month)."))
        return Collected(tuple(measures), tuple(facts))
    # a budget of nothing is used up by the first cent
    share = month / budget if budget else (float("1e9") if month else 0.0)
    measures.append(Measure("cost.budget_share", share, text=f"{month:,.2f} of {budget:,.2f}"))
    facts.append(MeasuredFact("cost.over_budget", month > budget, locator="against cost.budget_per_month"))
    return Collected(tuple(measures), tuple(facts))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15 else None
