"""Answers come too late (GC102)

## What it checks
The latency of the candidate against the service objective that the cost report names (`objective`: `p50_ms`, `p95_ms`,
`p99_ms`), with the bootstrap interval of each percentile, from single samples after warm-up at the stated concurrency and batch
size. The ratio to the champion's 95th percentile stands beside it.

## Why it matters
A prediction that comes after the page has loaded or the payment has timed out is as good as none; callers then fall back to
something nobody has reviewed. The mean hides it: what people feel is the slowest one in twenty.

## What good enough looks like
- **Passes** when every percentile and its whole 95 % interval are within the objective; exactly at it is within.
- **Warns** when a percentile is within the objective but its interval reaches past it: more samples settle that. Also warns
  when the 95th percentile is more than 1.20 times the champion's and the interval excludes 1.
- **Fails** when a percentile is over the objective.
- **Not assessed** without a report or without an objective. The objective is the service's, not the model's: it belongs to
  whoever runs what calls the model.

Being slower than the champion is no failure as long as the objective is met: the objective decides.

## How to fix
1. Look where the time goes: features that are fetched per request, the model, or serialization.
2. Batch requests, cut the number of trees, or convert the model (ONNX); measure again under the same load.
3. If only the 99th percentile is over, look for garbage collection, cold caches and neighbours on the machine.
4. If the objective is wrong, have its owner change it; do not drop it from the report.

## Tools
Locust, k6 or wrk for samples (HdrHistogram for long runs), py-spy for where the time goes.
"""

from __future__ import annotations

from gates.judging import strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GC102"
NAME = "latency-over-objective"
COLLECTORS = ("cost",)
NEEDS = (
    "cost.objective",
    "cost.ratio_p95",
    "cost.latency_p50",
    "cost.latency_p95",
    "cost.latency_p99",
    "cost.champion.latency_p95",
)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "Answers come too late to be used, and callers fall back to something nobody reviewed."
LIMITS = {"max_ratio_warn": 1.20}

EDGE = 1e-9
FIX = "Find where the time goes (features, model, serialization), make it faster, and measure again under the same load."
FIX_OBJECTIVE = "Name the service objective in the cost report, such as objective: {p95_ms: 50}."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on every percentile with an objective, the strictest counts."""
    rows = measured.all("cost.objective")
    known = [row for row in rows if row.value is not None]
    if not known:
        return not_assessed(next((row.reason for row in rows if row.reason), "Latency was not measured."), fix=FIX_OBJECTIVE)
    results = [_percentile(row) for row in known]
    ratio = measured.one("cost.ratio_p95")
    if ratio is not None and ratio.value is not None:
        results.append(_ratio(ratio, limits["max_ratio_warn"]))
    return strictest(results)


def _percentile(row: Measure) -> GateResult:
    value, most = row.value or 0.0, float(row.detail["objective"])
    name = row.group.partition("=")[2]
    interval = f" (95 % interval {row.low:.3g} to {row.high:.3g})" if row.low is not None and row.high is not None else ""
    limit = f"<= {most:g} ms"
    verdict, tail = Verdict.PASS, "."
    if value > most + EDGE:
        verdict, tail = Verdict.FAIL, ": answers come too late."
    elif row.high is not None and row.high > most + EDGE:
        verdict, tail = Verdict.WARN, ", but the interval reaches past it: more samples would settle it."
    says = f"{name} is {value:.4g} ms{interval} over {row.n or 0:,} samples; objective {limit}{tail}"
    fix = "" if verdict is Verdict.PASS else FIX
    return GateResult(verdict, says, fix, value, row.low, row.high, row.n, limit, row.group, row.metric)


def _ratio(row: Measure, most: float) -> GateResult:
    value = row.value or 0.0
    sure = row.low is not None and row.low > 1
    verdict = Verdict.WARN if value > most + EDGE and sure else Verdict.PASS
    interval = f" (95 % interval {row.low:.2f} to {row.high:.2f})" if row.low is not None and row.high is not None else ""
    says = f"p95 is {value:.2f} times the champion's{interval}; limit <= {most:.2f}."
    fix = "" if verdict is Verdict.PASS else FIX
    return GateResult(verdict, says, fix, value, row.low, row.high, row.n, f"<= {most:.2f}", metric=row.metric)


def _p95(value: float, low: float, high: float, most: float = 50) -> dict[str, object]:
    row = Measure("cost.objective", value, "percentile=p95", low, high, 2_000, "ms", detail={"objective": most})
    return {"cost.objective": [row]}


EXAMPLES = (
    Example("fast enough", _p95(32, 31, 33), Verdict.PASS),
    Example("exactly at the limit", _p95(50, 49, 50), Verdict.PASS),
    Example("within, the interval reaches past it", _p95(49, 47, 52), Verdict.WARN),
    Example("too slow", _p95(58, 56, 60), Verdict.FAIL),
    Example(
        "within the objective, slower than the champion",
        {**_p95(32, 31, 33), "cost.ratio_p95": Measure("cost.ratio_p95", 1.4, low=1.3, high=1.5)},
        Verdict.WARN,
    ),
    Example(
        "no objective", {"cost.objective": Measure("cost.objective", None, reason="No objective is named.")}, Verdict.NOT_ASSESSED
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
