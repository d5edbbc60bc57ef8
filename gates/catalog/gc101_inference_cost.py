"""Predictions cost more than planned (GC101)

## What it checks
From the evidence `cost_report`: what 1,000 predictions and a month cost, against the budget, and against the champion under the
same load. The cost of a prediction is the price of the hardware over the predictions it makes, from the mean of single latency
samples at a stated concurrency and batch size; ratios have a bootstrap interval.

The report is JSON (or YAML):

```json
{"currency": "EUR", "predictions_per_month": 3000000, "utilisation": 0.6,
 "budget": {"per_month": 900, "owner": "shop-platform"}, "objective": {"p95_ms": 50},
 "candidate": {"hardware": "c7i.large", "batch_size": 1, "concurrency": 8, "price_per_hour": 0.09,
               "memory_mb": 512, "model_size_mb": 3.4, "unit": "ms", "latency": [11.2, 10.9, "…"]},
 "champion": {"…": "the same"}}
```

or CSV or Parquet with one row a sample: `version` (candidate, champion), `latency_ms` (or `latency_s`), and in every row of a
version the same `hardware`, `batch_size`, `concurrency`, `price_per_hour`; further columns `predictions_per_month`,
`budget_per_month`, `budget_owner`, `currency`, `utilisation`, `p95_ms`.

## Why it matters
Cost is decided when a model is chosen and noticed when the bill comes. A deeper ensemble that is half a per cent better can cost
three times as much; somebody who answers for the money should say yes to that before, not after.

## What good enough looks like
- **Passes** within the budget and at most 1.20 times the champion's cost.
- **Warns** above 1.20 times where the interval excludes 1, or above 1.50 times where it does not.
- **Fails** over the budget, or above 1.50 times with an interval that excludes 1. Over the budget the policy asks the **budget
  owner** for a step in the review: the approval is recorded there, with name and words.
- **Not assessed** without a report (unless the declared cost of a month is under the pack's amount), without a price, a volume
  or a budget. Fewer than 300 samples, samples of zero, averages, warm-up and mixed units are refused with their place.

1.20 and 1.50 are conventions. The chance that an unchanged model shows 1.20 at the 95th percentile is 10.7 % with 100 samples,
1.6 % with 300 and nil with 1,000 (log-normal latency); the mean, which decides about cost, is steadier.

## How to fix
1. Look at the batch size and concurrency first: they often matter more than the model.
2. Take fewer or shallower trees, or a smaller machine; measure again under the same load.
3. If the gain is worth the money, ask the budget owner: the case goes to them by itself when it is over the budget.
4. If the load tests differ in hardware, repeat the champion's on the new one.

## Tools
Locust, k6, wrk or `perf_analyzer` for single samples; the price list or the internal rate of the platform for the price.
"""

from __future__ import annotations

from gates.judging import strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GC101"
NAME = "cost-over-budget"
COLLECTORS = ("cost",)
NEEDS = ("cost.per_1k", "cost.per_month", "cost.over_budget", "cost.ratio", "cost.champion.per_1k")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.BUDGET_OWNER
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "A model goes live whose predictions cost more than anybody agreed to pay."
LIMITS = {"max_ratio_warn": 1.20, "max_ratio_fail": 1.50}

EDGE = 1e-9
FIX = "Take a cheaper model, machine or batch size and measure again, or have the budget owner approve the cost."
FIX_REPORT = "Hand in a cost report with latency samples, price, expected volume and budget."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the month against the budget, and on the cost against the champion's."""
    over = measured.one("cost.over_budget")
    if over is None or over.value is None:
        results = [not_assessed((over.reason if over else "") or "The cost was not measured.", fix=FIX_REPORT)]
    else:
        results = [_budget(over, measured)]
    ratio = measured.one("cost.ratio")
    if ratio is not None and ratio.value is not None:
        results.append(_ratio(ratio, limits))
    elif ratio is not None and over is not None and over.value is not None:
        results.append(
            GateResult(Verdict.WARN, f"Not compared with the champion: {ratio.reason}", FIX_REPORT, metric=ratio.metric)
        )
    return strictest(results)


