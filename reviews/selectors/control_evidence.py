"""What shows that a control was applied in a period: rules that judged, gates that spoke, people who signed, records kept.

Everything is counted from stored rows the caller may see, with a fixed number of statements whatever the mapping's size. Where a
control is set up but nothing was recorded in the period, the count is nought and is shown as that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Model, QuerySet
from django.utils import timezone

from gates.models import GateOutcome
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Role, Verdict
from governance.models import Answer, TrackDecision
from governance.policy.regimes import Control, Regime, regimes
from governance.selectors.access import Caller, visible
from reviews.models import SignOff
from reviews.selectors.record_counts import CASE, KEPT

MOST_DAYS = 3_700


@dataclass(frozen=True)
class Period:
    """From the beginning of `since` to the end of `until`."""

    since: date
    until: date

    @property
    def moments(self) -> tuple[datetime, datetime]:
        zone = timezone.get_current_timezone()
        return datetime.combine(self.since, time.min, zone), datetime.combine(self.until + timedelta(days=1), time.min, zone)


def period(since: str = "", until: str = "") -> Period:
    """The period two ISO days name; by default the last 90 days. Raises `InvalidInput` naming the field."""
    today = timezone.localdate()
    last = _day("until", until) or today
    first = _day("since", since) or last - timedelta(days=89)
    if first > last:
        raise _odd("since", "The first day lies after the last one.")
    if (last - first).days > MOST_DAYS:
        raise _odd("since", "A period is at most ten years long.")
    return Period(first, last)


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _odd(name, f"Write the day as 2026-11-21, found “{text[:20]}”.") from None
    if not 2000 <= day.year <= 2100:
        raise _odd(name, "Name a day between 2000 and 2100.")
    return day


def _odd(name: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, errors=(FieldError(f"/{name}", "period", detail),))


@dataclass(frozen=True)
class Shown:
    """One thing that shows a control: how often in the period, in words, and where to look. `kind`: rule, gate, question, …"""

    kind: str
    name: str
    label: str
    count: int
    says: str
    url: str


@dataclass(frozen=True)
class ControlRow:
    """One control with what shows it. `standing`: shown, nothing in the period, or gap."""

    control: Control
    evidence: tuple[Shown, ...]

    @property
    def total(self) -> int:
        return sum(item.count for item in self.evidence)

    @property
    def standing(self) -> str:
        """`shown` and `partly` rest on records of the period; `quiet`: set up, nothing recorded; `gap`: not covered here."""
        if not self.evidence:
            return "gap"
        if not self.total:
            return "quiet"
        return "partly" if self.control.gap else "shown"


@dataclass(frozen=True)
class RegimeEvidence:
    """The table of one regime. `named`: submissions of the period that name the regime; None where it has no code."""

    regime: Regime
    period: Period
    rows: tuple[ControlRow, ...]
    named: int | None

    def number(self, standing: str) -> int:
        return sum(row.standing == standing for row in self.rows)

    @property
    def standings(self) -> dict[str, int]:
        """How many controls stand how."""
        return {name: self.number(name) for name in STANDINGS}


STANDINGS = {
    "shown": "shown by records of the period",
    "partly": "shown, with a part that is not covered here",
    "quiet": "set up, nothing recorded in the period",
    "gap": "not covered here",
}


def control_evidence(caller: Caller, within: Period, wanted: str = "") -> tuple[RegimeEvidence, ...]:
    """The tables of every regime, or of the one named (none for an unknown name). Some thirty statements, whatever their size."""
    chosen = tuple(regime for regime in regimes() if wanted in ("", regime.regime))
    counted = _counted(caller, within) if chosen else {}
    return tuple(
        RegimeEvidence(
            regime,
            within,
            tuple(ControlRow(control, tuple(_shown(caller, control, counted))) for control in regime.controls),
            sum(counted["regime"].get(code, 0) for code in regime.codes) if regime.codes else None,
        )
        for regime in chosen
    )


Counts = dict[str, Any]


def _counted(caller: Caller, within: Period) -> Counts:
    first, after = within.moments

    def mine(model: type[Model], **more: Any) -> QuerySet[Any]:
        return visible(model._default_manager.filter(at__gte=first, at__lt=after, **more), caller, CASE).order_by()

    decisions = mine(TrackDecision, final=True)
    outcomes = mine(GateOutcome).values("code", "verdict").annotate(number=Count("pk"))
    gates: dict[str, dict[str, int]] = {}
    for row in outcomes:
        gates.setdefault(row["code"], {})[row["verdict"]] = row["number"]
    answers = mine(Answer).values("question").annotate(number=Count("pk"))
    steps = mine(SignOff, voided_at__isnull=True).values("role").annotate(number=Count("pk"))
    return {
        "rule": _rules(decisions),
        "regime": _regimes(decisions),
        "gate": gates,
        "question": {row["question"]: row["number"] for row in answers},
        "step": {row["role"]: row["number"] for row in steps},
        "record": {name: kept.count(caller, first, after) for name, kept in KEPT.items()},
    }


def _rules(decisions: QuerySet[TrackDecision]) -> dict[str, tuple[int, int]]:
    """Rule -> how often it judged, how often it raised the track: one statement over the stored assessments."""
    sql, params = decisions.values("assessment").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT row ->> 'rule', count(*), count(*) FILTER (WHERE row ->> 'track' IS NOT NULL)
            FROM ({sql}) AS found(assessment), jsonb_array_elements(found.assessment -> 'checked') AS row
            WHERE row ->> 'status' NOT IN ('not_applicable', 'pending') GROUP BY 1""",
            params,
        )
        return {rule: (judged, fired) for rule, judged, fired in cursor.fetchall()}


