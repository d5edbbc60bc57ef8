"""Leakage: what a model should not have known. Column names, single features that say the label, evaluation rows seen in
training.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "leakage"
TITLE = "Looking for what the model should not have known"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (
    EvidenceRole.REFERENCE_SAMPLE,
    EvidenceRole.CURRENT_SAMPLE,
    EvidenceRole.EXPLANATION_SAMPLE,
    EvidenceRole.CANDIDATE_PREDICTIONS,
)
USES_FACTS = ("model.features", "performance.relative_change")


def collect(inputs: Inputs) -> Collected:
    """Measure suspicious names, the AUC of each feature alone, and rows that training and evaluation share. See
    `leakage_impl.measure`.
    """
    from gates.metrics.leakage_impl import measure

    return measure(inputs)