def _budget(over: Measure, measured: Measured) -> GateResult:
    month, thousand = measured.one("cost.per_month"), measured.one("cost.per_1k")
    value = month.value if month is not None and month.value is not None else None
    budget = float(over.detail.get("budget") or 0.0)
    owner = f" of {over.detail['owner']}" if over.detail.get("owner") else ""
    unit = f" {over.text}" if over.text else ""
    said = f"A month costs {value or 0.0:,.2f}{unit}"
    if month is not None and month.low is not None and month.high is not None:
        said += f" (95 % interval {month.low:,.2f} to {month.high:,.2f})"
    if thousand is not None and thousand.value is not None:
        said += f", 1,000 predictions {thousand.value:.4g}{unit}"
    limit = f"<= {budget:,.2f}{unit} a month"
    low, high = (month.low, month.high) if month is not None else (None, None)
    if over.value:
        says = f"{said}; over the budget{owner} of {budget:,.2f}{unit}. The budget owner has to approve it in this review."
        return GateResult(Verdict.FAIL, says, FIX, value, low, high, over.n, limit, metric="cost.per_month")
    if high is not None and high > budget + EDGE:
        says = f"{said}; within the budget{owner} of {budget:,.2f}{unit}, but the interval reaches past it."
        return GateResult(Verdict.WARN, says, FIX, value, low, high, over.n, limit, metric="cost.per_month")
    return GateResult(
        Verdict.PASS, f"{said}; within the budget{owner} of {budget:,.2f}{unit}.", "", value, low, high, over.n, limit,
        metric="cost.per_month",
    )  # fmt: skip


def _ratio(row: Measure, limits: Limits) -> GateResult:
    value, warn, fail = row.value or 0.0, limits["max_ratio_warn"], limits["max_ratio_fail"]
    sure = row.low is not None and row.low > 1
    interval = f" (95 % interval {row.low:.2f} to {row.high:.2f})" if row.low is not None and row.high is not None else ""
    verdict = Verdict.PASS
    tail = "."
    if value > fail + EDGE:
        verdict, tail = (Verdict.FAIL, ": far dearer.") if sure else (Verdict.WARN, ", but the interval includes 1.")
    elif value > warn + EDGE and sure:
        verdict = Verdict.WARN
    limit = f"<= {warn:.2f} (fails above {fail:.2f})"
    says = f"A prediction costs {value:.2f} times the champion's{interval}; limit {limit}{tail}"
    fix = "" if verdict is Verdict.PASS else FIX
    return GateResult(verdict, says, fix, value, row.low, row.high, row.n, limit, metric=row.metric)


def _case(month: float, budget: float, ratio: float | None = 1.0, low: float = 0.95, high: float = 1.05) -> dict[str, object]:
    rows: dict[str, object] = {
        "cost.per_1k": Measure("cost.per_1k", month / 3000, n=2_000, text="EUR"),
        "cost.per_month": Measure("cost.per_month", month, low=0.98 * month, high=1.02 * month, n=2_000, text="EUR"),
        "cost.over_budget": Measure(
            "cost.over_budget", float(month > budget), n=2_000, text="EUR", detail={"budget": budget, "owner": "shop-platform"}
        ),
    }
    if ratio is not None:
        rows["cost.ratio"] = Measure("cost.ratio", ratio, low=low, high=high, n=2_000)
    return rows


EXAMPLES = (
    Example("within the budget", _case(600, 900), Verdict.PASS),
    Example("a first version", _case(600, 900, None), Verdict.PASS),
    Example("exactly at the limit of the ratio", _case(600, 900, 1.20, 1.15, 1.25), Verdict.PASS),
    Example("just within, the interval reaches past it", _case(890, 900), Verdict.WARN),
    Example("a third dearer", _case(600, 900, 1.33, 1.28, 1.39), Verdict.WARN),
    Example("twice as dear", _case(600, 900, 2.0, 1.9, 2.1), Verdict.FAIL),
    Example("over the budget", _case(1_400, 900), Verdict.FAIL),
    Example(
        "other hardware",
        {**_case(600, 900, None), "cost.ratio": Measure("cost.ratio", None, reason="The two load tests differ (hardware).")},
        Verdict.WARN,
    ),
    Example(
        "no budget",
        {"cost.over_budget": Measure("cost.over_budget", None, reason="The report names no budget.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
