"""How easily a release is taken back follows from what is stated; silence is no easy way back, the harder statement counts."""

from __future__ import annotations

from typing import Any

import pytest

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.policy import RuleStatus
from governance.prefill.way_back import way_back
from tests.governance.policy.cases import DROP, judged, row_of

EASY = {
    "decision.reversible": True,
    "rollout.rollback_target": "2.2.0",
    "rollout.rollback_minutes": 10,
    "rollout.strategy": "full",
    "rollout.circuit_breaker": True,
}


def stated(values: dict[str, Any], level: Assurance = Assurance.FILE) -> list[Fact]:
    return [Fact(name, value, level, "MLmodel") for name, value in values.items()]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "easy"),
        ({"rollout.strategy": "canary", "rollout.circuit_breaker": None, "rollout.rollback_minutes": None}, "easy"),
        ({"rollout.strategy": "gradual", "rollout.circuit_breaker": False}, "easy"),
        ({"rollout.circuit_breaker": False}, "hard"),
        ({"rollout.strategy": None}, ""),
        ({"decision.reversible": False}, "none"),
        ({"rollout.rollback_target": "First version"}, "none"),
        ({"rollout.circuit_breaker": None}, ""),
        *(({name: None}, "") for name in ("decision.reversible", "rollout.rollback_target", "rollout.rollback_minutes")),
    ],
)
def test_the_class_follows_from_what_is_stated(change: dict[str, Any], expected: str) -> None:
    facts = FactSet.of(fact for fact in stated({**EASY, **change}) if fact.known)
    assert [fact.value for fact in way_back(facts)] == ([expected] if expected else [])


def test_the_harder_of_two_statements_counts_and_it_is_worth_its_weakest_input() -> None:
    both = FactSet.of([*stated(EASY), *stated({"decision.reversible": False}, Assurance.DECLARED)])
    (fact,) = way_back(both)
    assert (fact.value, fact.assurance) == ("none", Assurance.DECLARED)
    typed = FactSet.of([*stated({**EASY, "rollout.rollback_minutes": 4}), *stated({"rollout.rollback_minutes": 90})])
    assert "in 90 minutes" in way_back(typed)[0].locator


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"rollout.rollback_class": "hard"}, RuleStatus.FIRED),
        ({"rollout.rollback_class": "easy"}, RuleStatus.HELD),
        ({"rollout.rollback_class": "easy", "rollout.rollback_minutes": 60}, RuleStatus.HELD),
        ({"rollout.rollback_class": "easy", "rollout.rollback_minutes": 60.5}, RuleStatus.FIRED),
        ({"rollout.rollback_class": DROP}, RuleStatus.UNKNOWN),
    ],
)
def test_the_rule_reads_it_and_raises_nothing_before_its_day(change: dict[str, Any], status: RuleStatus) -> None:
    result = judged({**change, "policy.day": "2026-11-21"})
    row = row_of(result, "TR-033")
    assert row.status is status and result.track is Track.GREEN and row.track is None
    assert (row.would is Track.YELLOW) is (status is not RuleStatus.HELD)
