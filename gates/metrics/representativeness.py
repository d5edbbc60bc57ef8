"""Whether the people in the data are those the model is meant for: shares of groups against a declared population."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "representativeness"
TITLE = "Comparing the data with the population it is meant for"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.POPULATION, EvidenceRole.REFERENCE_SAMPLE, EvidenceRole.CANDIDATE_PREDICTIONS)
USES_REGISTERS = ("reference_populations",)
USES_FACTS = ("data.reference_population",)


def collect(inputs: Inputs) -> Collected:
    """Measure each group's share over its share in the population, with its interval. See `representativeness_impl.measure`."""
    from gates.metrics.representativeness_impl import measure

    return measure(inputs)
