"""What governance comes to: how long decisions take, how released versions fare, what waiting and failing cost.

All of it is counted from rows, per business unit, at the moment of asking. Amounts are declared by people and never converted:
each currency stands for itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Track
from governance.selectors.access import Caller

PERIODS = {30: "30 days", 90: "90 days", 365: "a year"}
AFTER = {7: "7 days", 30: "30 days", 90: "90 days"}
MOST = 100

_UNITS = "(%(all)s OR s.unit_id = ANY(%(units)s))"
# From the first time a version was handed in to the first verdict on it: its permit, or its rejection. Both happen once.
_DECIDED = f"""
  SELECT s.id, s.track, first.at AS handed_in, coalesce(min(p.issued_at), max(s.closed_at)) AS decided
  FROM governance_submission s
  JOIN LATERAL (SELECT min(submitted_at) AS at FROM governance_revision WHERE submission_id = s.id) first ON first.at IS NOT NULL
  LEFT JOIN reviews_permit p ON p.submission_id = s.id
  WHERE {_UNITS} AND s.track <> '' AND (s.state = 'rejected' OR p.id IS NOT NULL)
  GROUP BY s.id, first.at
"""
_ELAPSED = f"""
WITH decided AS ({_DECIDED})
SELECT track, count(*),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM decided - handed_in)),
  percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM decided - handed_in))
FROM decided WHERE decided >= %(since)s GROUP BY track
"""
# Approved long enough ago that the time after it has passed, each with whether an incident began in that time.
_SAFE = f"""
SELECT s.id, s.track, y.slug, v.version, s.environment, min(p.issued_at) AS approved, s.submitter_id,
  EXISTS (SELECT 1 FROM reviews_incident i WHERE i.version_id = s.version_id
          AND i.began_at >= min(p.issued_at) AND i.began_at < min(p.issued_at) + %(after)s) AS incident,
  (SELECT count(*) FROM reviews_condition c JOIN reviews_signoff o ON o.id = c.sign_off_id
    WHERE c.submission_id = s.id AND o.voided_at IS NULL) AS conditions,
  (SELECT string_agg(w.compensating_control, '; ') FROM reviews_waiver w
    WHERE w.submission_id = s.id AND w.granted_at IS NOT NULL) AS controls,
  (SELECT t.facts FROM governance_trackdecision t WHERE t.submission_id = s.id ORDER BY t.id DESC LIMIT 1) AS facts
FROM governance_submission s
JOIN reviews_permit p ON p.submission_id = s.id
JOIN governance_system y ON y.id = s.system_id JOIN governance_systemversion v ON v.id = s.version_id
WHERE {_UNITS} GROUP BY s.id, y.slug, v.version
HAVING min(p.issued_at) >= %(since)s AND min(p.issued_at) <= %(now)s - %(after)s
ORDER BY approved DESC
"""
_RULES = """
  (SELECT array_agg(DISTINCT reason ->> 'rule')
   FROM governance_trackdecision t, jsonb_array_elements(t.assessment -> 'reasons') reason
   WHERE t.id = (SELECT max(id) FROM governance_trackdecision WHERE submission_id = s.id) AND reason ->> 'status' = 'fired')
"""
# Days from handing in to the verdict, or until now while there is none, with the value a day somebody declared.
_DELAY = f"""
SELECT s.id, s.track, y.slug, v.version, {_RULES} AS rules,
  extract(epoch FROM coalesce(min(p.issued_at), s.closed_at, %(now)s) - first.at) / 86400.0 AS days, d.per_day, d.currency
FROM governance_submission s
JOIN governance_system y ON y.id = s.system_id JOIN governance_systemversion v ON v.id = s.version_id
JOIN LATERAL (SELECT min(submitted_at) AS at FROM governance_revision WHERE submission_id = s.id) first ON first.at >= %(since)s
LEFT JOIN reviews_permit p ON p.submission_id = s.id
LEFT JOIN LATERAL (
  SELECT per_day, currency FROM reviews_declaredvalue WHERE submission_id = s.id ORDER BY id DESC LIMIT 1) d ON true
