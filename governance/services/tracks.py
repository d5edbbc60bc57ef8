"""Assigning the track: evaluate, store with everything needed to replay, never lower than before."""

from __future__ import annotations

from collections.abc import Collection

from governance.domain.facts import FactSet
from governance.domain.vocabulary import Track, strictest
from governance.models import PolicyPack, Submission, TrackDecision
from governance.policy import Assessment, Pack, evaluate, what_would_change
from governance.prefill.cumulative import with_cumulative
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
    facts = with_cumulative(facts)
    assessment = evaluate(pack, facts, pending=names)
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
        },
    )
    return decision, assessment
