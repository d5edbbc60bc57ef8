"""Quality of the data: counted in one pass over the samples, and read from reports of Great Expectations and other tools."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "data_quality"
TITLE = "Checking the data for gaps, doubles and strange values"
VERSION = 2
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (
    EvidenceRole.CURRENT_SAMPLE,
    EvidenceRole.REFERENCE_SAMPLE,
    EvidenceRole.CANDIDATE_PREDICTIONS,
    EvidenceRole.DATA_QUALITY_REPORT,
)
USES_FACTS = ("data.quality.evaluated", "data.quality.failed")


def collect(inputs: Inputs) -> Collected:
    """Count what is missing, doubled, constant, unseen or out of range, and list failed expectations. See
    `data_quality_impl.measure`.
    """
    from gates.metrics.data_quality_impl import measure

    return measure(inputs)
