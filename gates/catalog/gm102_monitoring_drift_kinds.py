"""Drift of data or of the concept left unwatched (GM102)

## What it checks
The plan declares both kinds separately: data drift (the inputs move) and concept drift, or performance against labels as
they arrive (the same inputs now mean something else).

## Why it matters
Each is blind to the other. On the Adult data, with 40 % of labels flipped over age 45, an estimate from inputs alone
still said 0.875 accuracy; the real one was 0.794. And performance from labels comes months late where loans must mature,
so data drift is the only early sign.

## What good enough looks like
At least one monitor of each kind. On a model that affects customers (or where that is not answered) the absence of either
fails; elsewhere it warns. Further kinds that the policy advises (predictions, data quality, fairness, latency, cost) warn
when they are missing.

## How to fix
Add `{"kind": "data_drift", ...}` and `{"kind": "concept_drift", ...}` or `{"kind": "performance", ...}`, the latter with
the delay of the labels. Without any labels, sample cases for a person to label each month.

## Tools
PSI on features and score for data drift; performance on matured labels, NannyML's CBPE as an estimate in between (blind
to concept drift).
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GM102"
NAME = "monitoring-drift-kinds"
COLLECTORS = ("monitoring",)
NEEDS = ("monitoring.kind", "monitoring.monitors", "monitoring.customer_facing")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "Half of what can go wrong after deployment is not looked for."
LIMITS = {"min_of_each": 1, "advised": []}


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Both kinds, or the missing one by name."""
    monitors = measured.one("monitoring.monitors")
    if monitors is None or monitors.value is None:
        reason = (monitors.reason if monitors else "") or measured.not_measured.get(
            "monitoring", "The monitoring plan was not looked at."
        )
        return not_assessed(reason, fix="Declare the monitoring plan.")
    data = _count(measured, "data_drift")
    concept = _count(measured, "concept_drift") + _count(measured, "performance")
    facing = measured.one("monitoring.customer_facing")
    customers = facing is None or facing.value is None or facing.value >= 1
    missing = [
        name for name, count in (("data drift", data), ("concept drift or performance", concept)) if count < limits["min_of_each"]
    ]
    advised = [name.replace("_", " ") for name in limits["advised"] if not _count(measured, name)]
    if not missing and advised:
        says = f"Data drift and concept drift or performance are watched; nobody watches {', '.join(advised)}."
        return stated(Verdict.WARN, says, monitors, fix=f"Add a monitor for {', '.join(advised)}.", limit="every advised kind")
    if not missing:
        return stated(Verdict.PASS, "Data drift and concept drift or performance are both watched.", monitors, limit="both kinds")
    where = "a model that affects customers" if customers else "this model"
    unsure = f" ({facing.text})" if facing is not None and facing.text else ""
    says = f"The plan for {where}{unsure} does not watch {' nor '.join(missing)}."
    return stated(
        Verdict.FAIL if customers else Verdict.WARN,
        says,
        monitors,
        fix=f"Add a monitor for {' and one for '.join(missing)}.",
        limit="both kinds",
    )


def _count(measured: Measured, kind: str) -> float:
    row = measured.one("monitoring.kind", f"kind={kind}")
    return row.value if row is not None and row.value is not None else 0.0


def _plan(customers: float, **kinds: float) -> dict[str, object]:
    rows = [Measure("monitoring.kind", count, f"kind={kind}") for kind, count in kinds.items()]
    return {"monitoring.monitors": sum(kinds.values()), "monitoring.kind": rows, "monitoring.customer_facing": customers}


EXAMPLES = (
    Example("both kinds", _plan(1.0, data_drift=2.0, concept_drift=1.0), Verdict.PASS),
    Example("exactly one of each, performance for the concept", _plan(1.0, data_drift=1.0, performance=1.0), Verdict.PASS),
    Example("only data drift, customers affected", _plan(1.0, data_drift=3.0), Verdict.FAIL),
    Example(
        "fairness advised and not watched",
        _plan(1.0, data_drift=1.0, performance=1.0),
        Verdict.WARN,
        {"advised": ["fairness"]},
    ),
    Example(
        "fairness advised and watched",
        _plan(1.0, data_drift=1.0, performance=1.0, fairness=1.0),
        Verdict.PASS,
        {"advised": ["fairness"]},
    ),
    Example("only performance, customers affected", _plan(1.0, performance=1.0), Verdict.FAIL),
    Example("only data drift, internal", _plan(0.0, data_drift=1.0), Verdict.WARN),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
