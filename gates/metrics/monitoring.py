"""The declared monitoring plan: which kinds of drift are watched, for which features, by whom, with how many rows. No data
needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gates.collecting import Collected, Inputs
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "monitoring"
TITLE = "Reading the monitoring plan"
VERSION = 2
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_REGISTERS = ("attribution_shares",)
USES_FACTS = (
    "monitoring.plan",
    "model.features",
    "decision.affects_customers",
    "impact.people_per_month",
    "performance.metrics",
)

# In this order: "prediction drift" and "concept drift" must not count as data drift.
_WORDS: tuple[tuple[str, str], ...] = (
    ("concept_drift", r"concept[ _-]?drift|label drift|residual"),
    ("prediction_drift", r"(prediction|score|output)[ _-]?drift"),
    ("data_drift", r"(data|feature|input|covariate)[ _-]?(drift|shift)|\bpsi\b|\bdrift\b"),
    ("performance", r"performance|accuracy|\bauc\b|\bf1\b|recall|precision|backtest|outcome"),
    ("data_quality", r"data[ _-]?quality|null rate|missing values|schema"),
    ("fairness", r"fair|bias|disparity"),
    ("latency", r"latency|response time|\bp9[59]\b"),
    ("cost", r"cost|spend"),
)
KINDS = tuple(kind for kind, _ in _WORDS)
_WINDOWS = {"hour": 1 / 24, "day": 1.0, "dai": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.0, "quarter": 91.0, "year": 365.0}
NEEDS_ROWS = {"data_drift": 500, "prediction_drift": 500}
NEEDS_CASES = 100
TOP = 10
_RATES = ("positive_rate", "prevalence", "base_rate", "label_mean")
ALL = frozenset({"all", "*", "all features", "every feature", "every"})


@dataclass(frozen=True)
class Monitor:
    """One line of the plan. `features`: names, `("*",)` for all, empty when it does not say; `days`: length of the window."""

    kind: str
    name: str
    features: tuple[str, ...] = ()
    owner: str = ""
    alert: str = ""
    limit: str = ""
    test: str = ""
    days: float | None = None


def collect(inputs: Inputs) -> Collected:
    """Measures on kinds, coverage of the features, owners, alerts and rows per window. `settings["waived_features"]`: need
    no monitor.
    """
    plan = inputs.facts.get("monitoring.plan")
    customers = inputs.facts.get("decision.affects_customers")
    facing = Measure(
        "monitoring.customer_facing",
        0.0 if customers is False else 1.0,
        text="" if isinstance(customers, bool) else "not answered, so taken as yes",
    )
    entries = plan if isinstance(plan, list | tuple) else [plan]
    monitors = [monitor for item in entries if (monitor := read(item)) is not None]
    listed = ", ".join(dict.fromkeys(monitor.kind for monitor in monitors)) or "No monitoring plan is declared."
    measures = [facing, Measure("monitoring.monitors", float(len(monitors)), text=listed)]
    for kind in KINDS:
        count = sum(monitor.kind == kind for monitor in monitors)
        measures.append(Measure("monitoring.kind", float(count), group=f"kind={kind}"))
    measures.extend(_coverage(monitors, inputs))
    measures.extend(_duties(monitors))
    measures.extend(_limits(monitors))
    measures.extend(_rows(monitors, inputs.facts.get("impact.people_per_month"), inputs.facts.get("performance.metrics")))
    return Collected(measures=tuple(measures))


def read(item: Any) -> Monitor | None:
    """One entry of the plan: a mapping with `kind`, `features`, `test`, `limit`, `window`, `owner`, `alert`; or a sentence."""
    if isinstance(item, Mapping):
        given = str(item.get("kind") or item.get("type") or item.get("name") or "").strip()
        features = item.get("features")
        if isinstance(features, str):
            features = (
                ("*",) if features.strip().lower() in ALL else tuple(part.strip() for part in features.split(",") if part.strip())
            )
        names = tuple(str(name) for name in features) if isinstance(features, list | tuple) else ()
        names = ("*",) if any(name.strip().lower() in ALL for name in names) else names
        alert = item.get("alert") or item.get("alerts_to") or item.get("route") or item.get("channel")
        return Monitor(
            kind_of(given),
            given or "an unnamed monitor",
            names,
            str(item.get("owner") or "").strip(),
            str(alert or "").strip(),
            str(item.get("limit") if item.get("limit") is not None else item.get("threshold") or "").strip(),
            str(item.get("test") or item.get("metric") or "").strip(),
            window_days(item.get("window")),
        )
    text = str(item or "").strip()
    if not text:
        return None
    owner = re.search(r"(?:owner|owned by|by team)\s*[:=]?\s*([\w@.-]+)", text, re.IGNORECASE)
    alert = re.search(r"(?:alerts?|pages?|route|notif\w*)\s*(?:to)?\s*[:=]?\s*([\w@#./-]+)", text, re.IGNORECASE)
    every = ("*",) if re.search(r"\b(all|every) (input |model )?features?\b", text, re.IGNORECASE) else ()
    limit = re.search(r"[<>]=?\s*[\d.]+\s*%?", text)
    return Monitor(
        kind_of(text),
        text[:80],
        every,
        owner.group(1) if owner else "",
        alert.group(1) if alert else "",
        limit.group(0) if limit else "",
        "",
        window_days(text),
    )


def kind_of(text: str) -> str:
    """The kind a name or a sentence speaks of; `other` when none."""
    lowered = text.lower()
    return next((kind for kind, pattern in _WORDS if re.search(pattern, lowered)), "other")


def window_days(value: Any) -> float | None:
    """Days in a window: `7`, `7d`, `24h`, `P7D`, `daily`, `2 weeks`; None when it does not say."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if value > 0 else None
    text = str(value or "").lower()
    months = re.fullmatch(r"p(\d+)m", text)
    if months:
        return float(months.group(1)) * 30
    short = re.search(r"(?:^|\bp?)(\d+(?:\.\d+)?)\s*(h|d|w|hours?|days?|weeks?|months?)\b", text)
    if short:
        return float(short.group(1)) * {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0}[short.group(2)[0]]
    return next((days for word, days in _WINDOWS.items() if word in text), None)


