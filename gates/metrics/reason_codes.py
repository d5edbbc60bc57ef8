"""The list of reasons people are given for an adverse decision: whether it is whole, plain and free of protected attributes."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "reason_codes"
TITLE = "Reading the reason codes"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.REASON_CODES, EvidenceRole.CANDIDATE_PREDICTIONS)
USES_FACTS = ("model.features", "data.protected_attributes", "data.protected_proxies")


def collect(inputs: Inputs) -> Collected:
    """Counts of codes that point nowhere, are not plain, or stand for a protected attribute. See `reason_codes_impl.measure`."""
    from gates.metrics.reason_codes_impl import measure

    return measure(inputs)
