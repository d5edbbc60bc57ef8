"""The sentences, in the exact forms people were promised."""

from __future__ import annotations

from governance.domain.vocabulary import Assurance
from governance.policy import colour_sentence, explain, headline
from tests.governance.policy.cases import DROP, judged, row_of, statement


def test_requires_because() -> None:
    result = judged({"decision.domain": "pricing", "decision.human_review": DROP, "data.contains_pii": True})
    assert explain(result) == (
        "This deployment requires ML Governance Analyst review because: affects pricing decisions that no person reviews before "
        "they apply. Also asked: data steward (privacy)."
    )
    two = judged({"decision.domain": "credit", "regulation.regimes": ["US-REG-B"]})
    assert explain(two) == (
        "This deployment requires ML Governance Analyst review because: makes credit decisions, "
        "is regulated by external authorities (US-REG-B)."
    )


def test_yellow_names_the_engineer() -> None:
    result = judged({"performance.relative_change": -0.0512})
    assert explain(result) == (
        "This deployment requires ML platform engineer review because: roc_auc changes -5.12% against 2.2.0 (limit >= 5%)."
    )
    assert headline(result) == (
        "Based on the changes you're making, this is a yellow-track deployment requiring ML platform engineer review."
    )


def test_green_says_what_held() -> None:
    sentence = "This is green-track because performance change is within acceptable bounds and no new features were added."
    assert explain(judged()) == sentence == colour_sentence(judged())
    assert headline(judged()) == "Based on the changes you're making, this is a green-track deployment approved by the policy."


def test_red_with_its_colour() -> None:
    result = judged(
        {"model.new_features": ["a", "b", "c"], "model.unapproved_features": ["a", "b", "c"], "impact.financial": "high"}
    )
    assert colour_sentence(result) == (
        "This is red-track because: a wrong decision has high financial impact, uses 3 features from an unapproved source (a, b, c)."  # noqa: E501
    )


def test_a_reason_carries_value_limit_source_and_who_can_change_it() -> None:
    result = judged(
        {"performance.relative_change": DROP},
        statement("performance.relative_change", 0.16, Assurance.MEASURED, locator="roc_auc"),
    )
    (reason,) = result.reasons()
    assert reason["rule"] == "TR-071" and reason["track"] == "red" and reason["status"] == "fired"
    assert reason["value"] == 0.16 and reason["limit"] == ">= 15%" and reason["fact"] == "performance.relative_change"
    assert reason["source"] == "measured:here" and reason["assurance"] == "measured here" and reason["locator"] == "roc_auc"
    assert reason["editable_by"] == "submitter" and reason["learn"] == "/learn/performance-change"


def test_typed_values_come_from_an_answer_and_nobody_from_nowhere() -> None:
    typed = judged({"decision.domain": DROP}, statement("decision.domain", "credit", Assurance.DECLARED))
    assert (
        typed.reasons()[0]["source"] == "answer"
        and typed.reasons()[0]["limit"] == "one of credit, fraud, hiring, insurance, health"
    )
    missing = judged({"impact.financial": DROP}).reasons()[0]
    assert (missing["source"], missing["value"], missing["status"], missing["editable_by"]) == ("", None, "unknown", "submitter")


def test_what_held_and_what_is_ignored_have_words() -> None:
    result = judged({"drift.prediction_psi": DROP})
    assert row_of(result, "TR-095").says == "prediction drift: not known, and the policy does not ask for it"
    assert row_of(result, "TR-020").says == "high-risk decisions: within what the policy allows"
    assert row_of(result, "TR-071").limit == ">= 5%"
    assert row_of(result, "TR-030").limit == "decision.automated: yes and decision.affects_customers: yes"
    assert row_of(result, "TR-025").says == "it does not recommend anything"


def test_everything_as_json() -> None:
    data = judged({"data.contains_pii": True}).to_json()
    assert data["track"] == "yellow" and data["policy"]["pack"] == "ml_model" and data["policy"]["digest"].startswith("sha256:")
    assert [step["role"] for step in data["steps"]] == ["platform_engineer", "privacy"]
    assert data["steps"][1]["because"] == ["TR-050"]
    assert {"code", "limits", "blocking", "needs"} == set(data["gates"][0])
