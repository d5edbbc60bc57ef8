"""Questions: which are asked, what an answer may be, what is missing."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from governance.domain.facts import FactSet
from governance.domain.vocabulary import Assurance
from governance.policy import AnswerError, PackError, asked, load_questionnaire, missing, parse_answer
from governance.policy.conditions import facts_of
from tests.governance.policy.cases import QUESTIONNAIRE_TEXT, facts, pack, statement

FORM = load_questionnaire(QUESTIONNAIRE_TEXT)
KEPT_NAMES = [
    "decision.domain",
    "decision.automated",
    "decision.affects_customers",
    "decision.human_review",
    "decision.reversible",
    "impact.financial",
    "impact.people_per_month",
    "regulation.regimes",
    "data.sources",
    "data.new_sources",
    "data.contains_pii",
    "data.pii_approval",
    "data.protected_attributes",
    "data.consent_basis",
    "data.snapshot_date",
    "model.architecture",
    "model.architecture_changed",
    "model.framework",
    "model.serialization",
    "model.features",
    "model.new_features",
    "model.unapproved_features",
    "model.decision_threshold",
    "model.threshold_change",
    "performance.metric",
    "performance.candidate",
    "performance.baseline",
    "performance.relative_change",
    "rollout.strategy",
    "rollout.traffic_percent",
    "rollout.rollback_target",
    "rollout.circuit_breaker",
    "monitoring.plan",
    "cost.per_1k_predictions",
    "vendor.third_party",
    "business.context",
]


def ids(found: Any) -> set[str]:
    return {question.id for question in found}


def test_every_name_of_the_contract_is_accepted() -> None:
    assert set(KEPT_NAMES) <= set(FORM.by_id)


BRANCHES: dict[str, list[Any]] = {
    "decision.domain": ["credit", "pricing", "recommendation"],
    "impact.financial": ["high", "medium", "low"],
    "rollout.strategy": ["canary", "full"],
    "training.run_id": ["4f1c"],
    "model.framework": ["xgboost"],
    "monitoring.plan": [["data drift, weekly"]],
}


def test_at_most_34_are_asked_in_any_branch_follow_ups_included() -> None:
    """Every combination of what the conditions read, said or not."""
    read = sorted({name for question in FORM.questions if question.ask_when for name in facts_of(question.ask_when)})
    values = [[None, *(statement(name, value) for value in BRANCHES.get(name, [True, False]))] for name in read]
    counts = {len(asked(FORM, FactSet.of(said for said in branch if said is not None))) for branch in itertools.product(*values)}
    assert len(counts) > 5
    assert max(counts) <= 34
    assert len([q for q in FORM.questions if q.asked and not q.follow_up]) < 34


def test_what_the_platform_works_out_is_accepted_but_never_asked() -> None:
    never = {question.id for question in FORM.questions if not question.asked}
    assert {"data.new_sources", "model.new_features", "performance.baseline", "performance.relative_change"} < never
    assert all(not FORM.by_id[name].required for name in never)


def test_each_topic_is_a_page_in_order() -> None:
    assert len(FORM.topics) == 7
    order = [question.topic for question in FORM.questions]
    assert list(dict.fromkeys(order)) == [topic.id for topic in FORM.topics]


def test_follow_ups_wait_for_what_they_follow_from() -> None:
    nothing = ids(asked(FORM, FactSet.of([])))
    assert {"data.pii_approval", "decision.human_review", "rollout.traffic_percent"}.isdisjoint(nothing)
    more = {
        "data.contains_pii": True,
        "rollout.strategy": "canary",
        "decision.domain": "recommendation",
        "impact.financial": "high",
    }
    found = ids(asked(FORM, facts(more)))
    assert {"data.pii_approval", "rollout.traffic_percent"} <= found
    assert {"decision.affects_purchases", "impact.people_per_month"} <= found
    automated, reviewed = (ids(asked(FORM, facts({"decision.automated": said}))) for said in (True, False))
    assert automated - reviewed == {"decision.reversible"}
    assert reviewed - automated == {"decision.human_review"}
    customers = {"decision.affects_customers": True}
    assert "rollout.circuit_breaker" in ids(asked(FORM, facts({**customers, "monitoring.plan": ["data drift, weekly"]})))
    assert "rollout.circuit_breaker" not in ids(asked(FORM, facts({**customers, "monitoring.plan": None})))


def test_a_first_version_is_not_asked_about_the_champion() -> None:
    compared = {"model.threshold_change", "model.architecture_changed"}
    assert compared <= ids(asked(FORM, FactSet.of([])))
    assert compared.isdisjoint(ids(asked(FORM, facts({"system.first_deployment": True}))))


def test_not_knowing_is_an_answer() -> None:
    nothing = FactSet.of([])
    assert "decision.automated" in ids(missing(FORM, nothing))
    said = FactSet.of([statement("decision.automated", None, Assurance.DECLARED)])
    assert "decision.automated" not in ids(missing(FORM, said))
    assert "cost.per_1k_predictions" not in ids(missing(FORM, nothing))


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("decision.domain", " credit ", "credit"),
        ("decision.automated", "true", True),
        ("decision.automated", "No", False),
        ("decision.automated", False, False),
        ("decision.automated", "__unknown__", None),
        ("decision.automated", "I do not know", None),
        ("decision.automated", None, None),
        ("decision.automated", {"unknown": True}, None),
        ("performance.relative_change", "-5.5 %", -0.055),
        ("performance.relative_change", "\u22120.05", -0.05),
        ("performance.relative_change", 0.0499, 0.0499),
        ("rollout.traffic_percent", "5", 5.0),
        ("impact.people_per_month", "12,000", 12000),
        ("impact.people_per_month", 12000.0, 12000),
        ("business.context", " For\r\nthe desk\x07 ", "For\nthe desk"),
        ("rollout.rollback_target", 2.2, "2.2"),
        ("data.sources", "a, b,,a", ["a", "b"]),
        ("data.sources", "a, x\nb", ["a, x", "b"]),
        ("data.sources", '["a", "b"]', ["a", "b"]),
        ("data.sources", ["a"], ["a"]),
        ("regulation.regimes", "none", []),
        ("regulation.regimes", "", []),
        ("regulation.regimes", [], []),
        ("data.snapshot_date", "2026-09-30", "2026-09-30"),
        ("data.snapshot_date", "2026-09-30T10:00:00Z", "2026-09-30"),
        ("monitoring.plan", "data drift weekly\nconcept drift monthly", ["data drift weekly", "concept drift monthly"]),
        ("monitoring.plan", [{"kind": "data_drift", "features": ["a"], "limit": 0.25}, "x", " "], [{"kind": "data_drift", "features": ["a"], "limit": 0.25}, "x"]),  # noqa: E501
        ("monitoring.plan", '[{"kind": "latency", "limit": "200 ms"}]', [{"kind": "latency", "limit": "200 ms"}]),
    ],
)  # fmt: skip
def test_answers_are_read(name: str, raw: Any, value: Any) -> None:
    read = parse_answer(FORM.by_id[name], raw)
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("decision.domain", "Credit", "one of credit, fraud"),
        ("decision.domain", ["credit"], "one of credit"),
        ("decision.automated", "maybe", "yes or no"),
        ("decision.automated", 1, "yes or no"),
        ("performance.relative_change", "five", "a number with a decimal point"),
        ("performance.relative_change", "0,05", "a number with a decimal point"),
        ("performance.relative_change", True, "a number"),
        ("performance.relative_change", float("inf"), "a number"),
        ("rollout.traffic_percent", 101, "range 0 to 100"),
        ("impact.people_per_month", -1, "range 0 or more"),
        ("impact.people_per_month", 1.5, "a whole number"),
        ("business.context", "", "text of 1 to 4,000"),
        ("business.context", "x" * 4001, "text of 1 to 4,000"),
        ("business.context", ["x"], "takes text"),
        ("data.sources", {"a": 1}, "a list of at most"),
        ("data.sources", [1], "a list of at most"),
        ("data.sources", "[broken", "a list of at most"),
        ("data.snapshot_date", "30.9.2026", "year-month-day"),
        ("monitoring.plan", 3, "a list of monitors"),
        ("monitoring.plan", [3], "a monitor as text"),
        ("monitoring.plan", [{"kind": "vibes"}], "“kind” (one of data_drift"),
        ("monitoring.plan", [{"kind": "data_drift", "shell": "rm"}], "any of features"),
        ("monitoring.plan", [{"kind": "data_drift", "limit": [1]}], "a word or number for “limit”"),
        ("monitoring.plan", [{"kind": "data_drift", "features": "a"}], "a word or number for “features”"),
    ],
)  # fmt: skip
def test_answers_that_cannot_be_used_say_what_was_expected(name: str, raw: Any, words: str) -> None:
    with pytest.raises(AnswerError) as refused:
        parse_answer(FORM.by_id[name], raw)
    assert words in refused.value.detail and "Example:" in refused.value.detail
    assert refused.value.errors[0].pointer == f"/answers/{name}"
    assert len(refused.value.detail) < 700


SMALL = """
questionnaire: small
version: "1"
topics: [{id: one, title: One, why: w}]
questions:
  - {id: a.b, ask: A?, why: w, good: g, example: e, unknown: u, topic: one, owner: submitter, type: list, choices: [{value: x, label: X}]}
