"""The way back: nothing is approved without one."""

from __future__ import annotations

from governance.domain.facts import FactSet
from governance.prefill.against_champion import FIRST_VERSION

QUESTION = "rollout.rollback_target"


def rollback_refusal(facts: FactSet, *, has_champion: bool) -> str:
    """Why a version cannot be approved for want of a way back, or "" when it names one.

    A first version has nothing to return to; then the statement "first version" is the answer, and it counts only where no
    version is in force.
    """
    named = [fact.value.strip() for fact in facts.all(QUESTION) if isinstance(fact.value, str) and fact.value.strip()]
    if not named:
        return (
            "No rollback target is named. Answer “rollout.rollback_target” with the version to return to, "
            "or with “first version” where there is none."
        )
    # a file may still say what a person has corrected: any statement that names a version names the way back
    if has_champion and all(text.lower() == FIRST_VERSION for text in named):
        return "The rollback target says “first version”, but another version is in force. Name that one as the way back."
    return ""
