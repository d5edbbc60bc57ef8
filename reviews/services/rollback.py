"""The way back: nothing is approved without one."""

from __future__ import annotations

from governance.domain.facts import FactSet

FIRST_VERSION = "first version"
QUESTION = "rollout.rollback_target"


def rollback_refusal(facts: FactSet, *, has_champion: bool) -> str:
    """Why a version cannot be approved for want of a way back, or "" when it names one.

    A first version has nothing to return to; then the statement "first version" is the answer, and it counts only where no version
    is in force.
    """
    value = facts.value(QUESTION)
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        return "No rollback target is named. Answer “rollout.rollback_target” with the version to return to, or with “first version”."
    if text.lower() == FIRST_VERSION and has_champion:
        return "The rollback target says “first version”, but another version is in force. Name that one as the way back."
    return ""
