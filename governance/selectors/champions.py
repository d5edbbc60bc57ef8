"""What a submission is compared with: the version in force, and the last one that people reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from typing import Any

from django.db.models import F, Func, JSONField, Value

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, State, Track, strictest
from governance.models import Submission, TrackDecision
from governance.policy import RuleStatus
from governance.selectors.builds import reasons_on_this_build

WAS_APPROVED = (State.APPROVED, State.SUPERSEDED, State.EXPIRED)
MEMORY = timedelta(days=90)


@dataclass(frozen=True)
class Champion:
    """The approved submission that is in force for a system and environment, with the facts it was approved on."""

    submission: Submission
    version: str
    facts: FactSet


def champion_of(*, system_id: int, environment: str, before: int | None = None) -> Champion | None:
    """The latest approved submission of the system in that environment (before a submission id), or None for a first
    deployment."""
    rows = Submission.objects.filter(system_id=system_id, environment=environment, state=State.APPROVED)
    if before is not None:
        rows = rows.exclude(pk=before)
    row = rows.select_related("version").order_by("-closed_at", "-id").first()
    if row is None:
        return None
    return Champion(row, row.version.version, decided_facts(row.pk))


def decided_facts(submission_id: int) -> FactSet:
    """The facts of the last track decision of a submission, measured ones included."""
    facts = TrackDecision.objects.filter(submission_id=submission_id).order_by("-id").values_list("facts", flat=True).first()
    return FactSet.from_json(facts or [])


def earlier_change(*, system_id: int, environment: str) -> float:
    """Compounded performance change of versions approved since the last one that people reviewed.

    Ten steps of 4 % that each stayed green are 48 % since anybody looked; this is what they add up to before the present step.
    """
    factor = 1.0
    rows = Submission.objects.filter(system_id=system_id, environment=environment, state__in=WAS_APPROVED)
    latest = rows.order_by("-closed_at", "-id").values_list("pk", "track")[:50]
    chain = [pk for pk, _ in takewhile(lambda row: row[1] == Track.GREEN, latest)]
    for change in _changes(chain):
        if isinstance(change, int | float):
            factor *= 1.0 + float(change)
    return factor - 1.0


def _changes(submissions: list[int]) -> Iterator[Any]:
    """The performance change in the last track decision of each: one query, and the database picks it out."""
    if not submissions:
        return
    spoken = Func(
        F("facts"),
        Value('$[*] ? (@.name == "performance.relative_change")'),
        function="jsonb_path_query_array",
        template="%(function)s(%(expressions)s::jsonpath)",
        output_field=JSONField(),
    )
    latest = TrackDecision.objects.filter(submission_id__in=submissions).order_by("submission_id", "-id")
    for facts in latest.distinct("submission_id").values_list(spoken, flat=True):
        yield FactSet.from_json(facts).value("performance.relative_change")


def strictest_recent_track(submission: Submission) -> Fact | None:
    """The strictest track of the same build in the last 90 days, so that withdrawing, resubmitting or revising buys nothing.

    Every revision counts by the build it handed in, so a build is recognised after its version went on to another one. Only rules
    that fired on a stated or measured value count: what was merely unknown may be answered later.
    """
    found: dict[Track, set[str]] = {}
    for pk, reasons in reasons_on_this_build(submission, MEMORY):
        fired = [
            Track(row["track"])
            for row in reasons
            if row["status"] == RuleStatus.FIRED and row["fact"] != "submission.recent_track"
        ]
        found.setdefault(strictest(*fired), set()).add(f"S-{pk}")
    worst = strictest(*found) if found else Track.GREEN
    if worst is Track.GREEN:
        return None
    return Fact(
        "submission.recent_track", worst.value, Assurance.REGISTRY, ", ".join(sorted(found[worst])), "same build, last 90 days"
    )
