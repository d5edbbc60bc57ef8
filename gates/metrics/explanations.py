"""Explanations of the candidate and how far they moved from the champion's, on the same rows, with the same method and
background.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "explanations"
TITLE = "Comparing explanations with the champion's"
VERSION = 3
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
    EvidenceRole.RETRAIN_ATTRIBUTIONS,
    EvidenceRole.CANDIDATE_PREDICTIONS,
    EvidenceRole.BASELINE_PREDICTIONS,
    EvidenceRole.REASON_CODES,
)
USES_FACTS = (
    "model.features",
    "model.decision_threshold",
    "data.protected_attributes",
    "data.protected_proxies",
    "champion.exists",
    "system.first_deployment",
    "decision.domain",
    "decision.adverse_score",
)


def collect(inputs: Inputs) -> Collected:
    """Measure shares, their change with its noise floor, row cosines, sign flips, concentration, the protected share, and the
    reasons
    of single people with worked examples. See `explanations_impl.measure`.
    """
    from gates.metrics.explanations_impl import measure

    return measure(inputs)
