"""Every criterion of green, yellow and red, on the shipped pack."""

from __future__ import annotations

from typing import Any

import pytest

from governance.domain.vocabulary import Assurance, Role, Track
from governance.policy import RuleStatus
from tests.governance.policy.cases import DROP, GREEN, facts, judged, pack, row_of, statement


def test_the_base_case_is_green_with_every_rule_listed() -> None:
    result = judged()
    assert result.track is Track.GREEN
    assert result.hits == () and result.steps == ()
    assert [row.rule.id for row in result.checked] == [rule.id for rule in pack().rules]


@pytest.mark.parametrize(
    ("change", "track"),
    [
        (0.0, "green"), (0.0499, "green"), (0.05, "yellow"), (0.0501, "yellow"), (0.1499, "yellow"), (0.15, "red"), (0.1501, "red"),  # noqa: E501
        (-0.0499, "green"), (-0.05, "yellow"), (-0.0501, "yellow"), (-0.1499, "yellow"), (-0.15, "red"), (-0.1501, "red"), (3, "red"),  # noqa: E501
    ],
)  # fmt: skip
def test_performance_change_in_both_directions_with_edges_on_the_stricter_side(change: float, track: str) -> None:
    assert judged({"performance.relative_change": change}).track == track


YELLOW_OR_RED: list[tuple[dict[str, Any], str, str]] = [
    *[({"decision.domain": domain}, "red", "TR-020") for domain in ("credit", "fraud", "hiring", "insurance", "health")],
    ({"decision.domain": "pricing", "decision.automated": True, "decision.affects_customers": False}, "red", "TR-021"),
    ({"decision.domain": "pricing", "decision.human_review": DROP}, "red", "TR-021"),
    ({"decision.domain": "pricing", "decision.human_review": "nobody"}, "red", "TR-021"),
    ({"decision.domain": "pricing", "decision.automated": DROP}, "red", "TR-021"),
    ({"decision.domain": "pricing"}, "yellow", "TR-022"),
    ({"decision.domain": "content_moderation", "decision.human_review": DROP}, "red", "TR-023"),
    ({"decision.domain": "content_moderation"}, "yellow", "TR-024"),
    ({"decision.domain": "recommendation"}, "yellow", "TR-025"),
    ({"decision.domain": "recommendation", "decision.affects_purchases": True}, "yellow", "TR-025"),
    ({"decision.domain": DROP}, "red", "TR-010"),
    ({"decision.domain": None}, "red", "TR-010"),
    ({"decision.domain": "Credit"}, "red", "TR-010"),
    ({"decision.domain": ["credit"]}, "red", "TR-020"),
    ({"decision.domain": "other"}, "yellow", "TR-011"),
    ({"decision.automated": True}, "red", "TR-030"),
    ({"decision.automated": DROP}, "red", "TR-030"),
    ({"decision.automated": None}, "red", "TR-030"),
    ({"decision.automated": "yes"}, "red", "TR-030"),
    ({"decision.automated": True, "decision.affects_customers": None}, "red", "TR-030"),
    ({"decision.reversible": False}, "yellow", "TR-031"),
    ({"decision.automated": True, "decision.affects_customers": False}, "yellow", "TR-031"),
    ({"rollout.circuit_breaker": False}, "yellow", "TR-032"),
    ({"rollout.circuit_breaker": DROP}, "yellow", "TR-032"),
    ({"data.protected_attributes": ["sex"]}, "red", "TR-040"),
    ({"data.protected_attributes": DROP}, "red", "TR-040"),
    ({"data.protected_proxies": ["zip_code"]}, "red", "TR-041"),
    ({"data.contains_pii": True}, "yellow", "TR-050"),
    ({"data.contains_pii": DROP}, "yellow", "TR-050"),
    ({"impact.financial": "high"}, "red", "TR-060"),
    ({"impact.financial": DROP}, "red", "TR-060"),
    ({"impact.financial": "tiny"}, "red", "TR-060"),
    ({"impact.financial": "medium"}, "yellow", "TR-061"),
    ({"impact.loss_amount": 1000, "impact.loss_currency": "EUR"}, "red", "TR-063"),
    ({"impact.loss_amount": 150_000, "impact.loss_currency": "JPY"}, "red", "TR-063"),
    ({"impact.loss_amount": 40}, "red", "TR-063"),
    ({"impact.loss_amount": 100, "impact.loss_currency": "EUR"}, "yellow", "TR-064"),
    ({"regulation.regimes": ["US-REG-B"]}, "red", "TR-062"),
    ({"regulation.regimes": None}, "red", "TR-062"),
    ({"regulation.regimes": [" "]}, "red", "TR-062"),
    ({"performance.comparable": False}, "red", "TR-070"),
    ({"performance.relative_change": DROP}, "red", "TR-071"),
    ({"performance.relative_change": "small"}, "red", "TR-071"),
    ({"performance.relative_change": float("nan")}, "red", "TR-071"),
    ({"evaluation.on_training_data": True}, "red", "TR-072"),
    ({"system.first_deployment": True}, "red", "TR-080"),
    ({"system.first_deployment": DROP}, "red", "TR-080"),
    ({"model.architecture_changed": True}, "red", "TR-081"),
    ({"model.architecture_changed": DROP}, "red", "TR-081"),
    ({"data.new_sources": ["s3://bureau"]}, "red", "TR-082"),
    ({"data.new_sources": DROP}, "red", "TR-082"),
    ({"model.new_features": ["tenure"]}, "yellow", "TR-083"),
    ({"model.new_features": DROP}, "red", "TR-083"),
    ({"model.new_features": ["tenure"], "model.unapproved_features": ["tenure"]}, "red", "TR-084"),
    ({"model.new_features": ["tenure"], "model.unapproved_features": DROP}, "red", "TR-084"),
    ({"model.threshold_change": 0.01}, "yellow", "TR-085"),
    ({"model.threshold_change": 0.05}, "yellow", "TR-085"),
    ({"model.threshold_change": -0.051}, "red", "TR-085"),
    ({"model.threshold_change": DROP}, "red", "TR-085"),
    ({"explanation.max_share_change": 0.051}, "yellow", "TR-090"),
    ({"explanation.max_share_change": 0.128}, "red", "TR-090"),
    ({"explanation.max_share_change": DROP}, "yellow", "TR-090"),
    ({"explanation.total_variation": 0.126}, "yellow", "TR-091"),
    ({"explanation.row_cosine_p10": 0.79}, "yellow", "TR-092"),
    ({"explanation.row_cosine_p10": 0.59}, "red", "TR-092"),
    ({"explanation.sign_flips": 0.061}, "yellow", "TR-093"),
    ({"rollout.flip_rate": 0.051}, "yellow", "TR-094"),
    ({"rollout.flip_rate": 0.11}, "red", "TR-094"),
    ({"drift.prediction_psi": 0.10}, "yellow", "TR-095"),
    ({"drift.prediction_psi": 0.25}, "red", "TR-095"),
    ({"rollout.strategy": "ab_test", "rollout.traffic_percent": 6}, "yellow", "TR-100"),
    ({"rollout.strategy": "ab_test"}, "yellow", "TR-100"),
    ({"vendor.third_party": True}, "yellow", "TR-101"),
    ({"vendor.third_party": DROP}, "yellow", "TR-101"),
]


