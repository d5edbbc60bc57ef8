"""Explanations of the candidate and how far they moved from the champion's, on the same rows, with the same method and
background.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "explanations"
TITLE = "Comparing explanations with the champion's"
VERSION = 1
HEAVY = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (
    EvidenceRole.CANDIDATE_MODEL,
    EvidenceRole.BASELINE_MODEL,
    EvidenceRole.EXPLANATION_SAMPLE,
    EvidenceRole.REFERENCE_SAMPLE,
    EvidenceRole.CURRENT_SAMPLE,
    EvidenceRole.CANDIDATE_ATTRIBUTIONS,
    EvidenceRole.BASELINE_ATTRIBUTIONS,
    EvidenceRole.CANDIDATE_PREDICTIONS,
)
USES_FACTS = ("model.features", "data.protected_attributes", "champion.exists", "system.first_deployment")


def collect(inputs: Inputs) -> Collected:
    """Measure shares, their change, row cosines, sign flips, concentration and the protected share. See
    `explanations_impl.measure`.
    """
    from gates.metrics.explanations_impl import measure

    return measure(inputs)