WHERE {_UNITS} GROUP BY s.id, y.slug, v.version, first.at, d.per_day, d.currency ORDER BY s.id DESC
"""
_FAILURES = f"""
SELECT i.id, s.track, {_RULES} AS rules, i.loss, i.currency
FROM reviews_incident i JOIN governance_submission s ON s.id = i.submission_id
WHERE {_UNITS} AND i.began_at >= %(since)s ORDER BY i.id DESC
"""


@dataclass(frozen=True)
class Elapsed:
    """How long decisions of a track took, from handing in to the verdict."""

    track: str
    count: int
    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True)
class Released:
    """One approved version and how it fared in the time after."""

    submission: str
    track: str
    system: str
    version: str
    environment: str
    approved: datetime
    incident: bool
    mitigations: tuple[str, ...]


@dataclass(frozen=True)
class Safe:
    """Approved versions of a track without an incident in the time after."""

    track: str
    approved: int
    safe: int

    @property
    def share(self) -> float | None:
        return self.safe / self.approved if self.approved else None


@dataclass(frozen=True)
class Cost:
    """One side of the comparison for a track or rule. `amounts`: currency -> amount; `undeclared`: nobody put a value to them."""

    name: str
    count: int
    days: float
    amounts: tuple[tuple[str, Decimal], ...]
    undeclared: int


@dataclass(frozen=True)
class Costs:
    """Waiting beside failing, by track and by rule."""

    delay_by_track: tuple[Cost, ...]
    failure_by_track: tuple[Cost, ...]
    delay_by_rule: tuple[Cost, ...]
    failure_by_rule: tuple[Cost, ...]
    undeclared: tuple[tuple[str, str], ...]
    """Submissions nobody put a value to: number, what it is."""


def elapsed(caller: Caller, *, days: int = 90) -> tuple[Elapsed, ...]:
    """Median and 90th percentile by track, of verdicts in the last `days`. One query; tracks without a verdict say so."""
    found = {track: (count, mid, high) for track, count, mid, high in _rows(_ELAPSED, caller, days)}
    return tuple(
        Elapsed(track.value, found[track][0], _span(found[track][1]), _span(found[track][2]))
        if track in found
        else Elapsed(track.value, 0, None, None)
        for track in Track
    )


def released(caller: Caller, *, days: int = 365, after: int = 30) -> tuple[tuple[Safe, ...], tuple[Released, ...]]:
    """Versions approved in the last `days`, at least `after` days ago: by track, and one by one with their mitigations.

    A version approved more recently is not counted: nobody can know yet. One query. Raises `InvalidInput`.
    """
    if after not in AFTER:
        raise InvalidInput("after is 7, 30 or 90 days.", errors=(FieldError("/after", "unknown", "7, 30 or 90."),))
    rows = [
        Released(f"S-{pk}", track, system, version, where, approved, incident, _mitigations(conditions, controls, facts))
        for pk, track, system, version, where, approved, _, incident, conditions, controls, facts in _rows(
            _SAFE, caller, days, after=timedelta(days=after)
        )
    ]
    tracks = tuple(
        Safe(track.value, sum(r.track == track for r in rows), sum(r.track == track and not r.incident for r in rows))
        for track in Track
    )
    return tracks, tuple(rows[:MOST])


def costs(caller: Caller, *, days: int = 90) -> Costs:
    """Days waited × declared value a day, beside incidents × declared loss. Two queries."""
    delays = [
        (f"S-{pk}", f"{system} {version}", track, rules or (), max(float(waited), 0.0), per_day, currency or "")
        for pk, track, system, version, rules, waited, per_day, currency in _rows(_DELAY, caller, days)
    ]
    failures = [(track, rules or (), loss, currency) for _, track, rules, loss, currency in _rows(_FAILURES, caller, days)]
    waits = [(track, rules, d, _times(per_day, d), cur) for _, _, track, rules, d, per_day, cur in delays]
    fails = [(track, rules, 0.0, loss, cur) for track, rules, loss, cur in failures]
    return Costs(
        delay_by_track=_by(((t or "no track yet", d, a, c) for t, _, d, a, c in waits)),
        failure_by_track=_by(((t or "no track yet", d, a, c) for t, _, d, a, c in fails)),
        delay_by_rule=_by(((rule, d, a, c) for _, rules, d, a, c in waits for rule in rules)),
        failure_by_rule=_by(((rule, d, a, c) for _, rules, d, a, c in fails for rule in rules)),
        undeclared=tuple((number, what) for number, what, _, _, _, per_day, _ in delays if per_day is None)[:MOST],
    )


def _rows(sql: str, caller: Caller, days: int, **more: Any) -> list[tuple[Any, ...]]:
    if days not in PERIODS:
        raise InvalidInput("days is 30, 90 or 365.", errors=(FieldError("/days", "unknown", "30, 90 or 365."),))
    now = timezone.now()
    given = {"all": caller.sees_all_units, "units": sorted(caller.units), "since": now - timedelta(days=days), "now": now, **more}
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall())


def _span(seconds: float | Decimal | None) -> timedelta | None:
    return timedelta(seconds=float(seconds)) if seconds is not None else None


def _times(per_day: Decimal | None, days: float) -> Decimal | None:
    return (per_day * Decimal(str(round(days, 4)))).quantize(Decimal("0.01")) if per_day is not None else None


def _by(rows: Iterable[tuple[str, float, Decimal | None, str]]) -> tuple[Cost, ...]:
    """Summed by name: the one that cost or waited most on top."""
    groups: dict[str, list[tuple[float, Decimal | None, str]]] = {}
    for name, days, amount, currency in rows:
        groups.setdefault(name, []).append((days, amount, currency))
    found = []
    for name, items in groups.items():
        amounts: dict[str, Decimal] = {}
        for _, amount, currency in items:
            if amount is not None:
                amounts[currency] = amounts.get(currency, Decimal(0)) + amount
        undeclared = sum(amount is None for _, amount, _ in items)
        found.append(Cost(name, len(items), sum(days for days, _, _ in items), tuple(sorted(amounts.items())), undeclared))
    return tuple(sorted(found, key=lambda cost: (-max((a for _, a in cost.amounts), default=Decimal(0)), -cost.days, cost.name)))


def _mitigations(conditions: int, controls: str | None, facts: str | list[Mapping[str, Any]] | None) -> tuple[str, ...]:
    """What was in force to keep harm small, in words."""
    told, found = FactSet.from_json(json.loads(facts) if isinstance(facts, str) else facts or []), []
    if conditions:
        found.append(f"{conditions} condition{'' if conditions == 1 else 's'}")
    if controls:
        found.append(f"control in place of a waived gate: {controls}")
    for name, words in _FACTS.items():
        value = told.value(name)
        if value not in (None, "", False, 100, "none"):
            found.append(words.format("" if value is True else value).strip())
    return tuple(found)


_FACTS = {
    "rollout.strategy": "rollout: {}",
    "rollout.traffic_percent": "to {} % of traffic first",
    "rollout.circuit_breaker": "circuit breaker {}",
    "decision.human_review": "people look: {}",
    "rollout.rollback_target": "way back: {}",
    "monitoring.plan": "watched: {}",
}
