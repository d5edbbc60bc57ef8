"""How old the data are: the newest training row, and when each source was last refreshed."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "recency"
TITLE = "Looking how old the data are"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.REFERENCE_SAMPLE,)
USES_REGISTERS = ("registered_sources", "as_of")
USES_FACTS = ("data.sources", "data.snapshot_date")


def collect(inputs: Inputs) -> Collected:
    """Measure ages in days: of the newest training row and of each source's last refresh. See `recency_impl.measure`."""
    from gates.metrics.recency_impl import measure

    return measure(inputs)
