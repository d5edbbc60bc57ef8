"""What the demo's teams state about their versions, and what they cost: the facts every story begins with."""

from __future__ import annotations

from typing import Any

from gates.simulator.operations import AbTest, LoadTest, cost_report
from governance.domain.vocabulary import EvidenceRole

MONITORS = [
    {
        "kind": "data_drift",
        "features": ["all"],
        "test": "psi",
        "limit": 0.25,
        "window": "7d",
        "owner": "ml-platform",
        "route": "pager:ml-platform",
    },
    {
        "kind": "concept_drift",
        "metric": "roc_auc",
        "limit": 0.05,
        "window": "30d",
        "owner": "ml-platform",
        "route": "pager:ml-platform",
    },
    {
        "kind": "prediction_drift",
        "test": "psi",
        "limit": 0.2,
        "window": "7d",
        "owner": "ml-platform",
        "route": "pager:ml-platform",
    },
    {"kind": "data_quality", "limit": 0.05, "window": "1d", "owner": "data-platform", "route": "pager:data-platform"},
    {
        "kind": "fairness",
        "metric": "selection rate",
        "limit": 0.8,
        "window": "30d",
        "owner": "ml-platform",
        "route": "#ml-platform",
    },
    {"kind": "latency", "metric": "p95", "limit": 200, "window": "1d", "owner": "ml-platform", "route": "pager:ml-platform"},
]
TRAIN_ROWS, EVAL_ROWS = 12_000, 8_000
LENDING = {"data.consent_basis": "contract", "data.reference_population": "Lending customers"}
SHOP_FACTS = {
    "decision.automated": True,
    "decision.affects_customers": False,
    "decision.affects_purchases": False,
    "impact.financial": "low",
    "impact.people_per_month": 90_000,
    "regulation.regimes": [],
    "data.contains_pii": False,
    "data.protected_attributes": [],
}
FIRST = {"rollout.rollback_target": "first version"}


def standard_facts(domain: str, **more: Any) -> dict[str, Any]:
    """What a team writes once into the metadata of its training pipeline."""
    return {
        "decision.domain": domain,
        "decision.automated": True,
        "decision.affects_customers": True,
        "decision.reversible": True,
        "impact.financial": "high",
        "impact.people_per_month": 12_000,
        "rollout.strategy": "canary",
        "rollout.traffic_percent": 10,
        "rollout.circuit_breaker": True,
        "monitoring.plan": MONITORS,
        "cost.per_1k_predictions": 0.04,
        "vendor.third_party": False,
        "data.protected_attributes": [],
        **more,
    }


def costs(seed: int, candidate: LoadTest, champion: LoadTest | None = None) -> dict[EvidenceRole, tuple[str, bytes]]:
    """What a credit model costs: far within its budget."""
    body = cost_report(
        candidate, champion, seed=seed, predictions_per_month=400_000_000, budget=120, owner="credit-risk", p95_ms=40
    )
    return {EvidenceRole.COST_REPORT: ("cost.json", body)}


def offer_costs(seed: int, candidate: LoadTest, champion: LoadTest | None = None) -> dict[EvidenceRole, tuple[str, bytes]]:
    """What the ranking of offers costs, on every page of the shop: the budget covers the first version and not the second."""
    body = cost_report(
        candidate, champion, seed=seed, predictions_per_month=3_000_000_000, budget=520, owner="shop-platform", p95_ms=60
    )
    return {EvidenceRole.COST_REPORT: ("cost.json", body)}


def experiment(test: AbTest) -> dict[EvidenceRole, tuple[str, bytes]]:
    """The set-up of an A/B test as evidence."""
    return {EvidenceRole.EXPERIMENT: ("experiment.json", test.document())}