@pytest.mark.parametrize(("changes", "track", "rule"), YELLOW_OR_RED, ids=lambda value: str(value)[:60])
def test_one_change_to_a_green_case_raises_the_track_by_its_rule(changes: dict[str, Any], track: str, rule: str) -> None:
    result = judged(changes)
    assert result.track == track
    assert rule in {hit.rule.id for hit in result.hits if hit.track == track}


@pytest.mark.parametrize(
    "changes",
    [
        {
            "decision.domain": "internal_operations",
            "decision.affects_customers": False,
            "decision.automated": True,
            "decision.reversible": True,
        },
        {"decision.domain": "recommendation", "decision.affects_purchases": False},
        {"rollout.strategy": "ab_test", "rollout.traffic_percent": 5},
        {"vendor.third_party": DROP, "training.run_id": "4f1c"},
        {"data.protected_proxies": []},
        {"model.unapproved_features": DROP},
        {"drift.prediction_psi": DROP},
    ],
    ids=str,
)
def test_what_stays_green(changes: dict[str, Any]) -> None:
    assert judged(changes).track is Track.GREEN


def test_every_fact_of_the_green_case_matters_somewhere() -> None:
    shown_only = {"business.context", "champion.version", "performance.metric"}
    assert set(GREEN) - shown_only <= set(pack().readers)


