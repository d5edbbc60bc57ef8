"""What would change the track: every way out is tried on the whole pack again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.policy import evaluate, load_pack, what_would_change
from tests.governance.policy.cases import DROP, PACK_TEXT, facts, judged, pack
from tests.governance.policy.test_pack_loading import SMALL
from tests.governance.policy.test_statements import statements
from tests.governance.policy.test_track_criteria import YELLOW_OR_RED


def ways(given_facts: FactSet, pending: frozenset[str] = frozenset()) -> Any:
    return what_would_change(pack(), given_facts, evaluate(pack(), given_facts, pending=pending), pending)


def check_every_set(given_facts: FactSet) -> None:
    for way in ways(given_facts):
        assert way.says
        assert bool(way.sets) is way.possible and bool(way.in_the_way) is not way.possible
        for changes in way.sets:
            values = {name: value for change in changes for name, value in change.values}
            rows = [fact for fact in given_facts if fact.name not in values]
            changed = FactSet.of([*rows, *(Fact(n, v, Assurance.MEASURED, "what if") for n, v in values.items())])
            assert evaluate(pack(), changed).track.rank <= way.to.rank
            for change in changes:
                assert change.by != "nobody" and change.change
                if len(changes) > 1:
                    without = [fact for fact in changed if fact.name not in dict(change.values)]
                    fewer = FactSet.of([*without, *(f for f in given_facts if f.name in dict(change.values))])
                    assert evaluate(pack(), fewer).track.rank > way.to.rank, "no smaller set does"


@pytest.mark.parametrize(("changes", "track", "rule"), YELLOW_OR_RED, ids=lambda value: str(value)[:60])
def test_every_way_out_of_every_criterion_is_true(changes: dict[str, Any], track: str, rule: str) -> None:
    check_every_set(facts(changes))


@given(st.lists(statements(), max_size=10))
def test_every_way_out_of_any_case_is_true(rows: list[Fact]) -> None:
    check_every_set(facts({}, *rows))


def test_credit_decisions_stay_red_and_it_says_why() -> None:
    yellow, green = ways(facts({"decision.domain": "credit", "performance.relative_change": 0.2}))
    assert (yellow.to, yellow.possible) == (Track.YELLOW, False)
    assert yellow.says == "none, because makes credit decisions; nobody can change this"
    assert yellow.to_json() == {
        "to": "yellow",
        "possible": False,
        "says": yellow.says,
        "if": [{"rule": "TR-020", "change": "nothing: the use itself decides", "by": "nobody"}],
        "alternatives": [],
    }
    assert not green.possible


def test_the_value_needed_for_each_lighter_track() -> None:
    yellow, green = ways(facts({"performance.relative_change": -0.2}))
    assert [change.change for change in yellow.sets[0]] == ["performance change below 15%"]
    assert [change.change for change in green.sets[0]] == ["performance change below 5%"]
    ((name, value),) = yellow.sets[0][0].values
    assert name == "performance.relative_change" and -0.15 < value < -0.14999
    assert green.says == "it would be green if: performance change below 5%"


def test_several_reasons_need_several_changes() -> None:
    (green,) = ways(facts({"model.new_features": ["a"], "model.threshold_change": 0.02}))
    assert [(change.rule, change.by) for change in green.sets[0]] == [("TR-083", "submitter"), ("TR-085", "submitter")]


def test_a_change_that_raises_another_rule_is_followed() -> None:
    """Prices become reviewed, which is yellow for ever: so yellow is possible, and green is not because of that."""
    yellow, green = ways(facts({"decision.domain": "pricing", "decision.automated": True}))
    assert yellow.possible
    assert not green.possible and green.in_the_way[0].rule == "TR-022"


def test_what_is_merely_unknown_can_be_answered() -> None:
    yellow, green = ways(facts({"regulation.regimes": DROP, "decision.domain": DROP, "impact.financial": None}))
    assert yellow.possible and green.possible
    assert {change.by for change in green.sets[0]} == {"submitter"}
    assert "find out and say: external regulation" in [change.change for change in green.sets[0]]


def test_green_has_no_way_out_and_nothing_known_finds_one() -> None:
    assert ways(facts()) == ()
    check_every_set(FactSet.of([]))
    assert all(way.possible for way in ways(FactSet.of([])))


def test_the_search_ends_where_changes_go_round_in_a_circle() -> None:
    text = """
pack: circle
kind: ml_model
version: 2026.1.1
title: Circle
why: Two rules that want the opposite.
rules:
  - {id: TR-001, title: a, why: w, learn: l, when: {fact: a.x, is_true: true}, track: red, says: "a is on", on_unknown: ignore,
     editable_by: submitter, change: "switch a off", examples: [{name: y, facts: {a.x: true}, gives: red}, {name: n, facts: {a.x: false}, gives: held}]}
  - {id: TR-002, title: b, why: w, learn: l, when: {fact: a.x, is_false: true}, track: red, says: "a is off", on_unknown: ignore,
     editable_by: submitter, change: "switch a on", examples: [{name: y, facts: {a.x: false}, gives: red}, {name: n, facts: {a.x: true}, gives: held}]}
