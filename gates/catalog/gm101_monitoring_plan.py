"""Thin monitoring plan (GM101)

## What it checks
The declared plan (`monitoring.plan`): there is one; every feature of the model is watched by a data drift monitor or
waived, and the ten features that carry the champion's score in any case; each monitor has an owner, an alert target and a
limit no laxer than the gates'; and its window holds enough rows for what it computes (PSI needs 500, performance 100 cases
of the rarer class).

## Why it matters
Drift shows nowhere if nobody looks. A monitor without an owner alarms into the void; one with too few rows alarms on a
third of all normal days until people stop reading it: with 200 rows a day, PSI exceeds 0.10 on 36 % of days on which
nothing happened.

## What good enough looks like
A line per kind, each with features, test, reference window, limit, owner and alert target. Features without monitor fail,
by name. Missing owner, alert or limit warn, and so do windows with too few rows and alarms laxer than the gates (PSI 0.25,
a drop of 0.20).

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
    "monitoring.uncovered_top",
    "monitoring.limit",
)
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "The model goes wrong in production and nobody notices, or nobody is told."
LIMITS = {"max_uncovered_features": 0, "loosest_psi": 0.25, "loosest_drop": 0.20}
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
    top = measured.one("monitoring.uncovered_top")
    if top is not None and top.value:
        says = f"{top.value:.0f} of the {top.n or 10} features that carry the champion's score have no monitor: {top.text}."
        results.append(stated(Verdict.FAIL, says, top, fix="Watch the features that carry the score first.", limit="all of them"))
    for row in measured.all("monitoring.limit"):
        loosest = float(limits["loosest_psi" if row.detail.get("what", "psi") == "psi" else "loosest_drop"])
        if row.value is not None and row.value > loosest:
            says = f"{row.text or row.group} alarms above {row.value:g}; the gate before deployment already stops at {loosest:g}."
            results.append(stated(Verdict.WARN, says, row, fix="Set the alarm no laxer than the gate.", limit=f"<= {loosest:g}"))
    for row in measured.all("monitoring.window_rows"):
        need = float(row.detail.get("need", 500))
        if row.value is not None and row.value < need:
            why = row.detail.get("why", "PSI")
            says = (
                f"A window of {row.text or 'this length'} brings about {row.value:.0f} rows; {why} needs {need:.0f}, "
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
    Example(
        "labels for too few cases in a window",
        {
            **_PLAN,
            "monitoring.window_rows": Measure(
                "monitoring.window_rows", 900.0, detail={"need": 2_000, "why": "100 cases of the rarer class"}
            ),
        },
        Verdict.WARN,
    ),
    Example("an alarm exactly at the gate's limit", {**_PLAN, "monitoring.limit": 0.25}, Verdict.PASS),
    Example("an alarm laxer than the gate", {**_PLAN, "monitoring.limit": 0.40}, Verdict.WARN),
    Example(
        "an important feature nobody watches",
        {**_PLAN, "monitoring.uncovered_top": Measure("monitoring.uncovered_top", 1.0, n=10, text="income")},
        Verdict.FAIL,
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
