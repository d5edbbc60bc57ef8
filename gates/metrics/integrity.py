"""Whether the files handed in are those that were declared, and no file stands where another should."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "integrity"
TITLE = "Comparing files with their declared digests"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = tuple(EvidenceRole)
USES_REGISTERS = ("known_versions", "as_of")
USES_FACTS = (
    "evidence.digests",
    "model.digest",
    "model.signature_present",
    "champion.version",
    "training.dataset_digest",
    "evaluation.dataset_digest",
    "training.run_id",
    "training.started_at",
    "training.ended_at",
    "data.snapshot_date",
    "data.sources",
)


def collect(inputs: Inputs) -> Collected:
    """Hash every file again and compare; look for empty files, the champion's own, reused runs and paths. See
    `integrity_impl.measure`.
    """
    from gates.metrics.integrity_impl import measure

    return measure(inputs)
