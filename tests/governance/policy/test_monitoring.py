"""How a reading is judged: edges, comparison with what was approved, and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from governance.policy.monitoring import MonitoringPlan, Reading, judge


def plan(**more: Any) -> MonitoringPlan:
    limit = {
        "signal": "drift",
        "metrics": ["psi"],
        "medium": ">= 0.10",
        "high": ">= 0.25",
        "why": "w",
        "fix": "f",
        "due_days": 14,
        "note": "convention",
    }
    return MonitoringPlan.model_validate({"why": "w", "limits": [{**limit, **more}]})


COST = {
    "signal": "cost",
    "metrics": ["per_1k"],
    "compare": "rise",
    "approved": "cost.per_1k_predictions",
    "medium": ">= 0.2",
    "high": None,
}
DROP = {
    "signal": "performance",
    "metrics": ["roc_auc"],
    "compare": "drop",
    "approved": "performance.candidate",
    "approved_metric": "performance.metric",
    "medium": ">= 0.05",
    "high": ">= 0.15",
}


@pytest.mark.parametrize(
    ("value", "verdict", "severity"),
    [
        (0.0999, "within", None),
        (0.10, "over", "medium"),
        (0.2499, "over", "medium"),
        (0.25, "over", "high"),
        (None, "unknown", None),
    ],
)
def test_the_edge_belongs_to_the_stricter_side(value: float | None, verdict: str, severity: str | None) -> None:
    found = judge(plan(), "drift", Reading("psi", value, "age"), {})
    assert (found.verdict, found.severity) == (verdict, severity)
    assert "psi of age" in found.says


@pytest.mark.parametrize(
    ("signal", "more", "reading", "approved", "verdict"),
    [
        ("cost", COST, Reading("per_1k", 0.0599), {"cost.per_1k_predictions": 0.05}, "within"),
        ("cost", COST, Reading("per_1k", 0.06), {"cost.per_1k_predictions": 0.05}, "over"),
        ("cost", COST, Reading("per_1k", 0.06, baseline=0.06), {"cost.per_1k_predictions": 0.05}, "over"),
        ("cost", COST, Reading("per_1k", 0.06, baseline=0.05), {}, "over"),
        ("cost", COST, Reading("per_1k", 0.06), {}, "unknown"),
        ("cost", COST, Reading("per_1k", 0.06), {"cost.per_1k_predictions": 0}, "unknown"),
        (
            "performance",
            DROP,
            Reading("roc_auc", 0.77),
            {"performance.metric": "roc_auc", "performance.candidate": 0.80},
            "within",
        ),
        ("performance", DROP, Reading("roc_auc", 0.75), {"performance.metric": "roc_auc", "performance.candidate": 0.80}, "over"),
        ("performance", DROP, Reading("roc_auc", 0.75), {"performance.metric": "f1", "performance.candidate": 0.80}, "unknown"),
        ("drift", {}, Reading("wasserstein", 9.0), {}, "unjudged"),
    ],
)
def test_what_it_is_compared_with(
    signal: str, more: dict[str, Any], reading: Reading, approved: dict[str, Any], verdict: str
) -> None:
    assert judge(plan(**more), signal, reading, approved).verdict == verdict


@pytest.mark.parametrize(
    "more",
    [
        {"medium": None, "high": None},
        {"medium": ">= 0.3", "high": ">= 0.2"},
        {"medium": "< 0.3"},
        {"note": None},
        {"approved": "cost.per_month"},
        {"metrics": []},
        {"due_days": 0},
        {"incident": "fire"},
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plan(**more)


def test_a_metric_has_limits_once_and_without_a_plan_nothing_is_judged() -> None:
    row = plan().limits[0].model_dump(mode="json")
    with pytest.raises(ValidationError, match="twice"):
        MonitoringPlan.model_validate({"why": "w", "limits": [row, row]})
    assert judge(None, "drift", Reading("psi", 0.9), {}).verdict == "unjudged"
