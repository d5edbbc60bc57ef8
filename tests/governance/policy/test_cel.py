"""Conditions in CEL as a pack writes them: what they read is known from their text, and a mistake refuses the pack."""

from __future__ import annotations

import json

import pytest

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.policy import PackError, load_pack
from governance.policy.cel import asked_of, compiled, facts_read
from governance.policy.differing import differences
from tests.governance.policy.test_pack_loading import SMALL

CONDITION = """
cel_conditions:
  - id: CE-001
    why: A mistake reaches everybody at once.
    holds: '!facts["decision.automated"] || facts["rollout.strategy"] != "full"'
    says: Automated decisions are not rolled out to everybody at once. Use a canary or a gradual roll-out.
    examples:
      - {name: gradual, facts: {decision.automated: true, rollout.strategy: gradual}, gives: holds}
      - {name: all at once, facts: {decision.automated: true, rollout.strategy: full}, gives: broken}
      - {name: nobody said how, facts: {decision.automated: true}, gives: unknown}
"""
GATE = "  - {gate: GR108, why: w, tracks: [green, yellow, red], blocking: true, note: convention}\n"
WITH = SMALL + GATE + CONDITION


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('facts["a.b"] == 1', ("a.b",)),
        ("facts [ 'a.b' ] == 1", ("a.b",)),
        ('!("a.b" in facts) || facts["c.d"] > 1 || facts["a.b"]', ("a.b", "c.d")),
        ('"x" in facts["a.b"]', ("a.b",)),
        ('facts["a.b"] in facts["c.d"]', ("a.b", "c.d")),
        ('facts["a.b"] == "facts" // facts', ("a.b",)),
        ("\"\"\"facts\"\"\" == facts['a.b'] && 'it\\'s facts' != r'facts\\'", ("a.b",)),
    ],
)
def test_the_facts_an_expression_reads(expression: str, names: tuple[str, ...]) -> None:
    assert facts_read(expression) == names


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("1 == 1", "reads no fact"),
        ("facts.a == 1", "stands alone"),
        ("size(facts) == 0", "stands alone"),
        ("facts", "stands alone"),
        ("[1].all(facts, facts == 1)", "stands alone"),
        ('"a" + "x.y" in facts', "stands alone"),
        ('"x.y" in facts.z', "stands alone"),
        ('facts["a." + "b"] == 1', "stands alone"),
        ('facts[x] == 1 && facts["a.b"]', "no name of a fact"),
        ('facts["A-b"] == 1', "no name of a fact"),
        ('facts[r"a.b"] == 1', "no name of a fact"),
        ("x in facts", "no name of a fact"),
    ],
)
def test_a_fact_without_its_name_is_refused(expression: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        facts_read(expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("1 +", "line 1, character 4: Syntax error"),
        ('facts["a.b"] + 1', "gives int; it has to give true or false"),
        ("size('abc')", "gives int"),
        ("unknown == 1", "undeclared reference"),
        ("__import__('os') == 1", "undeclared reference"),
        ("(" * 300 + "true" + ")" * 300, "recursion limit"),
    ],
)
def test_what_is_no_condition_in_cel_is_refused(expression: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compiled(expression)


def test_a_condition_gets_the_facts_it_reads_and_nothing_else() -> None:
    pack = load_pack(WITH)
    (condition,) = pack.document.cel_conditions
    assert condition.reads == ("decision.automated", "rollout.strategy") and condition.otherwise == "fail"
    facts = FactSet.of(
        [
            Fact("decision.automated", False, Assurance.DECLARED, "dana"),
            Fact("decision.automated", True, Assurance.FILE, "card"),
            Fact("system.owner", "risk-ml", Assurance.FILE, "card"),
            Fact("rollout.strategy", None, Assurance.DECLARED, "dana"),
        ]
    )
    (asked,) = asked_of(pack.document.cel_conditions, facts)
    assert (asked["id"], asked["facts"], asked["also"]) == (
        "CE-001",
        {"decision.automated": True},
        {"decision.automated": [False]},
    )
    assert "also" not in condition.asked_about(FactSet.of([]))
    json.dumps(asked)


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('!= "full"\'', '!= "full"\' +', "", "expected"),
        ('!= "full"', '!= "full', "cel_conditions[0].holds", "This is no CEL: line 1"),
        ('facts["rollout.strategy"]', "facts.rollout.strategy", "cel_conditions[0].holds", "Read a fact by its name"),
        ("gives: broken", "gives: holds", "cel_conditions[0]", "needs an example that gives “broken”"),
        ("{decision.automated: true}, gives: unknown", "{system.owner: x}, gives: unknown", "cel_conditions[0]", "does not read"),
        ("gives: unknown", "gives: maybe", "cel_conditions[0].examples[2].gives", "Input should be"),
        ("id: CE-001", "id: TR-001", "cel_conditions[0].id", "pattern"),
        ("    says: Auto", "    otherwise: red\n    says: Auto", "cel_conditions[0].otherwise", "Input should be"),
        (GATE, "", "", "“cel_conditions” are judged by GR108"),
        (CONDITION, "", "", "“cel_conditions” are judged by GR108"),
        (CONDITION, CONDITION + CONDITION.replace("\ncel_conditions:", ""), "", "CE-001 stands here twice"),
        ("holds: '", f"holds: 'true || {'x' * 2_000}", "cel_conditions[0].holds", "at most 2000 characters"),
        (CONDITION, "cel_conditions: nothing\n", "cel_conditions", "tuple"),
    ],
)
def test_a_mistake_refuses_the_pack(old: str, new: str, path: str, words: str) -> None:
    assert old in WITH
    with pytest.raises(PackError) as refused:
        load_pack(WITH.replace(old, new, 1))
    assert refused.value.path == path
    assert words in refused.value.detail


def test_what_differs_is_said_in_words() -> None:
    none, one = load_pack(SMALL), load_pack(WITH)
    (new, gate) = differences(none, one)
    assert (new.about, new.effect, gate.about) == ("CE-001", "stricter", "GR108") and "new condition: !facts" in new.says
    assert [(each.about, each.effect) for each in differences(one, none)] == [("CE-001", "looser"), ("GR108", "looser")]
    changed = load_pack(
        WITH.replace('!= "full"', '== "gradual"').replace("    says: Auto", "    otherwise: warn\n    says: Auto")
    )
    expression, otherwise = differences(one, changed)
    assert 'holds now when !facts["decision.automated"] || facts["rollout.strategy"] == "gradual"' in expression.says
    assert (otherwise.says, otherwise.effect) == ("a broken one is a warn now, was a fail", "looser")
    assert [each.effect for each in differences(changed, one)] == ["other", "stricter"]
    (words,) = differences(one, load_pack(WITH.replace("says: Automated", "says: All automated")))
    assert not words.judges and words.says == "only words or examples changed"
    assert differences(one, one) == ()
