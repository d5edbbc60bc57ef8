"""How far the inputs and the scores moved between two samples: PSI with reference bins, and the usual other sizes of effect."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "drift"
TITLE = "Comparing current data with the reference"
VERSION = 2
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (
    EvidenceRole.REFERENCE_SAMPLE,
    EvidenceRole.CURRENT_SAMPLE,
    EvidenceRole.CANDIDATE_PREDICTIONS,
    EvidenceRole.BASELINE_PREDICTIONS,
    EvidenceRole.DATA_QUALITY_REPORT,
)
USES_REGISTERS = ("attribution_shares",)
USES_FACTS = ("model.features", "explanation.shares")


def collect(inputs: Inputs) -> Collected:
    """Measure feature drift between the samples and prediction drift between samples or prediction files. See
    `drift_impl.measure`.
    """
    from gates.metrics.drift_impl import measure

    return measure(inputs)
