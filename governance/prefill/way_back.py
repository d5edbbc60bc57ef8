"""How easily a release is taken back: from the version to return to, the time it takes, what stops it and whom it reaches first.

Nothing is said while something of it is not known: what nobody stated is no easy way back.
"""

from __future__ import annotations

from governance.domain.facts import Fact, FactSet
from governance.prefill.against_champion import FIRST_VERSION
from governance.prefill.derived import derived, known

EASY, HARD, NONE = "easy", "hard", "none"
CLASSES = (EASY, HARD, NONE)
FEW_AT_FIRST = ("shadow", "canary", "ab_test", "gradual")


def way_back(facts: FactSet) -> tuple[Fact, ...]:
    """`rollout.rollback_class`: none (a decision cannot be reversed, or there is no version to return to), hard (everybody gets
    it at once and nothing stops it by itself), easy (a version, and few people at first or a stop within a stated time). Where
    statements differ the harder one counts.
    """
    reversible, targets = known(facts, "decision.reversible"), known(facts, "rollout.rollback_target")
    final = [fact for fact in reversible if fact.value is False]
    if final:
        return (_class(NONE, final, "a wrong decision cannot be reversed"),)
    nowhere = [fact for fact in targets if str(fact.value).strip().lower() == FIRST_VERSION]
    if nowhere:
        return (_class(NONE, nowhere, "there is no earlier version to return to"),)
    strategies, breakers = known(facts, "rollout.strategy"), known(facts, "rollout.circuit_breaker")
    at_once = [fact for fact in strategies if fact.value not in FEW_AT_FIRST]
    unstopped = [fact for fact in breakers if fact.value is False]
    if at_once and unstopped:
        return (_class(HARD, [*at_once, *unstopped], "everybody gets it at once, and nothing stops it by itself"),)
    if not (reversible and targets and strategies):
        return ()
    inputs, minutes = [*reversible, *targets, *strategies], known(facts, "rollout.rollback_minutes")
    if not at_once:
        return (_class(EASY, inputs, f"few people get it at first, and {targets[0].value} is there to return to"),)
    if breakers and minutes:
        slowest = max(fact.value for fact in minutes)
        because = f"a circuit breaker stops it, and it is back at {targets[0].value} in {slowest:g} minutes"
        return (_class(EASY, [*inputs, *breakers, *minutes], because),)
    return ()


def _class(value: str, inputs: list[Fact], because: str) -> Fact:
    return derived("rollout.rollback_class", value, inputs, because)
