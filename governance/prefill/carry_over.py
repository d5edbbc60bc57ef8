"""Answers of the last approved version that still hold unless somebody says otherwise: offered again, never
facts about the new one.
"""

from __future__ import annotations

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.prefill.derived import known

CARRIED_OVER = (
    "decision.domain",
    "decision.automated",
    "decision.affects_customers",
    "decision.human_review",
    "decision.reversible",
    "impact.financial",
    "impact.loss_amount",
    "impact.loss_currency",
    "impact.people_per_month",
    "regulation.regimes",
    "data.consent_basis",
    "data.contains_pii",
    "data.pii_approval",
    "model.limitations",
    "rollout.strategy",
    "rollout.traffic_percent",
    "rollout.circuit_breaker",
    "rollout.rollback_minutes",
    "monitoring.plan",
    "cost.per_1k_predictions",
    "vendor.third_party",
    "vendor.name",
    "data.access_class",
    "business.context",
    "system.owner",
)


def carry_over(facts: FactSet, champion: FactSet, champion_version: str) -> tuple[Fact, ...]:
    """Answers for the questions about use, rollout and monitoring that nothing in `facts` answers.

    They count as typed by a person (DECLARED), because nothing about this version says them: show them as carried over and let
    the
    submitter confirm or edit them. What the model *is* (features, performance, architecture, sources) is never carried over.
    """
    rows = []
    for name in CARRIED_OVER:
        last = champion.best(name)
        if known(facts, name) or last is None or not last.known:
            continue
        where = f"answer for the champion, {champion_version} ({last.origin})"
        rows.append(Fact(name, last.value, Assurance.DECLARED, origin=f"carried over from {champion_version}", locator=where))
    return tuple(rows)