"""  # noqa: E501


def test_a_list_may_have_choices_and_a_number_only_an_upper_bound() -> None:
    question = load_questionnaire(SMALL).by_id["a.b"]
    assert parse_answer(question, "x") == ["x"]
    with pytest.raises(AnswerError, match="a list of x"):
        parse_answer(question, "y")
    number = load_questionnaire(SMALL.replace("type: list, choices: [{value: x, label: X}]", "type: number, maximum: 1")).by_id[
        "a.b"
    ]
    with pytest.raises(AnswerError, match="1 or less"):
        parse_answer(number, 2)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("topic: one", "topic: two", "a topic that is not listed"),
        ("type: list", "type: text", "has no choices"),
        ("type: list", "type: choice", "two different choices"),
        ("type: list", "follow_up: true, type: list", "what it follows from"),
        ("topics: [", "topics: [{id: zero, title: Z, why: w}, ", "in the order of their topics"),
        ("questions:\n", "questions:\n  - {id: a.b, ask: A?, why: w, good: g, example: e, unknown: u, topic: one, owner: submitter, type: text}\n", "twice"),  # noqa: E501
    ],
)  # fmt: skip
def test_questionnaires_that_do_not_fit_are_refused(old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(PackError, match=words):
        load_questionnaire(SMALL.replace(old, new, 1))


def test_every_rule_that_waits_for_a_person_has_its_question() -> None:
    answered = set(FORM.by_id)
    by_machine = {
        "data.pii_approval_registered", "decision.domain_changed",
        "cost.over_budget", "cost.ratio", "data.protected_proxies", "drift.prediction_psi", "evaluation.on_training_data",
        "explanation.max_share_change", "explanation.row_cosine_p10", "explanation.sign_flips", "explanation.total_variation",
        "gates.unsettled", "performance.comparable", "performance.change_since_review", "rollout.flip_rate",
        "submission.recent_track", "system.first_deployment",
        "data.highest_class", "data.regions_ruled", "data.sources_above_class", "data.sources_outside_regions",
        "data.sources_with_personal_data", "data.sources_without_quality_rule", "model.architecture_approval",
        "vendor.assessment", "rollout.rollback_class",
    }  # fmt: skip
    assert set(pack().readers) - answered == by_machine
