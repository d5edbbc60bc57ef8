"""Over the budget: the budget owner's step on every track. A/B gates: only where the roll-out is one, caps by track."""

from __future__ import annotations

import pytest

from governance.domain.vocabulary import Role, Track
from governance.policy import Assessment
from tests.governance.policy.cases import DROP, judged, pack, row_of


def steps(assessment: Assessment) -> list[Role]:
    return [step.role for step in assessment.steps]


def test_over_the_budget_is_yellow_and_adds_the_budget_owner() -> None:
    over = judged({"cost.over_budget": True, "cost.per_month": 1400.0, "cost.budget_per_month": 900.0})
    assert over.track is Track.YELLOW and steps(over) == [Role.PLATFORM_ENGINEER, Role.BUDGET_OWNER]
    assert "costs 1400.00, over the budget of 900.00" in row_of(over, "TR-120").says
    red = judged({"cost.over_budget": True, "decision.domain": "credit"})
    assert steps(red) == [Role.ANALYST, Role.BUDGET_OWNER, Role.RISK_OFFICER]
    for within in ({"cost.over_budget": False}, {}):
        assert judged(within).track is Track.GREEN and steps(judged(within)) == []


@pytest.mark.parametrize(("ratio", "track"), [(1.2, Track.GREEN), (1.21, Track.YELLOW), (1.5, Track.YELLOW), (1.51, Track.RED)])
def test_cost_against_the_champion(ratio: float, track: Track) -> None:
    assert judged({"cost.ratio": ratio}).track is track


def test_the_step_says_what_is_approved() -> None:
    step = next(step for step in pack().document.added_steps if step.role is Role.BUDGET_OWNER)
    assert "budget" in step.attests and "volume" in step.attests


def test_the_budget_owner_is_asked_and_not_stopped() -> None:
    uses = {use.gate: use for use in pack().gates}
    assert uses["GC101"].blocking is False, "the approval decides, so the gate may not stop the case before it"
    assert Track.GREEN not in uses["GC101"].tracks and "TR-120" in uses["GC101"].why


@pytest.mark.parametrize("code", ["GE101", "GE102", "GE103"])
def test_ab_gates_run_only_for_ab_tests(code: str) -> None:
    assert code in {plan.code for plan in judged({"rollout.strategy": "ab_test", "rollout.traffic_percent": 5}).gates}
    for strategy in ("full", "canary", DROP):
        assert code not in {plan.code for plan in judged({"rollout.strategy": strategy}).gates}


def test_the_exposure_allowed_shrinks_where_more_can_go_wrong() -> None:
    use = next(use for use in pack().gates if use.gate == "GE101")
    assert use.limits_for(Track.GREEN)["max_exposure_percent"] == 5
    assert use.limits_for(Track.RED)["max_exposure_percent"] < use.limits_for(Track.YELLOW)["max_exposure_percent"]
