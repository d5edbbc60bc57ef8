"""Stored track decisions evaluated again: the stored pack and facts have to give the stored answer, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from governance.domain.canonical import canonical_json
from governance.domain.errors import DomainError
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Track, strictest
from governance.models import PolicyPack, TrackDecision
from governance.policy import Pack, load_pack, replay, same_decision, what_would_change


@dataclass(frozen=True)
class Replayed:
    """One decision evaluated again. `differs`: what came out otherwise, in words; empty when nothing did."""

    decision: int
    submission: int
    differs: str


def replay_decisions(*, submission_id: int | None = None) -> Iterator[Replayed]:
    """Every stored decision, or those of one submission, oldest first. Packs are read from their stored text, past any cache."""
    rows = TrackDecision.objects.order_by("id")
    if submission_id is not None:
        rows = rows.filter(submission_id=submission_id)
    packs: dict[int, Pack | str] = {}
    earlier: dict[tuple[int, int], Track] = {}
    for row in rows.iterator(500):
        if row.policy_id not in packs:
            packs[row.policy_id] = _stored_pack(row.policy_id)
        before = earlier.get((row.submission_id, row.revision))
        yield Replayed(row.pk, row.submission_id, _difference(row, packs[row.policy_id], before))
        earlier[row.submission_id, row.revision] = Track(row.track)


def _stored_pack(pk: int) -> Pack | str:
    row = PolicyPack.objects.get(pk=pk)
    try:
        pack = load_pack(row.source, row.questionnaire or None)
    except DomainError as exc:
        return f"the stored pack {row.name} {row.version} does not load any more: {exc.detail}"
    return pack if pack.digest == row.digest else f"the stored text of pack {row.name} {row.version} is not the one of its digest"


def _difference(row: TrackDecision, pack: Pack | str, before: Track | None) -> str:
    if isinstance(pack, str):
        return pack
    pending = frozenset(row.pending)
    assessment = replay(pack, row.facts, pending, row.envelope)
    if not same_decision(row.assessment, assessment):
        return f"the rules give {assessment.track.value} now: {assessment.sentence}"
    # a final track is never below the provisional one of the same revision
    track = strictest(assessment.track, before) if row.final and before else assessment.track
    if track is not Track(row.track):
        return f"the rules give {track.value}, {row.track} was stored"
    ways = [way.to_json() for way in what_would_change(pack, FactSet.from_json(row.facts), assessment, pending=pending)]
    return "" if canonical_json(ways) == canonical_json(row.would_change) else "what would change the track comes out otherwise"
