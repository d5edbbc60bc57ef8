"""Personal data in the samples: fixed formats and checksums over distinct values, and column names."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "personal_data"
TITLE = "Looking for personal data"
VERSION = 2
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.REFERENCE_SAMPLE, EvidenceRole.CURRENT_SAMPLE, EvidenceRole.EXPLANATION_SAMPLE)
USES_REGISTERS = ("column_marks",)
USES_FACTS = (
    "data.contains_pii",
    "data.pii_approval",
    "data.pii_approval_registered",
    "data.columns",
    "model.features",
    "model.feature_classes",
)


def collect(inputs: Inputs) -> Collected:
    """Find columns with personal data and features that are raw identifiers; no value leaves the child process. See
    `personal_data_impl.measure`.
    """
    from gates.metrics.personal_data_impl import measure

    return measure(inputs)