def test_on_a_first_deployment_changes_have_no_object() -> None:
    result = judged({"system.first_deployment": True, "performance.relative_change": DROP, "model.new_features": ["a"]})
    assert [hit.rule.id for hit in result.hits] == ["TR-080"]
    for rule in ("TR-071", "TR-081", "TR-082", "TR-083", "TR-085", "TR-090", "TR-094"):
        assert row_of(result, rule).status is RuleStatus.NOT_APPLICABLE
    assert row_of(result, "TR-071").says == "there is no earlier version to compare with"
    assert {"GP101", "GX101", "GR103"}.isdisjoint(plan.code for plan in result.gates)


def test_red_has_analyst_then_risk_officer_and_yellow_an_engineer() -> None:
    red = judged({"decision.domain": "credit"})
    assert [(step.role, step.due) for step in red.steps] == [(Role.ANALYST, "3d"), (Role.RISK_OFFICER, "3d")]
    yellow = judged({"impact.financial": "medium"})
    assert [(step.role, step.due) for step in yellow.steps] == [(Role.PLATFORM_ENGINEER, "3h")]


def test_personal_data_asks_for_the_data_steward_and_is_no_ban() -> None:
    yellow = judged({"data.contains_pii": True})
    assert yellow.track is Track.YELLOW
    assert [step.role for step in yellow.steps] == [Role.PLATFORM_ENGINEER, Role.PRIVACY]
    assert yellow.steps[1].because == ("TR-050",)
    assert yellow.hits[0].says == "Training data includes personal data. Confirm data-governance approval"
    red = judged({"data.contains_pii": True, "decision.domain": "credit"})
    assert [step.role for step in red.steps] == [Role.ANALYST, Role.PRIVACY, Role.RISK_OFFICER]


def test_only_a_register_can_say_that_personal_data_is_approved() -> None:
    name = "data.pii_approval_registered"
    typed = judged({"data.contains_pii": True}, statement(name, True, Assurance.DECLARED))
    assert Role.PRIVACY in [step.role for step in typed.steps]
    registered = judged({"data.contains_pii": True}, statement(name, True, Assurance.REGISTRY))
    assert [step.role for step in registered.steps] == [Role.PLATFORM_ENGINEER]
    assert [hit.rule.id for hit in registered.hits] == ["TR-051"]
    disputed = judged({"data.contains_pii": True, name: False}, statement(name, True, Assurance.REGISTRY))
    assert Role.PRIVACY in [step.role for step in disputed.steps]


def test_a_new_source_and_new_features_are_named() -> None:
    says = {hit.rule.id: hit.says for hit in judged({"data.new_sources": ["bureau"], "model.new_features": ["a", "b"]}).hits}
    assert says["TR-082"] == "uses new data sources (bureau)"
    assert says["TR-083"] == "adds 2 new features (a, b)"


def test_baseline_gates_on_every_track_and_model_gates_for_models() -> None:
    for changes in ({}, {"impact.financial": "medium"}, {"decision.domain": "credit"}):
        codes = {plan.code for plan in judged(changes).gates}
        assert {"GR101", "GR102", "GD102", "GD103", "GM101"} <= codes
        assert {"GP101", "GP102", "GF101", "GF105", "GD104", "GX101"} <= codes
    blocking = {plan.code for plan in judged({"decision.domain": "credit"}).gates if plan.blocking}
    assert {"GF101", "GF102", "GF103", "GF105", "GD106", "GM102"} <= blocking and "GP101" not in blocking
    green = {plan.code for plan in judged().gates if plan.blocking}
    assert {"GP101", "GP102", "GX101", "GR101", "GR102"} <= green


def test_limits_differ_by_domain() -> None:
    def limits(changes: dict[str, Any], code: str) -> Any:
        return next(plan.limits for plan in judged(changes).gates if plan.code == code)

    assert limits({}, "GP102")["floors"]["roc_auc"] == 0.65
    assert limits({"decision.domain": "credit"}, "GP102")["floors"]["roc_auc"] == 0.70


def test_facts_that_no_rule_reads_do_not_matter() -> None:
    assert judged({"submission.track": "green", "track": "green", "decision.domain": "credit"}).track is Track.RED
    assert facts({"track": "green"}) != facts()