tracks:
  green: {why: w, steps: []}
  yellow: {why: w, steps: [{role: platform_engineer, attests: ok}]}
  red: {why: w, steps: [{role: analyst, attests: ok}, {role: risk_officer, attests: ok}]}
gates: []
"""  # noqa: E501
    circle = load_pack(text)
    given_facts = FactSet.of([Fact("a.x", True, Assurance.FILE, "f")])
    result = evaluate(circle, given_facts)
    for way in what_would_change(circle, given_facts, result):
        assert not way.possible and way.in_the_way[0].rule == "TR-001"


def test_operators_are_turned_round_without_a_questionnaire() -> None:
    conditions = [
        ("{fact: a.x, eq: low}", "low"),
        ("{fact: a.x, ne: high}", "low"),
        ("{fact: a.x, not_in: [high]}", "low"),
        ("{fact: a.x, contains_any: [sex, race]}", ["sex"]),
        ("{fact: a.x, lt: 3}", 2),
        ("{fact: a.x, le: 3}", 3),
        ("{fact: a.x, gt: 3}", 4),
        ("{fact: a.x, ge: 3}", 3),
        ("{fact: a.x, is_unknown: true}", None),
        ("{not: {fact: a.x, is_true: true}}", False),
        ("{not: {fact: a.x, non_empty: true}}", []),
        ("{not: {fact: a.x, contains_any: [sex]}}", []),
        ("{not: {fact: a.x, is_known: true}}", None),
        ("{not: {any: [{fact: a.x, gt: 3}, {fact: a.x, eq: 2}]}}", 1),
        ("{all: [{fact: a.x, ge: 3}, {not: {fact: a.x, in: [7]}}]}", 4),
    ]
    for condition, value in conditions:
        text = (
            PACK_TEXT[: PACK_TEXT.index("rules:")]
            + f"""rules:
  - {{id: TR-001, title: a, why: w, learn: l, when: {condition}, track: red, says: "x", on_unknown: red, unknown_says: "u",
     editable_by: submitter, change: "c", examples: [{{name: y, facts: {{a.x: {value if value is not None else "null"}}}, gives: red}},
       {{name: n, facts: {HELD[condition]}, gives: held}}]}}
"""  # noqa: E501
            + PACK_TEXT[PACK_TEXT.index("tracks:\n  green") :]
        )
        small = load_pack(text)
        given_facts = FactSet.of([Fact("a.x", value, Assurance.FILE, "f")])
        result = evaluate(small, given_facts)
        assert result.track is Track.RED, condition
        for way in what_would_change(small, given_facts, result):
            ((change,),) = way.sets
            changed = FactSet.of([Fact(name, new, Assurance.MEASURED, "what if") for name, new in change.values])
            assert evaluate(small, changed).track is Track.GREEN, condition


HELD = {
    "{fact: a.x, eq: low}": "{a.x: high}",
    "{fact: a.x, ne: high}": "{a.x: high}",
    "{fact: a.x, not_in: [high]}": "{a.x: high}",
    "{fact: a.x, contains_any: [sex, race]}": "{a.x: [age]}",
    "{fact: a.x, lt: 3}": "{a.x: 3}",
    "{fact: a.x, le: 3}": "{a.x: 3.01}",
    "{fact: a.x, gt: 3}": "{a.x: 3}",
    "{fact: a.x, ge: 3}": "{a.x: 2.99}",
    "{fact: a.x, is_unknown: true}": "{a.x: 1}",
    "{not: {fact: a.x, is_true: true}}": "{a.x: true}",
    "{not: {fact: a.x, non_empty: true}}": "{a.x: [b]}",
    "{not: {fact: a.x, contains_any: [sex]}}": "{a.x: [sex]}",
    "{not: {fact: a.x, is_known: true}}": "{a.x: 1}",
    "{not: {any: [{fact: a.x, gt: 3}, {fact: a.x, eq: 2}]}}": "{a.x: 4}",
    "{all: [{fact: a.x, ge: 3}, {not: {fact: a.x, in: [7]}}]}": "{a.x: 7}",
}


def test_waiting_facts_stay_waiting() -> None:
    changes = {"rollout.flip_rate": DROP, "model.threshold_change": 0.2}
    pending = frozenset({"rollout.flip_rate"})
    assert judged(changes, pending=pending).track is Track.RED
    _, green = ways(facts(changes), pending)
    assert [change.rule for change in green.sets[0]] == ["TR-085"]


def test_a_rule_that_is_red_only_when_unknown() -> None:
    yellow_only = load_pack(
        SMALL.replace('{yellow: ">= 1", red: ">= 2"}', '{yellow: ">= 1"}').replace(
            "{a.size: 2}, gives: red", "{a.size: 2}, gives: yellow"
        )
    )
    nothing = FactSet.of([])
    yellow, green = what_would_change(yellow_only, nothing, evaluate(yellow_only, nothing))
    assert yellow.possible and green.possible
    assert yellow.sets[0][0].change.startswith("find out and say: size")
