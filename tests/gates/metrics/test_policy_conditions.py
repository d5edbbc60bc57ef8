"""What a condition in CEL says of facts: yes, no, or no answer with the reason. Nothing makes it hold by accident."""

from __future__ import annotations

from typing import Any

import pytest

from gates import registry, sandbox
from gates.collecting import Inputs
from gates.metrics.policy_conditions_impl import answer
from gates.spec import Measured
from governance.domain.vocabulary import Verdict

COLLECTOR = "policy_conditions"


@pytest.mark.parametrize(
    ("expression", "facts", "value", "words"),
    [
        ('facts["a.b"] == "credit"', {"a.b": "credit"}, 1.0, ""),
        ('facts["a.b"] == "credit"', {"a.b": "fraud"}, 0.0, ""),
        ('facts["a.b"] > 0.5 && facts["a.b"] < 1', {"a.b": 0.81}, 1.0, ""),
        ('facts["a.b"] >= 5.0', {"a.b": 5}, 1.0, ""),
        ('facts["a.b"].exists(x, x == "eu")', {"a.b": ["us", "eu"]}, 1.0, ""),
        ('!("a.b" in facts) || facts["a.b"]', {}, 1.0, ""),
        ('facts["a.b"] == 1', {}, None, "Nobody has said a.b."),
        ('facts["a.b"] == 1 && facts["c.d"]', {}, None, "Nobody has said a.b or c.d."),
        ('facts["a.b"] == 1 || facts["c.d"]', {"c.d": True}, 1.0, ""),
        ('facts["a.b"] == 1 && facts["c.d"]', {"c.d": False}, 0.0, ""),
        ('facts["a.b"] == 1 && facts["c.d"]', {"c.d": True}, None, "Nobody has said a.b."),
        ('facts["a.b"] > 1', {"a.b": "much"}, None, "It compares what does not go together: a.b is text."),
        ('facts["a.b"] && true', {"a.b": "true"}, None, "a.b is text"),
        ('facts["a.b"]', {"a.b": ["x"]}, None, "It gives a list and not true or false."),
        ('facts["a.b"] / 0 == 1', {"a.b": 1}, None, "divide by zero"),
        ('facts["a.b"] > 1', {"a.b": 2**70}, None, "out of range"),
        ('facts["a.b"].matches("(")', {"a.b": "x"}, None, "invalid regular expression"),
        ('facts["a.b"].all(x, facts["a.b"].all(y, x == y || x != y))', {"a.b": ["x"] * 300}, None, "more entries"),
        ("1 +", {}, None, "It cannot be evaluated"),
        ("facts", {"a.b": 1}, None, "It cannot be evaluated"),
    ],
)
def test_an_answer(expression: str, facts: dict[str, Any], value: float | None, words: str) -> None:
    found, reason = answer(expression, facts)
    assert found == value
    assert words in reason and bool(reason) is (value is None)


def test_in_the_confined_child_a_greedy_one_has_no_answer_and_its_neighbours_have() -> None:
    """Doubling a text twenty-six times asks for gigabytes."""
    bomb = '["' + "x" * 900 + '"]' + ".map(a, a + a)" * 26 + '.size() > 0 && facts["a.b"] == 1'
    asked = [
        {"id": f"CE-00{number}", "holds": holds, "says": "Do.", "otherwise": "fail", "facts": {"a.b": 1}}
        for number, holds in enumerate((bomb, 'facts["a.b"] == 1', 'facts["a.b"] == 2'))
    ]
    ran = next(sandbox.run([COLLECTOR], {COLLECTOR: Inputs(settings={"cel_conditions": asked})}))
    assert ran.collected is not None, ran.reason
    rows = ran.collected.measures
    assert [(row.group, row.value) for row in rows] == [
        ("condition=CE-000", None),
        ("condition=CE-001", 1.0),
        ("condition=CE-002", 0.0),
    ]
    assert "more memory than a condition may have" in rows[0].reason
    assert ran.peak_megabytes < 1_000
    gate = registry.gate("GR108")
    judged = gate.judge(Measured(rows), gate.limits)
    assert judged.verdict is Verdict.FAIL and judged.says == "CE-002: Do." and "CE-000 cannot be told" in judged.notes[0]
    assert gate.judge(Measured(rows[:2]), gate.limits).verdict is Verdict.NOT_ASSESSED


@pytest.mark.parametrize(
    ("best", "also", "value", "disagree"),
    [
        ("gradual", ["full"], 0.0, ["a.b"]),
        ("full", ["gradual"], 0.0, ["a.b"]),
        ("gradual", ["canary"], 1.0, None),
        ("gradual", [3], None, ["a.b"]),
        ("gradual", ["canary"] * 64, None, None),
    ],
)
def test_where_sources_disagree_the_stricter_answer_counts(best: Any, also: list[Any], value: Any, disagree: Any) -> None:
    holds = '!facts["a.b"].startsWith("f")'
    asked = {"id": "CE-001", "holds": holds, "says": "Do.", "otherwise": "fail", "facts": {"a.b": best}, "also": {"a.b": also}}
    (row,) = registry.collector(COLLECTOR).collect(Inputs(settings={"cel_conditions": [asked]})).measures
    assert (row.value, row.detail.get("disagree")) == (value, disagree)
    said = registry.gate("GR108").judge(Measured((row,)), {}).says
    assert ("Sources disagree about a.b" in said) is (disagree is not None) or "too much" in said


def test_a_policy_without_conditions_has_no_answer() -> None:
    assert "no conditions in CEL" in registry.collector(COLLECTOR).collect(Inputs()).not_measured
