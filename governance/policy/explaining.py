"""Sentences about a track, built from the rules' own reasons and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from governance.domain.vocabulary import Role, Track
from governance.policy.assessment import Assessment, Checked, RequiredStep, RuleStatus


def explain(assessment: Assessment) -> str:
    """Why this track.

    "This deployment requires ML Governance Analyst review because: a, b." or "This is green-track because a and b.".
    """
    return assessment.sentence


def sentence_of(track: Track, hits: Sequence[Checked], checked: Sequence[Checked], steps: Sequence[RequiredStep]) -> str:
    """The sentence of a track before the assessment exists."""
    if track is Track.GREEN:
        return _green(checked)
    # only what decided the track: a yellow reason does not make anything red
    deciding = [row.says for row in hits if row.track is track]
    sentence = f"This deployment requires {reviewer_of(steps)} review because: {', '.join(deciding)}."
    added = [step.role.label for step in steps if step.because]
    return f"{sentence} Also asked: {_and(added)}." if added else sentence


def headline(assessment: Assessment) -> str:
    """The line of the live track panel: track and who reviews, before anything is submitted."""
    track = assessment.track
    if track is Track.GREEN:
        return "Based on the changes you're making, this is a green-track deployment approved by the policy."
    reviewer = reviewer_of(assessment.steps)
    return f"Based on the changes you're making, this is a {track}-track deployment requiring {reviewer} review."


def colour_sentence(assessment: Assessment) -> str:
    """The reason with the colour in front: "This is red-track because: uses 3 features from an unapproved source."."""
    track = assessment.track
    if track is Track.GREEN:
        return assessment.sentence
    return f"This is {track}-track because: {', '.join(row.says for row in assessment.hits if row.track is track)}."


def reviewer_of(steps: Sequence[RequiredStep]) -> str:
    """The role that gives the review its name: the first one the track itself asks for."""
    return next((step.role for step in steps if not step.because), Role.ANALYST).label


def _green(checked: Sequence[Checked]) -> str:
    held = [row.rule.held for row in checked if row.status is RuleStatus.HELD and row.rule.held]
    waiting = [row.rule.title for row in checked if row.status is RuleStatus.PENDING]
    sentence = f"This is green-track because {_and(held) if held else 'no rule asks for a review'}."
    return f"{sentence} Still to be measured: {', '.join(waiting)}." if waiting else sentence


def _and(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), *words[-1:]])
