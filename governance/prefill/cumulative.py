"""Change since people last looked: small steps add up."""

from __future__ import annotations

from governance.domain.facts import Fact, FactSet

EARLIER = "performance.earlier_change"
PRESENT = "performance.relative_change"
TOTAL = "performance.change_since_review"


def with_cumulative(facts: FactSet) -> FactSet:
    """Compound every stated present change with what came before it since the last version that people reviewed.

    Without earlier steps, or before the present one is known, nothing is added.
    """
    earlier = facts.value(EARLIER)
    if not isinstance(earlier, int | float):
        return facts
    before = facts.best(EARLIER)
    assert before is not None
    found = [
        Fact(
            TOTAL,
            (1 + earlier) * (1 + fact.value) - 1,
            min(fact.assurance, before.assurance),
            "derived",
            f"{PRESENT} in {fact.origin}, compounded with {before.origin}",
        )
        for fact in facts.distinct(PRESENT)
        if isinstance(fact.value, int | float)
    ]
    return facts.with_facts(found)
