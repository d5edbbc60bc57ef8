"""What tests ask of a reading."""

from __future__ import annotations

from typing import Any

from governance.domain.facts import Fact, FactSet
from governance.prefill.reading import Reading
from governance.prefill.source import ProblemSeverity


def values(reading: Reading) -> dict[str, Any]:
    """Fact name -> value; a name said twice fails the test that did not expect it."""
    assert len({fact.name for fact in reading.facts}) == len(reading.facts), "a fact is stated twice"
    return {fact.name: fact.value for fact in reading.facts}


def fact(reading: Reading, name: str) -> Fact:
    found = FactSet.of(reading.facts).best(name)
    assert found is not None, f"no fact {name}; there are {[each.name for each in reading.facts]}"
    return found


def errors(reading: Reading) -> list[str]:
    return [f"{problem.locator}: {problem.detail}" for problem in reading.problems if problem.severity is ProblemSeverity.ERROR]


def advice(reading: Reading) -> list[str]:
    return [f"{problem.locator}: {problem.detail}" for problem in reading.problems if problem.severity is ProblemSeverity.ADVICE]