def _regimes(decisions: QuerySet[TrackDecision]) -> dict[str, int]:
    """Code of a regime -> submissions that name it."""
    sql, params = decisions.values("submission_id", "facts").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT code, count(DISTINCT found.submission_id)
            FROM ({sql}) AS found(submission_id, facts), jsonb_array_elements(found.facts) AS fact,
              jsonb_array_elements_text(
                CASE WHEN jsonb_typeof(fact -> 'value') = 'array' THEN fact -> 'value' ELSE '[]' END) AS code
            WHERE fact ->> 'name' = 'regulation.regimes' GROUP BY 1""",
            params,
        )
        return dict(cursor.fetchall())


def _shown(caller: Caller, control: Control, counted: Counts) -> Iterable[Shown]:
    for rule in control.rules:
        judged, fired = counted["rule"].get(rule, (0, 0))
        yield Shown("rule", rule, f"rule {rule}", judged, f"judged {judged}, raised the track {fired} times", f"/policies#{rule}")
    for gate in control.gates:
        verdicts = counted["gate"].get(gate, {})
        spoke = sum(number for verdict, number in verdicts.items() if verdict not in _SILENT)
        words = [f"{verdicts[v]} {v.replace('_', ' ')}" for v in Verdict if verdicts.get(v)]
        yield Shown("gate", gate, f"gate {gate}", spoke, ", ".join(words) or "did not run", f"/gates/{gate}")
    for question in control.questions:
        number = counted["question"].get(question, 0)
        says = f"answered by people {number} times; read from files otherwise"
        yield Shown("question", question, f"question {question}", number, says, f"/learn/questions/{question}")
    for role in control.steps:
        number = counted["step"].get(role, 0)
        yield Shown("step", role, f"review by {Role(role).label}", number, f"{number} signed", "/submissions")
    for name in control.records:
        kept, number = KEPT[name], counted["record"][name]
        says = f"{number} in the period" if kept.at else f"{number} now"
        yield Shown("record", name, kept.label, number, says, kept.url_for(caller))


_SILENT = frozenset({Verdict.NOT_ASSESSED.value, Verdict.NOT_APPLICABLE.value})
"""What shows no control: a gate that could not speak, or had nothing to speak of."""
