"""An experiment document read into plain values: what it is, whom it meets, how it is split. Mistakes of type are refused with
their place; what is missing stays empty, for the gate to say what has to be there."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.documents import read_document

RISES = frozenset({"increase", "raise", "raises", "up", "more", "loosen", "higher", "+"})
FALLS = frozenset({"decrease", "lower", "lowers", "down", "less", "tighten", "fewer", "-"})


@dataclass(frozen=True)
class Experiment:
    """What is declared. `population`: attribute -> values, empty for everybody; `direction`: 1, -1 or 0 (not said)."""

    id: str
    team: str
    hypothesis: str = ""
    decision: str = ""
    direction: int = 0
    change: str = ""
    metric: str = ""
    baseline: float | None = None
    spread: float | None = None
    effect: float | None = None
    effect_source: str = ""
    guardrails: tuple[str, ...] = ()
    unit: str = ""
    analysis_unit: str = ""
    salt: str = ""
    layer: str = ""
    population: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allocation: Mapping[str, float] = field(default_factory=dict)
    overlapping_arms: bool = False
    exposure: float | None = None
    alpha: float = 0.05
    power: float = 0.80
    per_day: float | None = None
    start: date | None = None
    end: date | None = None
    stop_kind: str = ""
    stop_rule: str = ""
    looks: int = 0
    correction: str = ""
    observed: Mapping[str, float] = field(default_factory=dict)

    @property
    def days(self) -> int | None:
        return (self.end - self.start).days + 1 if self.start and self.end else None

    def declared(self) -> dict[str, Any]:
        """What others have to know of it, as JSON."""
        return {
            "id": self.id,
            "team": self.team,
            "decision": self.decision,
            "direction": self.direction,
            "change": self.change,
            "unit": self.unit,
            "layer": self.layer,
            "population": {name: list(values) for name, values in self.population.items()},
            "start": self.start.isoformat() if self.start else "",
            "end": self.end.isoformat() if self.end else "",
        }


def read_experiment(evidence: EvidenceInput) -> tuple[Experiment, list[Experiment]]:
    """The experiment and the others it names itself (`others`). Raises EvidenceProblem."""
    body = read_document(evidence)
    inner = body.get("experiment")
    body = inner if isinstance(inner, dict) else body
    others = body.get("others") or []
    if not isinstance(others, list):
        raise _problem(evidence, "others", "a list of experiments", type(others).__name__)
    return _read(evidence, body, ""), [_read(evidence, item, f"others[{at}].") for at, item in enumerate(others)]


def from_register(row: Mapping[str, Any]) -> Experiment:
    """What another submission declared, as stored by `declared`."""
    population = row.get("population")
    return Experiment(
        id=str(row.get("id") or "unnamed"),
        team=str(row.get("team") or "a team not named"),
        decision=str(row.get("decision") or ""),
        direction=int(row.get("direction") or 0),
        change=str(row.get("change") or ""),
        unit=str(row.get("unit") or ""),
        layer=str(row.get("layer") or ""),
        population={str(k): tuple(map(str, v)) for k, v in population.items()} if isinstance(population, Mapping) else {},
        start=_day_or_none(row.get("start")),
        end=_day_or_none(row.get("end")),
    )


def _read(evidence: EvidenceInput, body: Any, where: str) -> Experiment:
    if not isinstance(body, Mapping):
        raise _problem(evidence, where.rstrip(".") or "experiment", "names and values", type(body).__name__)
    change = _map(evidence, body, "change", where)
    metric = _map(evidence, body, "primary_metric", where)
    stop = _map(evidence, body, "stop_rule", where)
    guardrails = body.get("guardrails") or []
    named = body.get("id")
    if not named or not body.get("team"):
        raise _problem(
            evidence, f"{where}{'team' if named else 'id'}", "a name", "nothing", "Both teams are named when tests collide."
        )
    direction = str(change.get("direction") or "").strip().lower()
    if direction and direction not in RISES | FALLS:
        raise _problem(evidence, f"{where}change.direction", "increase or decrease", direction[:40])
    number = _Numbers(evidence, where)
    return Experiment(
        id=str(named)[:80],
        team=str(body["team"])[:80],
        hypothesis=_words(body.get("hypothesis")),
        decision=_words(change.get("decision")).lower()[:80],
        direction=1 if direction in RISES else -1 if direction in FALLS else 0,
        change=_words(change.get("what"))[:200],
        metric=_words(metric.get("name"))[:80],
        baseline=number.of(metric, "baseline", "primary_metric."),
        spread=number.of(metric, "standard_deviation", "primary_metric."),
        effect=number.of(metric, "minimum_effect", "primary_metric."),
        effect_source=_words(metric.get("effect_from")).lower()[:40],
        guardrails=tuple(_words(item)[:80] for item in (guardrails if isinstance(guardrails, list) else [guardrails])),
        unit=_words(body.get("unit")).lower()[:40],
        analysis_unit=_words(body.get("analysis_unit")).lower()[:40],
        salt=_words(body.get("salt"))[:80],
        layer=_words(body.get("layer")).lower()[:80],
        population=_population(evidence, body, where),
        allocation=number.shares(body, "allocation"),
        overlapping_arms=body.get("overlapping_arms") is True,
        exposure=number.of(body, "exposure_percent"),
        alpha=number.of(body, "alpha") or 0.05,
        power=number.of(body, "power") or 0.80,
        per_day=number.of(body, "units_per_day"),
        start=_day(evidence, body, "start", where),
        end=_day(evidence, body, "end", where),
        stop_kind=_words(stop.get("kind")).lower()[:40],
        stop_rule=_words(stop.get("rule"))[:300],
        looks=int(number.of(stop, "looks", "stop_rule.") or 0),
        correction=_words(stop.get("correction"))[:80],
        observed=number.shares(body, "observed"),
    )


@dataclass(frozen=True)
class _Numbers:
    """Reads numbers of one document, so that a wrong one is named with its place."""

    evidence: EvidenceInput
    where: str

    def of(self, body: Mapping[str, Any], name: str, part: str = "") -> float | None:
        value = body.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _problem(self.evidence, f"{self.where}{part}{name}", "a number", str(value)[:40])
        return float(value)

    def shares(self, body: Mapping[str, Any], name: str) -> dict[str, float]:
        given = body.get(name)
        if given is None:
            return {}
        if not isinstance(given, Mapping) or not 2 <= len(given) <= 20:
            raise _problem(
                self.evidence, f"{self.where}{name}", "two arms or more, such as {control: 0.5, treatment: 0.5}", str(given)[:40]
            )
        found = {str(arm)[:40]: self.of(given, arm, f"{name}.") for arm in given}
        bad = next((arm for arm, value in found.items() if value is None or value < 0), None)
        if bad is not None:
            raise _problem(self.evidence, f"{self.where}{name}.{bad}", "a number of zero or more", str(given.get(bad))[:40])
        return {arm: value for arm, value in found.items() if value is not None}


def _population(evidence: EvidenceInput, body: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    given = body.get("population")
    if given in (None, "", "all", "everybody", {}):
        return {}
    if not isinstance(given, Mapping):
        raise _problem(evidence, f"{where}population", "attributes with their values, or all", str(given)[:40])
    found = {}
    for name, values in list(given.items())[:40]:
        rows = values if isinstance(values, list) else [values]
        found[str(name).strip().lower()[:60]] = tuple(sorted({str(value).strip().lower()[:60] for value in rows})[:200])
    return found


def _map(evidence: EvidenceInput, body: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    given = body.get(name)
    if given is None:
        return {}
    if isinstance(given, str):
        return {"name": given, "what": given, "rule": given}
    if not isinstance(given, Mapping):
        raise _problem(evidence, f"{where}{name}", "names and values", str(given)[:40])
    return given


def _day(evidence: EvidenceInput, body: Mapping[str, Any], name: str, where: str) -> date | None:
    given = body.get(name)
    if given is None:
        return None
    found = _day_or_none(given)
    if found is None:
        raise _problem(evidence, f"{where}{name}", "a date such as 2026-11-21", str(given)[:40])
    return found


def _day_or_none(value: Any) -> date | None:
    found = re.match(r"\d{4}-\d{2}-\d{2}", str(value or ""))
    try:
        return date.fromisoformat(found.group()) if found else None
    except ValueError:
        return None


def _words(value: Any) -> str:
    return re.sub(r"\s+", " ", str(value)).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _problem(evidence: EvidenceInput, place: str, expected: str, found: str, way_out: str = "Correct it.") -> EvidenceProblem:
    return EvidenceProblem(file=evidence.name, column=place, expected=expected, found=found, way_out=way_out)
