"""Masks of conditions, bands and templates at their edges."""

from __future__ import annotations

from typing import Any

import pytest

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.policy.bands import Direction, parse_band, worst_of
from governance.policy.conditions import (
    FALSE,
    PENDING,
    TRUE,
    UNKNOWN,
    Atom,
    Joined,
    Negated,
    compile_condition,
    in_words,
    parse_condition,
)
from governance.policy.rules import Bands
from governance.policy.templates import parse_template
from tests.governance.policy.cases import pack


def mask(raw: Any, *values: Any, pending: frozenset[str] = frozenset()) -> int:
    rows = [Fact("a.x", value, Assurance.FILE, f"f{i}") for i, value in enumerate(values)]
    return compile_condition(parse_condition(raw))(FactSet.of(rows).by_name, pending)


def over(low: float, value: float, high: float, **raw: Any) -> int:
    fact = Fact("a.x", value, Assurance.MEASURED, "m", low=low, high=high)
    return compile_condition(parse_condition({"fact": "a.x", **raw}))({"a.x": (fact,)}, ())


def test_disagreeing_sources_give_both_and_negation_keeps_both() -> None:
    assert mask({"fact": "a.x", "is_true": True}, True, False) == TRUE | FALSE
    assert mask({"not": {"fact": "a.x", "is_true": True}}, True, False) == TRUE | FALSE
    assert mask({"not": {"fact": "a.x", "is_true": True}}) == UNKNOWN
    assert mask({"not": {"fact": "a.x", "is_true": True}}, pending=frozenset({"a.x"})) == PENDING


def test_true_is_not_one_and_lists_are_judged_entry_by_entry() -> None:
    assert mask({"fact": "a.x", "in": [1]}, True) == FALSE
    assert mask({"fact": "a.x", "eq": True}, 1) == FALSE
    assert mask({"fact": "a.x", "in": ["a"]}, ["a", "b"]) == TRUE | FALSE
    assert mask({"fact": "a.x", "in": ["a"]}, []) == UNKNOWN
    assert mask({"fact": "a.x", "in": ["a"]}, {"a": 1}) == UNKNOWN
    assert mask({"fact": "a.x", "contains_any": ["a"]}, "a") == TRUE
    assert mask({"fact": "a.x", "contains_any": ["a"]}, [["a"]]) == UNKNOWN
    assert mask({"fact": "a.x", "non_empty": True}, {"a": 1}) == TRUE
    assert mask({"fact": "a.x", "non_empty": True}, "text") == TRUE
    assert mask({"fact": "a.x", "non_empty": True}, 3) == UNKNOWN
    assert mask({"fact": "a.x", "ge": 3}, 10**30) == UNKNOWN
    assert mask({"fact": "a.x", "is_known": True}, None) == FALSE
    assert mask({"fact": "a.x", "is_known": True}, pending=frozenset({"a.x"})) == PENDING


@pytest.mark.parametrize(
    ("raw", "value", "expected"),
    [
        ({"ge": 3}, 3, TRUE), ({"gt": 3}, 3, FALSE), ({"le": 3}, 3, TRUE), ({"lt": 3}, 3, FALSE),
        ({"ge": 3}, 2.99, FALSE), ({"gt": 3}, 3.01, TRUE), ({"le": 3}, 3.01, FALSE), ({"lt": 3}, 2.99, TRUE),
    ],
)  # fmt: skip
def test_edges(raw: dict[str, Any], value: float, expected: int) -> None:
    assert mask({"fact": "a.x", **raw}, value) == expected


def test_an_interval_across_gives_both() -> None:
    for raw in ({"ge": 3}, {"gt": 3}, {"le": 3}, {"lt": 3}):
        assert over(2, 2.5, 4, **raw) == TRUE | FALSE
    assert over(3.1, 3.2, 4, gt=3) == TRUE


KNOWN = {"T": (True,), "F": (False,), "U": (), "B": (True, False)}


