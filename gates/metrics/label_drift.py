"""How far the labels moved between the reference and what came after, as a whole and over time."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "label_drift"
TITLE = "Comparing the labels with the reference"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.REFERENCE_SAMPLE, EvidenceRole.CURRENT_SAMPLE, EvidenceRole.CANDIDATE_PREDICTIONS)
USES_FACTS: tuple[str, ...] = ()


def collect(inputs: Inputs) -> Collected:
    """Measure the shares of the classes (or the mean of a number) on both sides, their difference with its interval, and the
    course over time. See `label_drift_impl.measure`.
    """
    from gates.metrics.label_drift_impl import measure

    return measure(inputs)
