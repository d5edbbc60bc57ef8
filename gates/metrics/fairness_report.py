"""A fairness table made elsewhere (Aequitas, Fairlearn) against the same rates counted here."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "fairness_report"
TITLE = "Comparing the fairness table handed in with the predictions"
VERSION = 2
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.TEST_REPORT, EvidenceRole.CANDIDATE_PREDICTIONS)
USES_FACTS: tuple[str, ...] = ()


def collect(inputs: Inputs) -> Collected:
    """Measure how far the reported rates and disparities are from ours; not applicable without such a table. See
    `fairness_report_impl.measure`.
    """
    from gates.metrics.fairness_report_impl import measure

    return measure(inputs)
