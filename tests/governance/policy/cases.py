"""The shipped pack, and facts of a change that is green until a test says otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.policy import Assessment, Pack, evaluate, load_pack

PACKS = Path(__file__).resolve().parents[3] / "governance" / "packs"
PACK_TEXT = (PACKS / "ml_model.yaml").read_text(encoding="utf-8")
QUESTIONNAIRE_TEXT = (PACKS / "questionnaires" / "ml_model.yaml").read_text(encoding="utf-8")

GREEN: dict[str, Any] = {
    "business.context": "Orders the offers in the newsletter.",
    "champion.version": "2.2.0",
    "data.contains_pii": False,
    "data.new_sources": [],
    "data.protected_attributes": [],
    "decision.affects_customers": True,
    "decision.automated": False,
    "decision.domain": "marketing",
    "decision.human_review": "the campaign team",
    "drift.prediction_psi": 0.01,
    "explanation.max_share_change": 0.01,
    "explanation.row_cosine_p10": 0.97,
    "explanation.sign_flips": 0.01,
    "explanation.total_variation": 0.02,
    "impact.financial": "low",
    "model.architecture_changed": False,
    "model.new_features": [],
    "model.threshold_change": 0,
    "model.unapproved_features": [],
    "performance.comparable": True,
    "performance.metric": "roc_auc",
    "performance.relative_change": 0.0125,
    "regulation.regimes": [],
    "rollout.circuit_breaker": True,
    "rollout.flip_rate": 0.02,
    "rollout.rollback_class": "easy",
    "rollout.strategy": "gradual",
    "system.first_deployment": False,
    "vendor.third_party": False,
}


class Drop:
    """Marks a fact to leave out. Its name is part of test ids, which have to be the same in every process."""

    def __repr__(self) -> str:
        return "DROP"


DROP = Drop()


@cache
def pack() -> Pack:
    return load_pack(PACK_TEXT, QUESTIONNAIRE_TEXT)


def statement(name: str, value: Any, assurance: Assurance = Assurance.FILE, **more: Any) -> Fact:
    return Fact(name, value, assurance, {1: "dana", 2: "run.json", 3: "register", 4: "measured:here"}[assurance], **more)


def facts(changes: dict[str, Any] | None = None, *more: Fact) -> FactSet:
    """The green facts with `changes` (DROP removes one), and further statements."""
    values = {**GREEN, **(changes or {})}
    rows = [statement(name, value) for name, value in values.items() if value is not DROP]
    return FactSet.of([*rows, *more])


def judged(changes: dict[str, Any] | None = None, *more: Fact, pending: frozenset[str] = frozenset()) -> Assessment:
    return evaluate(pack(), facts(changes, *more), pending=pending)


def row_of(assessment: Assessment, rule: str) -> Any:
    return next(row for row in assessment.checked if row.rule.id == rule)
