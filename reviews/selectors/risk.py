"""Risk scores: how much an open finding weighs, and what a system carries in all.

A convention of this product, no statistics: severity counts 1, 3, 9 or 27; the track of the case multiplies by 1, 1.5 or 2; a
version that is live by 1.5; one overdue by 1.5. Closed findings weigh nothing. A system carries the sum of its open findings and
of its open incidents, each of which weighs three times its severity. Every factor is shown beside the number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now, TruncDate

from governance.domain.vocabulary import Severity, Track
from governance.selectors.access import Caller, visible
from reviews.models import Deployment, Finding, Incident
from reviews.selectors.findings import FindingFilters, FindingRow, findings

WEIGHT = {Severity.LOW: 1.0, Severity.MEDIUM: 3.0, Severity.HIGH: 9.0, Severity.CRITICAL: 27.0}
BY_TRACK = {Track.GREEN: 1.0, Track.YELLOW: 1.5, Track.RED: 2.0}
LIVE, OVERDUE, INCIDENT = 1.5, 1.5, 3.0
LEVELS = ((40.0, "high"), (12.0, "medium"), (0.0, "low"))
OPEN = ("open", "fixed")


@dataclass(frozen=True)
class Risk:
    """A score with its level and what it is made of."""

    score: float
    level: str
    because: tuple[str, ...]


def score(severity: str, track: str, *, live: bool, overdue: bool, is_open: bool = True) -> Risk:
    """The score of one finding. A track nobody assigned yet counts as red: what is not known is not light."""
    if not is_open:
        return Risk(0.0, "none", ("closed",))
    value, because = WEIGHT[Severity(severity)], [f"{severity} severity"]
    value *= BY_TRACK[Track(track)] if track else BY_TRACK[Track.RED]
    because.append(f"{track} track" if track else "no track yet, counted as red")
    if live:
        value *= LIVE
        because.append("the version is live")
    if overdue:
        value *= OVERDUE
        because.append("overdue")
    return Risk(round(value, 2), level(value), tuple(because))


def level(value: float) -> str:
    """The level of a score."""
    return next(name for least, name in LEVELS if value >= least)


def findings_with_risk(
    caller: Caller, *, filters: FindingFilters, cursor: str = "", size: int = 25
) -> tuple[tuple[tuple[FindingRow, Risk], ...], str, str]:
    """The findings of the board's list, each with its score. Two queries. Raises `InvalidInput`."""
    rows, following, before = findings(caller, filters=filters, cursor=cursor, size=size)
    known = scores([row.id for row in rows])
    return tuple((row, known[row.id]) for row in rows), following, before


def scores(ids: Iterable[int]) -> Mapping[int, Risk]:
    """The scores of findings by id. One query; who may see them is the caller's to know."""
    live = Deployment.objects.filter(version=OuterRef("submission__version"), state=Deployment.LIVE)
    late = Finding.objects.filter(pk=OuterRef("pk"), due_on__lt=TruncDate(Now()))
    rows = Finding.objects.filter(pk__in=list(ids)).annotate(is_live=Exists(live), is_late=Exists(late))
    found = rows.values_list("pk", "severity", "submission__track", "is_live", "is_late", "state")
    return {pk: score(sev, track, live=on, overdue=over, is_open=state in OPEN) for pk, sev, track, on, over, state in found}


def system_risk(caller: Caller, system_id: int) -> Risk:
    """What a system carries: its open findings and incidents. Three queries."""
    mine = visible(Finding.objects.filter(submission__system_id=system_id, state__in=OPEN), caller, "submission__unit_id")
    each = scores(mine.values_list("pk", flat=True))
    incidents = visible(Incident.objects.filter(system_id=system_id, state=Incident.OPEN), caller)
    weights = [WEIGHT[Severity(severity)] * INCIDENT for severity in incidents.values_list("severity", flat=True)]
    value = sum(risk.score for risk in each.values()) + sum(weights)
    because = [f"{len(each)} open finding{'' if len(each) == 1 else 's'}"]
    because.append(f"{len(weights)} open incident{'' if len(weights) == 1 else 's'}")
    return Risk(round(value, 2), level(value), tuple(because))
