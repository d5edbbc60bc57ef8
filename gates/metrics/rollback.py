"""Readiness to roll back: the target, its schema against what is served, and which decisions flip between the two versions."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "rollback"
TITLE = "Checking the way back and the decisions that flip"
VERSION = 2
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.CANDIDATE_PREDICTIONS, EvidenceRole.BASELINE_PREDICTIONS)
USES_REGISTERS = ("known_versions",)
USES_FACTS = (
    "rollout.rollback_target",
    "champion.version",
    "champion.exists",
    "system.first_deployment",
    "model.features",
    "model.decision_threshold",
)


def collect(inputs: Inputs) -> Collected:
    """Measure target, schema and flips. `settings["known_versions"]`: version -> {approved, features, digest}. See
    `rollback_impl.measure`.
    """
    from gates.metrics.rollback_impl import measure

    return measure(inputs)
