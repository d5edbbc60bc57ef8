"""What is deployed, from the facts: its digest, its format, and whether personal data is inside. Needs no file."""

from __future__ import annotations

import re

from gates.collecting import Collected, Inputs
from gates.metrics.lineage import EMPTY_DIGESTS
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "artefact"
TITLE = "Looking at what is deployed"
VERSION = 1
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_FACTS = ("artifact.digest", "artifact.format", "data.contains_pii", "data.pii_approval")
_DIGEST = re.compile(r"(?:.*@)?(?:sha256:)?(?P<hex>[0-9a-f]{64})")


def collect(inputs: Inputs) -> Collected:
    """`artefact.digest` (1 for a SHA-256, 0 for none that can be used), `artefact.format`, `artefact.personal_data`."""
    return Collected(
        (_digest(inputs.facts.get("artifact.digest")), _format(inputs.facts.get("artifact.format")), _personal(inputs))
    )


def _digest(value: object) -> Measure:
    if not isinstance(value, str) or not value.strip():
        return Measure("artefact.digest", None, reason="Nobody said which build is deployed (artifact.digest).")
    found = _DIGEST.fullmatch(value.strip().lower())
    if found is None:
        return Measure("artefact.digest", 0.0, text=f"“{value.strip()[:60]}” is no SHA-256 digest; a tag can be moved.")
    if found["hex"] in EMPTY_DIGESTS:
        return Measure("artefact.digest", 0.0, text="It is the digest of an empty file.")
    return Measure("artefact.digest", 1.0, text=f"sha256:{found['hex'][:12]}…")


def _format(value: object) -> Measure:
    if not isinstance(value, str) or not value.strip():
        return Measure("artefact.format", None, reason="Nobody said in which format it is deployed (artifact.format).")
    return Measure("artefact.format", 1.0, text=value.strip().lower()[:60])


def _personal(inputs: Inputs) -> Measure:
    value = inputs.facts.get("data.contains_pii")
    if not isinstance(value, bool):
        return Measure(
            "artefact.personal_data", None, reason="Nobody said whether the build holds personal data (data.contains_pii)."
        )
    approval = str(inputs.facts.get("data.pii_approval") or "").strip()
    return Measure("artefact.personal_data", float(value), text=f"an approval is named ({approval[:80]})" if approval else "")
