"""Pipeline over its budget (GL103)

## What it checks
Cost of a run times runs a month (`cost.per_run`, `pipeline.runs_per_month`) against the budget of the month
(`cost.budget_per_month`).

## Why it matters
A pipeline is paid for every time it runs, whether somebody reads its output or not. The bill comes after the month in
which it could have been stopped.

## What good enough looks like
Within the budget; above 80 % warns, so that there is time to agree on more.

## How to fix
Run it less often, read only what changed, choose cheaper machines; or have the budget owner approve the cost as a step of
the review.

## Tools
The billing export of your cloud by label; OpenCost for Kubernetes; query history of the warehouse.
"""

from __future__ import annotations

from gates.judging import over
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GL103"
NAME = "pipeline-cost"
COLLECTORS = ("pipeline_cost",)
NEEDS = ("cost.month", "cost.budget_share")
KINDS = frozenset({Kind.DATA_PIPELINE})
READ_BY = Role.BUDGET_OWNER
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "Money is spent every night that nobody agreed to."
LIMITS = {"max_share_warn": 0.80, "max_share_fail": 1.00}
_LESS = "Run it less often or on less data, or have the budget owner approve the cost."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Share of the budget that a month uses."""
    share, month = measured.one("cost.budget_share"), measured.one("cost.month")
    if share is None or share.value is None:
        reasons = [row.reason for row in (month, share) if row is not None and row.value is None and row.reason]
        reason = reasons[0] if reasons else measured.not_measured.get("pipeline_cost", "Nobody looked what it costs.")
        return not_assessed(reason, fix="Give cost.per_run, pipeline.runs_per_month and cost.budget_per_month.")
    says = f"The share of the month's budget ({share.text})" if share.text else "The share of the month's budget"
    return over(
        share, warn=limits["max_share_warn"], fail=limits["max_share_fail"], says=says,
        because="it costs more than was agreed", fix=_LESS, fmt=".0%",
    )  # fmt: skip


_NONE = Measure("cost.budget_share", None, reason="No budget is named.")
EXAMPLES = (
    Example("half", {"cost.month": 500.0, "cost.budget_share": 0.5}, Verdict.PASS),
    Example("exactly at the limit", {"cost.month": 800.0, "cost.budget_share": 0.8}, Verdict.PASS),
    Example("all of it", {"cost.month": 1000.0, "cost.budget_share": 1.0}, Verdict.WARN),
    Example("over", {"cost.month": 1010.0, "cost.budget_share": 1.01}, Verdict.FAIL),
    Example("no budget", {"cost.budget_share": _NONE}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
