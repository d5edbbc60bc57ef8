"""What a submission is judged on beside its own facts: the day, what adds up, and the change envelope of its system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.models import ChangeEnvelope, Contributor, EnvelopeUse, Submission
from governance.policy import Pack
from governance.policy.envelopes import Bound, Envelope
from governance.policy.stages import DAY
from governance.prefill.cumulative import with_cumulative
from governance.selectors.champions import WAS_APPROVED


@dataclass(frozen=True)
class Judged:
    """The facts the rules read, and the terms of the envelope in force."""

    facts: FactSet
    envelope: Envelope | None = None


def judged_now(
    pack: Pack,
    facts: FactSet,
    *,
    system_id: int | None,
    environment: str,
    submission: Submission | None = None,
    people: Collection[int] = (),
) -> Judged:
    """Add what compounds, the day where a rule has stages, and the envelope. `people`: who would hand in what does not exist yet.

    One query where the system has no envelope.
    """
    whole = with_cumulative(facts)
    today = timezone.now().astimezone(UTC).date().isoformat()
    if pack.staged and DAY not in whole:
        whole = whole.with_facts([Fact(DAY, today, Assurance.REGISTRY, "clock")])
    if system_id is None:
        return Judged(whole)
    row = (
        ChangeEnvelope.objects.select_related("ruling")
        .filter(system_id=system_id, environment=environment, state=ChangeEnvelope.APPROVED)
        .first()
    )
    return Judged(whole, _terms(row, today, submission, people) if row is not None else None)


def _terms(row: ChangeEnvelope, today: str, submission: Submission | None, people: Collection[int]) -> Envelope:
    mine = submission.pk if submission is not None else None
    revision = submission.revision if submission is not None else 0
    uses: set[int] = set()
    looks: set[tuple[int, int]] = set()
    for pk, number, inside in EnvelopeUse.objects.filter(envelope=row).values_list("submission_id", "revision", "inside"):
        if (pk, number) != (mine, revision):
            looks.add((pk, number))
        if inside and pk != mine:
            uses.add(pk)
    return Envelope(
        id=row.pk,
        title=row.title,
        track=Track(row.track),
        rules=tuple(row.rules),
        bounds=tuple(Bound(**bound) for bound in row.bounds),
        until=row.until.isoformat(),
        day=today,
        most_uses=row.most_uses,
        uses=len(uses),
        most_looks=row.most_looks,
        looks=len(looks),
        spent=_spent(row, mine),
        barred=_barred(row, submission, people),
    )


def _spent(row: ChangeEnvelope, mine: int | None) -> dict[str, float]:
    """How far each version approved inside moved, added up since the last one that people reviewed."""
    approved = Submission.objects.filter(system_id=row.system_id, environment=row.environment, state__in=WAS_APPROVED)
    reviewed = approved.exclude(track=Track.GREEN).order_by("-closed_at").values_list("closed_at", flat=True).first()
    since = reviewed or datetime(1970, 1, 1, tzinfo=UTC)
    latest: dict[int, dict[str, float]] = {}
    uses = EnvelopeUse.objects.filter(
        envelope__system_id=row.system_id, inside=True, submission__in=approved.filter(closed_at__gt=since)
    )
    for pk, sizes in uses.order_by("id").values_list("submission_id", "sizes"):
        if pk != mine:
            latest[pk] = sizes
    found: dict[str, float] = defaultdict(float)
    for sizes in latest.values():
        for name, size in sizes.items():
            found[name] += size
    return dict(sorted(found.items()))


def _barred(row: ChangeEnvelope, submission: Submission | None, people: Collection[int]) -> str:
    """Nobody ships by terms they set themselves."""
    made = {row.proposed_by_id, *([row.ruling.by_id] if hasattr(row, "ruling") else [])}
    there = set(people)
    if submission is not None:
        there |= {submission.submitter_id}
        there |= set(Contributor.objects.filter(submission=submission, person__in=made).values_list("person_id", flat=True))
    return "somebody who set its terms worked on this version" if made & there else ""