def _coverage(monitors: list[Monitor], inputs: Inputs) -> Iterable[Measure]:
    features = inputs.facts.get("model.features")
    names = [str(name) for name in features] if isinstance(features, list | tuple) else []
    watching = [monitor for monitor in monitors if monitor.kind == "data_drift"]
    if not watching:
        yield Measure(
            "monitoring.uncovered_features",
            float(len(names)) if names else None,
            n=len(names) or None,
            text=", ".join(names[:50]),
            reason="" if names else "The model's features are not known.",
        )
        return
    if all(not monitor.features for monitor in watching):
        yield Measure(
            "monitoring.uncovered_features",
            None,
            reason="The data drift monitor does not say which features it watches: list them, or say all.",
        )
        return
    covered = {name for monitor in watching for name in monitor.features}
    if "*" in covered:
        yield Measure("monitoring.uncovered_features", 0.0, n=len(names) or None, text="")
        return
    if not names:
        yield Measure(
            "monitoring.uncovered_features", None, reason="The model's features are not known, so coverage cannot be judged."
        )
        return
    waived = inputs.settings.get("waived_features")
    covered |= {str(name) for name in waived} if isinstance(waived, list | tuple) else set()
    open_ones = [name for name in names if name not in covered]
    yield from _top(covered, inputs.settings.get("attribution_shares"))
    yield Measure("monitoring.uncovered_features", float(len(open_ones)), n=len(names), text=", ".join(open_ones[:50]))


def _duties(monitors: list[Monitor]) -> Iterable[Measure]:
    for metric, field in (("without_owner", "owner"), ("without_alert", "alert"), ("without_limit", "limit")):
        lacking = [monitor.name for monitor in monitors if not getattr(monitor, field)]
        yield Measure(f"monitoring.{metric}", float(len(lacking)), n=len(monitors), text="; ".join(lacking[:20]))


def _top(covered: set[str], shares: Any) -> Iterable[Measure]:
    """Which of the ten features that carry the champion's score nobody watches."""
    if not isinstance(shares, Mapping) or not shares:
        return
    top = sorted(shares, key=lambda name: (-float(shares[name]), name))[:TOP]
    missing = [name for name in top if name not in covered]
    yield Measure("monitoring.uncovered_top", float(len(missing)), n=len(top), text=", ".join(missing))


def _limits(monitors: list[Monitor]) -> Iterable[Measure]:
    """The alarm limits that can be compared with a gate's: PSI of drift monitors, the drop of performance monitors."""
    for at, monitor in enumerate(monitors, 1):
        found = re.search(r"(\d+(?:\.\d+)?)\s*(%)?", monitor.limit)
        if found is None:
            continue
        value = float(found.group(1)) / (100 if found.group(2) else 1)
        psi = monitor.kind in ("data_drift", "prediction_drift") and monitor.test.lower() in ("", "psi")
        drop = monitor.kind in ("performance", "concept_drift") and monitor.test.lower() != "psi" and value < 0.5
        if psi or drop:
            what = "psi" if psi else "drop"
            yield Measure(
                "monitoring.limit", value, group=f"monitor={at} {monitor.kind}", text=monitor.name, detail={"what": what}
            )


def _rows(monitors: list[Monitor], people: Any, metrics: Any) -> Iterable[Measure]:
    """Rows a window brings against what its figure needs: 500 for PSI, 100 cases of the rarer class for performance."""
    if not isinstance(people, int | float) or isinstance(people, bool):
        return
    stated = [metrics.get(name) for name in _RATES] if isinstance(metrics, Mapping) else []
    rate = next((float(value) for value in stated if isinstance(value, int | float) and 0 < value < 1), None)
    for at, monitor in enumerate(monitors, 1):
        need, why = NEEDS_ROWS.get(monitor.kind), "PSI"
        if monitor.kind in ("performance", "concept_drift"):
            need = round(NEEDS_CASES / min(rate, 1 - rate)) if rate else 2 * NEEDS_CASES
            why = f"{NEEDS_CASES} cases of the rarer class" if rate else f"{NEEDS_CASES} cases of each class"
        if need and monitor.days is not None:
            yield Measure(
                "monitoring.window_rows",
                float(people * monitor.days / 30),
                group=f"monitor={at} {monitor.kind}",
                text=f"{monitor.days:g} days",
                detail={"need": need, "why": why},
            )
