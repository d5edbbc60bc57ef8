"""Thin monitoring plan (GM101)

## What it checks
The declared plan (`monitoring.plan`): there is one; every feature of the model is watched by a data drift monitor or
waived; each monitor has an owner, an alert target and a limit; and its window holds enough rows for what it computes (PSI
needs 500).

## Why it matters
Drift shows nowhere if nobody looks. A monitor without an owner alarms into the void; one with too few rows alarms on a
third of all normal days until people stop reading it: with 200 rows a day, PSI exceeds 0.10 on 36 % of days on which
nothing happened.

## What good enough looks like
A line per kind, each with features, test, reference window, limit, owner and alert target. Features without monitor fail,
by name. Missing owner, alert or limit warn, and so do windows with too few rows.

## How to fix
Write the plan as objects: `{"kind": "data_drift", "features": "all", "test": "psi", "limit": 0.25, "window": "7d",
"owner": "team-risk-ml", "alert": "#risk-ml-alerts"}`. Make the window longer rather than the limit laxer. Take owner and
alert from your on-call rota, not a person's name.

## Tools
Evidently, NannyML, whylogs, Prometheus with an alert manager; this site takes their events at `POST
/api/v1/monitoring/events`.
"""

from __future__ import annotations

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GM101"
NAME = "monitoring-plan"
COLLECTORS = ("monitoring",)
NEEDS = (
    "monitoring.monitors",
    "monitoring.uncovered_features",
    "monitoring.without_owner",
    "monitoring.without_alert",
    "monitoring.without_limit",
    "monitoring.window_rows",
)
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "The model goes wrong in production and nobody notices, or nobody is told."
LIMITS = {"max_uncovered_features": 0}
_WRITE = "Write the plan: kind, features, test, limit, window, owner and alert for each monitor."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """No plan or unwatched features fail; duties without a name and thin windows warn."""
    monitors = measured.one("monitoring.monitors")
    if monitors is None or monitors.value is None:
        reason = (monitors.reason if monitors else "") or measured.not_measured.get(
            "monitoring", "The monitoring plan was not looked at."
        )
        return not_assessed(reason, fix=_WRITE)
    if not monitors.value:
        return stated(Verdict.FAIL, "No monitoring plan is declared.", monitors, fix=_WRITE, limit="a plan")
    results = [
        stated(
            Verdict.PASS,
            f"{monitors.value:.0f} monitors with owner, alert and limit cover the features.",
            monitors,
            limit="all features",
        )
    ]
    uncovered = measured.one("monitoring.uncovered_features")
    if uncovered is None or uncovered.value is None:
        why = (uncovered.reason if uncovered else "") or "Which features are watched is not known."
        results.append(stated(Verdict.WARN, why, uncovered, fix="List the watched features, or say all."))
    elif uncovered.value > limits["max_uncovered_features"]:
        says = f"{uncovered.value:.0f} features have no drift monitor: {uncovered.text or 'see the measurements'}."
        results.append(
            stated(
                Verdict.FAIL,
                says,
                uncovered,
                fix="Watch them, or have them waived by name.",
                limit=f"<= {limits['max_uncovered_features']}",
            )
        )
    for name, word in (("owner", "an owner"), ("alert", "an alert target"), ("limit", "a limit")):
        row = measured.one(f"monitoring.without_{name}")
        if row is not None and row.value:
            results.append(
                stated(
                    Verdict.WARN,
                    f"{row.value:.0f} monitors lack {word}: {row.text or 'see the measurements'}.",
                    row,
                    fix=f"Give each monitor {word}.",
                    limit="none",
                )
            )
    for row in measured.all("monitoring.window_rows"):
        need = float(row.detail.get("need", 500))
        if row.value is not None and row.value < need:
            says = (
                f"A window of {row.text or 'this length'} brings about {row.value:.0f} rows; PSI needs {need:.0f}, "
                "else it alarms on normal days."
            )
            results.append(stated(Verdict.WARN, says, row, fix="Make the window longer.", limit=f">= {need:.0f}"))
    return strictest(results)


_PLAN = {
    "monitoring.monitors": 3.0,
    "monitoring.uncovered_features": 0.0,
    "monitoring.without_owner": 0.0,
    "monitoring.without_alert": 0.0,
    "monitoring.without_limit": 0.0,
}
EXAMPLES = (
    Example("whole plan", _PLAN, Verdict.PASS),
    Example(
        "exactly enough rows",
        {**_PLAN, "monitoring.window_rows": Measure("monitoring.window_rows", 500.0, detail={"need": 500})},
        Verdict.PASS,
    ),
    Example(
        "a daily window with 200 rows",
        {**_PLAN, "monitoring.window_rows": Measure("monitoring.window_rows", 200.0, detail={"need": 500})},
        Verdict.WARN,
    ),
    Example("nobody owns one", {**_PLAN, "monitoring.without_owner": 1.0}, Verdict.WARN),
    Example(
        "a feature nobody watches",
        {**_PLAN, "monitoring.uncovered_features": Measure("monitoring.uncovered_features", 1.0, text="income")},
        Verdict.FAIL,
    ),
    Example("no plan", {"monitoring.monitors": 0.0}, Verdict.FAIL),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