@pytest.mark.parametrize(
    ("pair", "both", "either"),
    [
        ("TT", TRUE, TRUE), ("TF", FALSE, TRUE), ("FF", FALSE, FALSE), ("TU", UNKNOWN, TRUE), ("FU", FALSE, UNKNOWN),
        ("UU", UNKNOWN, UNKNOWN), ("TB", TRUE | FALSE, TRUE), ("FB", FALSE, TRUE | FALSE), ("UB", UNKNOWN | FALSE, TRUE | UNKNOWN),  # noqa: E501
    ],
)  # fmt: skip
def test_all_and_any(pair: str, both: int, either: int) -> None:
    rows = [Fact(n, v, Assurance.FILE, "f") for n, key in zip(("a.x", "a.y"), pair, strict=True) for v in KNOWN[key]]
    parts = [{"fact": "a.x", "is_true": True}, {"fact": "a.y", "is_true": True}]
    facts = FactSet.of(rows).by_name
    assert compile_condition(parse_condition({"all": parts}))(facts, ()) == both
    assert compile_condition(parse_condition({"any": parts}))(facts, ()) == either
    assert compile_condition(parse_condition({"all": parts[::-1]}))(facts, ()) == both


def test_unknown_outweighs_pending() -> None:
    parts = [{"fact": "a.x", "is_true": True}, {"fact": "a.y", "is_true": True}]
    check = compile_condition(parse_condition({"all": parts}))
    assert check({}, ("a.x",)) == UNKNOWN
    assert check({}, ("a.x", "a.y")) == PENDING


def test_conditions_go_to_json_and_back_and_into_words() -> None:
    raw = {
        "any": [
            {"all": [{"fact": "a.x", "in": ["p", 2.5]}, {"fact": "a.y", "eq": True, "at_least": "registry"}]},
            {"not": {"fact": "a.z", "ge": 1}},
        ]
    }
    condition = parse_condition(raw)
    assert isinstance(condition, Joined) and isinstance(condition.parts[1], Negated) and isinstance(condition.parts[1].part, Atom)
    assert condition.to_json() == raw and parse_condition(condition) is condition
    assert in_words(condition) == "(a.x: one of p, 2.5 and a.y: = yes) or not (a.z: >= 1)"
    assert pack().document.model_dump(mode="json")["rules"][2]["when"]["fact"] == "decision.domain"


@pytest.mark.parametrize(
    ("band", "inside", "outside"), [(">= 1", 1, 0.99), ("> 1", 1.01, 1), ("<= 1", 1, 1.01), ("< 1", 0.99, 1)]
)
def test_bands(band: str, inside: float, outside: float) -> None:
    parsed = parse_band(band)
    assert parsed.reaches(inside) and not parsed.reaches(outside)
    assert str(parsed) == band and parse_band(parsed) is parsed
    assert Bands(red=parsed).red is parsed


def test_the_far_end_of_an_interval_counts() -> None:
    fact = Fact("a.x", 0.0, Assurance.MEASURED, "m", low=-0.2, high=0.1)
    assert worst_of(fact, Direction.BOTH, True) == 0.2
    assert worst_of(fact, Direction.AS_IS, True) == 0.1
    assert worst_of(fact, Direction.AS_IS, False) == -0.2
    assert worst_of(Fact("a.x", "x", Assurance.FILE, "f"), Direction.AS_IS, True) is None


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("{a.x:+.1%}", 0.0512, "+5.1%"), ("{a.x:,d}", 12000, "12,000"), ("{a.x:d}", 1.5, "1.5"), ("{a.x}", True, "yes"),
        ("{a.x}", False, "no"), ("{a.x}", None, "unknown"), ("{a.x?nobody}", None, "nobody"), ("{a.x}", [], "none"),
        ("{a.x}", list("abcdefg"), "a, b, c, d, e and 2 more"), ("{a.x|count}", ["a"], "1"), ("{a.x|count thing}", ["a"], "1 thing"),  # noqa: E501
        ("{a.x|count thing}", ["a", "b"], "2 things"), ("{a.x|count thing}", "a", "1 thing"), ("{a.x|count}", None, "unknown"),
        ("{a.x}", "a\x00b\n{c}", "a b {c}"), ("{a.x}", "x" * 300, "x" * 159 + "…"), ("{limit}", 1, "L"), ("{a.x:.1f}", "text", "text"),  # noqa: E501
    ],
)  # fmt: skip
def test_templates(text: str, value: Any, expected: str) -> None:
    template = parse_template(text)
    assert template.fill(lambda _: value, "L") == expected
    assert parse_template(template) is template
