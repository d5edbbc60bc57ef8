"""Performance below the minimum of the use (GP102)

## What it checks
Whether the candidate reaches the minimum that the policy sets for this use, on its own evaluation set: by default AUC of at
least 0.80. The policy lists floors by metric (`floors`), most wanted first: the first one that the candidate's file allows to
compute is judged. `ceilings` does the same for losses such as log loss, Brier score or RMSE.

## Why it matters
"As good as the champion" is no comfort where the champion is poor, and step by step a model can slide while each step looks
small. A floor says what the use needs at least. It is a decision about the use, not a law of nature: 0.80 is strict for churn
and lax for a screening test, so it belongs into the policy of the use, with a reason.

## What good enough looks like
- **Passes** when the value and its whole 95 % interval are on the right side; a value exactly at the limit is on the right side.
- **Warns** when the value reaches the limit but its interval does not: more cases would settle it.
- **Fails** when the value is on the wrong side.
- **Not assessed** with fewer than 100 positives or 100 negatives (AUC), without scores, or without labels.

## How to fix
1. Check the evaluation set: right period, right population, labels complete, label column mapped the right way round (AUC
   under 0.5 says it is not).
2. Compare with a simple baseline. If it does as well, the features carry no more: get better ones.
3. If the evaluation is small, add cases; the interval says how many are missing.
4. If the floor does not fit the use, ask the policy authors to set another for it, with the reason. Do not tune to the
   evaluation set.

## Tools
scikit-learn (`roc_auc_score`, `log_loss`, `brier_score_loss`), pROC for DeLong's interval.
"""

from __future__ import annotations

from typing import Any

from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GP102"
NAME = "below-minimum-performance"
COLLECTORS = ("performance",)
NEEDS = ("performance.candidate.roc_auc",)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "A model too weak for its use decides about people or money."
LIMITS: dict[str, Any] = {"floors": {"roc_auc": 0.80, "balanced_accuracy": 0.65, "r2": 0.10}, "ceilings": {}}

EDGE = 1e-9
FIX = (
    "Check the evaluation set and the column mapping, then improve features or data. A floor that "
    "does not fit the use is a policy change."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on one metric of the candidate against its floor (or ceiling, for a loss)."""
    bounds = [(name, float(limit), False) for name, limit in limits["floors"].items()]
    bounds += [(name, float(limit), True) for name, limit in limits["ceilings"].items()]
    found = ((measured.one(f"performance.candidate.{metric}"), metric, limit, ceiling) for metric, limit, ceiling in bounds)
    row, metric, limit, ceiling = next((item for item in found if item[0] is not None), (None, "", 0.0, False))
    if row is None or row.value is None:
        wanted = ", ".join(metric for metric, _, _ in bounds)
        why = (row.reason if row else "") or f"None of {wanted} was measured: the candidate's file lacks the columns for it."
        return not_assessed(why, fix="Map scores and labels of at least 100 positive and 100 negative cases.")
    value, edge = row.value, row.high if ceiling else row.low
    holds = value <= limit + EDGE if ceiling else value >= limit - EDGE
    reaches = edge is not None and (edge > limit + EDGE if ceiling else edge < limit - EDGE)
    shown = f"{'<=' if ceiling else '>='} {limit:.2f}"
    interval = f" (95 % interval {row.low:.3f} to {row.high:.3f})" if row.low is not None and row.high is not None else ""
    said = f"{row.text or metric} is {value:.4f}{interval} on {row.n or 0:,} cases, limit {shown}"
    notes: tuple[str, ...] = ()
    if metric == "roc_auc" and value < 0.5:
        notes = ("Below 0.5 the ranking is upside down: labels or scores are probably the wrong way round.",)
    if not holds:
        verdict, says = Verdict.FAIL, f"{said}: too weak for this use."
    elif reaches:
        verdict, says = Verdict.WARN, f"{said}. The interval reaches past the limit: more cases would settle it."
    else:
        verdict, says = Verdict.PASS, f"{said}."
    return GateResult(
        verdict,
        says,
        "" if verdict is Verdict.PASS else FIX,
        value,
        row.low,
        row.high,
        row.n,
        shown,
        metric=row.metric,
        notes=notes,
    )


def _auc(value: float, low: float, high: float) -> dict[str, object]:
    return {NEEDS[0]: Measure(NEEDS[0], value, low=low, high=high, n=5_000, text="AUC")}


EXAMPLES = (
    Example("well above", _auc(0.87, 0.85, 0.89), Verdict.PASS),
    Example("exactly at the limit, shown", _auc(0.80, 0.80, 0.81), Verdict.PASS),
    Example("exactly at the limit, interval below", _auc(0.80, 0.78, 0.82), Verdict.WARN),
    Example("just below", _auc(0.7999, 0.78, 0.82), Verdict.FAIL),
    Example("decisions only: the next floor", {"performance.candidate.balanced_accuracy": 0.71}, Verdict.PASS),
    Example("upside down", _auc(0.21, 0.19, 0.23), Verdict.FAIL),
    Example(
        "a loss under its ceiling",
        {
            "performance.candidate.log_loss": Measure(
                "performance.candidate.log_loss", 0.30, low=0.28, high=0.32, n=5_000, text="log loss"
            )
        },
        Verdict.PASS,
        {"floors": {}, "ceilings": {"log_loss": 0.35}},
    ),
    Example(
        "too few cases", {NEEDS[0]: Measure(NEEDS[0], None, reason="AUC needs at least 100 positive rows.")}, Verdict.NOT_ASSESSED
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
