"""Assigning the track: evaluate, store with everything needed to replay, never lower than before."""

from __future__ import annotations

from collections.abc import Collection

from governance.domain.facts import FactSet
from governance.domain.vocabulary import Track, strictest
from governance.models import EnvelopeUse, PolicyPack, Submission, TrackDecision
from governance.policy import Assessment, Pack, evaluate, what_would_change
from governance.policy.conditions import spread_of
from governance.selectors.envelopes import Judged, judged_now
from governance.services.work import Work

TRACK_FIELDS = ("track", "track_is_final", "policy")


def assign(
    work: Work,
    *,
    submission: Submission,
    policy: PolicyPack,
    pack: Pack,
    facts: FactSet,
    pending: Collection[str],
    final: bool,
    save: bool = True,
) -> tuple[TrackDecision, Assessment]:
    """Evaluate the facts and store the decision on the submission's current revision.

    A track assigned earlier to the same revision holds at least: measurements raise it, never lower it.
    `save=False`: the caller saves `TRACK_FIELDS` of the submission itself.
    """
    names = frozenset(pending)
    judged = judged_for(pack, facts, submission)
    facts = judged.facts
    assessment = evaluate(pack, facts, pending=names, envelope=judged.envelope)
    ways = what_would_change(pack, facts, assessment, pending=names)
    track = assessment.track
    if final and submission.track:
        track = strictest(track, Track(submission.track))
    decision = TrackDecision.objects.create(
        submission=submission,
        revision=submission.revision,
        final=final,
        track=track,
        policy=policy,
        facts=facts.to_json(),
        pending=sorted(names),
        assessment=assessment.to_json(),
        would_change=[way.to_json() for way in ways],
        envelope=judged.envelope.to_json() if judged.envelope is not None else None,
    )
    submission.track, submission.track_is_final, submission.policy = track, final, policy
    if save:
        submission.save(update_fields=TRACK_FIELDS)
    work.note(
        "submission.track_assigned",
        submission,
        {
            "track": track.value,
            "final": final,
            "revision": submission.revision,
            "policy": policy.digest,
            "rules": [hit.rule.id for hit in assessment.hits],
            **_envelope_event(assessment),
        },
    )
    if final and judged.envelope is not None and assessment.envelope is not None:
        inside = assessment.envelope.inside
        sizes = {bound.fact: _size(facts, bound.fact) for bound in judged.envelope.bounds if bound.total is not None}
        EnvelopeUse.objects.bulk_create(
            [
                EnvelopeUse(
                    envelope_id=judged.envelope.id,
                    submission=submission,
                    revision=submission.revision,
                    inside=inside,
                    sizes=sizes if inside else {},
                )
            ],
            ignore_conflicts=True,
        )
    return decision, assessment


def judged_for(pack: Pack, facts: FactSet, submission: Submission) -> Judged:
    """What a submission is judged on now: its facts, the day, and the change envelope of its system."""
    return judged_now(pack, facts, system_id=submission.system_id, environment=submission.environment, submission=submission)


def _envelope_event(assessment: Assessment) -> dict[str, object]:
    judged = assessment.envelope
    return {"envelope": judged.envelope.number, "inside": judged.inside} if judged is not None else {}


def _size(facts: FactSet, name: str) -> float:
    """How far a fact moved at most, whichever source is right."""
    spreads = [spread for fact in facts.all(name) if (spread := spread_of(fact)) is not None]
    return max((max(abs(low), abs(high)) for low, high in spreads), default=0.0)
