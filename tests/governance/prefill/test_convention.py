"""The `guiderail` convention: every question can be stated beside the model, and nothing wrong becomes a fact."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from governance.domain.vocabulary import Assurance
from governance.prefill.convention import stated, stated_in_tags
from governance.prefill.fact_types import FACT_TYPES, SetBy, ValueKind, check_value
from governance.prefill.limits import MAX_PROBLEMS, MAX_STATED
from governance.prefill.reading import Reading
from governance.prefill.source import Problem, Source
from tests.governance.prefill.looking import errors, fact, values

Read = Callable[..., Reading]


def in_mlmodel(read: Read, block: Any) -> Reading:
    return read("MLmodel", {"flavors": {"crate": {}}, "metadata": {"guiderail": block}})


def in_tags(read: Read, tags: dict[str, Any]) -> Reading:
    return read("run.json", {"info": {"run_id": "r"}, "data": {"tags": tags}})


GOOD: dict[ValueKind, Any] = {
    ValueKind.TEXT: "some words",
    ValueKind.YES_NO: True,
    ValueKind.NUMBER: 0.25,
    ValueKind.WHOLE: 12,
    ValueKind.DATE: "2026-11-21",
    ValueKind.MOMENT: "2026-11-21T05:19:12.703Z",
    ValueKind.LIST: ["a", "b"],
    ValueKind.PLAN: [{"kind": "data_drift", "limit": 0.2}, "weekly look at complaints"],
    ValueKind.RECORDS: [{"column": "age"}],
    ValueKind.MAPPING: {"a": "b"},
    ValueKind.NUMBERS: {"auc": 0.9},
}
NAMES = [name for name, expected in FACT_TYPES.items() if expected.set_by is not SetBy.PLATFORM]


def good(name: str) -> Any:
    expected = FACT_TYPES[name]
    return expected.choices[0] if expected.choices else GOOD[expected.kind]


@pytest.mark.parametrize("name", NAMES)
def test_every_question_can_be_stated_in_each_place(read: Read, name: str) -> None:
    value = good(name)
    nested: Any = value
    for part in reversed(name.split(".")):
        nested = {part: nested}
    readings = {
        f"metadata.guiderail.{name}": in_mlmodel(read, {name: value}),
        f"guiderail.{name}": read("README.md", f"---\nguiderail: {json.dumps(nested)}\n---\n"),
        f"data.tags.guiderail.{name}": in_tags(
            read, {f"guiderail.{name}": value if isinstance(value, str) else json.dumps(value)}
        ),
    }
    assurance = Assurance.DECLARED if FACT_TYPES[name].set_by is SetBy.COMPARISON else Assurance.FILE
    for place, reading in readings.items():
        found = [each for each in reading.facts if each.locator == place]
        assert [(each.name, each.value, each.assurance) for each in found] == [(name, value, assurance)]


@pytest.mark.parametrize("name", [name for name in FACT_TYPES if name not in NAMES])
def test_what_the_platform_works_out_cannot_be_stated(read: Read, name: str) -> None:
    reading = in_mlmodel(read, {name: 0})
    assert name not in values(reading)
    assert errors(reading) == [
        f"metadata.guiderail.{name}: {name} is worked out by the platform; a file cannot state it. Remove it."
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("decision.domain", "lending"),
        ("decision.domain", 7),
        ("decision.automated", "yes"),
        ("decision.automated", 1),
        ("impact.people_per_month", -1),
        ("impact.people_per_month", 1.5),
        ("impact.people_per_month", True),
        ("model.decision_threshold", "0.5"),
        ("data.snapshot_date", "2026-13-01"),
        ("data.snapshot_date", "yesterday"),
        ("data.snapshot_date", 20261121),
        ("training.started_at", "soon"),
        ("training.started_at", 1795238352703),
        ("data.sources", ["a", 1]),
        ("data.sources", [""]),
        ("data.sources", 3),
        ("monitoring.plan", []),
        ("monitoring.plan", [{"limit": 1}]),
        ("monitoring.plan", [3]),
        ("monitoring.plan", 3),
        ("business.context", "  "),
        ("business.context", True),
        ("business.context", ["a"]),
        ("performance.metrics", {"auc": "high"}),
        ("performance.metrics", 3),
        ("training.parameters", 3),
        ("data.quality.failed", [3]),
    ],
)
def test_a_wrong_type_is_a_problem_and_not_a_fact(read: Read, name: str, value: Any) -> None:
    reading = in_mlmodel(read, {name: value, "decision.reversible": True})
    assert name not in values(reading)
    assert values(reading)["decision.reversible"] is True
    assert len(errors(reading)) == 1
    assert f"{name} has to be {FACT_TYPES[name].expects}; found " in errors(reading)[0]
    assert "answer the question in the form" in errors(reading)[0]


def test_an_unknown_name_is_said_with_the_nearest_one(read: Read) -> None:
    assert "Did you mean decision.automated?" in errors(in_mlmodel(read, {"decision.automatd": True}))[0]
    assert "is not a question or fact that is known here. The names" in errors(in_mlmodel(read, {"qqqqqq": True}))[0]


def test_unknown_may_be_said(read: Read) -> None:
    assert fact(in_mlmodel(read, {"decision.automated": None}), "decision.automated").value is None
    assert fact(in_tags(read, {"guiderail.decision.automated": "null"}), "decision.automated").value is None


def test_a_block_that_is_no_mapping(read: Read) -> None:
    assert errors(in_mlmodel(read, ["a"]))[0].startswith("metadata.guiderail: guiderail: has to be a mapping")
    assert errors(in_tags(read, {"guiderail": "text"}))[0].startswith("data.tags.guiderail: ")


def test_not_more_is_read_than_there_are_questions(read: Read) -> None:
    many = {f"a.question{i}": 1 for i in range(MAX_STATED + 50)}
    in_block = in_mlmodel(read, many)
    in_each_tag = in_tags(read, {f"guiderail.{name}": "1" for name in many})
    for reading in (in_block, in_each_tag):
        assert len(reading.problems) == MAX_PROBLEMS + 1
    assert "Only the first 200 statements" in statement_limits(read, MAX_STATED + 1)
    assert statement_limits(read, MAX_STATED) == ""


def statement_limits(read: Read, count: int) -> str:
    """The last problem when a limit is exceeded by good statements, in a block and in tags alike."""
    rows = {"decision.automated" + " " * i: True for i in range(count)}
    found = {
        list(stated(rows, Source("f", "d"), "p"))[-1],
        list(stated_in_tags({"guiderail." + key: 1 for key in rows}, Source("f", "d"), "p"))[-1],
    }
    assert all(isinstance(item, Problem) for item in found)
    words = {item.detail for item in found if isinstance(item, Problem) and item.detail.startswith("Only")}
    return words.pop() if len(words) == 1 else ""


def test_the_whole_block_may_be_one_tag(read: Read) -> None:
    assert values(in_tags(read, {"guiderail": '{"decision.automated": true}'}))["decision.automated"] is True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("TRUE", True),
        ("False", False),
    ],
)
def test_tags_say_yes_and_no(read: Read, text: str, value: bool) -> None:
    assert values(in_tags(read, {"guiderail.decision.automated": text}))["decision.automated"] is value


def test_tags_keep_texts_and_split_lists(read: Read) -> None:
    found = values(
        in_tags(
            read,
            {
                "guiderail.business.context": "3 teams use it",
                "guiderail.data.sources": "s3://a, s3://b",
                "guiderail.rollout.rollback_target": "2.2",
                "guiderail.model.decision_threshold": 0.4,
                "guiderail.monitoring.plan": "weekly report",
            },
        )
    )
    assert found["business.context"] == "3 teams use it"
    assert found["data.sources"] == ["s3://a", "s3://b"]
    assert found["rollout.rollback_target"] == "2.2"
    assert found["model.decision_threshold"] == 0.4
    assert found["monitoring.plan"] == ["weekly report"]


@pytest.mark.parametrize("text", ["{broken", "[" * 9_000, '{"a": NaN}', "[" * 80 + "]" * 80, "- no number"])
def test_tags_that_only_look_like_json_stay_texts_and_are_checked(read: Read, text: str) -> None:
    reading = in_tags(read, {"guiderail.training.parameters": text})
    assert "training.parameters" not in values(reading)
    assert len(errors(reading)) == 1


def test_flat_names_beside_others_are_the_same(read: Read) -> None:
    reading = read(
        "MLmodel",
        {
            "flavors": {"crate": {}},
            "metadata": {"guiderail.decision.automated": True, "guiderail": {"decision.reversible": False}},
        },
    )
    assert (values(reading)["decision.automated"], values(reading)["decision.reversible"]) == (True, False)


def test_a_single_text_is_a_list_of_one() -> None:
    assert check_value("data.sources", " s3://a ") == (["s3://a"], "")
    assert check_value("monitoring.plan", "weekly") == (["weekly"], "")
    assert check_value("data.sources", ["a", "a"]) == (["a"], "")


def test_a_name_that_is_not_in_the_table_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        check_value("no.such", 1)
