"""Secrets in what was handed in: reports and documents among the evidence, and what was declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gates.collecting import Collected, EvidenceInput, Inputs
from gates.readers.secrets import kinds_in, secrets_in
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "secrets"
TITLE = "Looking for secrets in the files"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (
    EvidenceRole.TEST_REPORT,
    EvidenceRole.INTEGRATION_REPORT,
    EvidenceRole.SCAN_REPORT,
    EvidenceRole.BOM,
    EvidenceRole.DATA_QUALITY_REPORT,
    EvidenceRole.LINEAGE,
    EvidenceRole.EXPERIMENT,
    EvidenceRole.COST_REPORT,
    EvidenceRole.REASON_CODES,
    EvidenceRole.DOCUMENT,
)
USES_FACTS = (
    "training.parameters",
    "data.sources",
    "data.outputs",
    "model.feature_sources",
    "business.context",
    "rollout.rollback_target",
    "code.repository",
)
MOST_READ = 8 * 1024**2
_HEAD = 4_096


def collect(inputs: Inputs) -> Collected:
    """`secrets.found` with kinds and places, and `secrets.looked_at`: how many texts were looked through. Values are not kept."""
    found: list[str] = []
    looked, cut = 0, []
    for _, evidence in sorted(inputs.evidence.items()):
        text, whole = _text(evidence)
        if text is None:
            continue
        looked += 1
        found.extend(f"{evidence.name}, line {hit.line}: {hit.kind}" for hit in secrets_in(text))
        if not whole:
            cut.append(evidence.name)
    for name in USES_FACTS:
        words = list(_words(inputs.facts.get(name)))
        looked += bool(words)
        found.extend(f"{name}: {kind}" for kind in dict.fromkeys(kind for word in words for kind in kinds_in(word[:4_000])))
    notes = [f"Only the first {MOST_READ // 1024**2} MB were looked through: {', '.join(cut[:10])}."] if cut else []
    notes.append("Models, data tables and binary files are not looked through; scan the repository and the image in CI as well.")
    measures = (
        Measure("secrets.looked_at", float(looked)),
        Measure("secrets.found", float(len(found)), n=looked, text="; ".join(found[:20])),
        Measure("secrets.unread", float(len(cut)), n=looked, text=", ".join(cut[:20])),
    )
    return Collected(measures, notes=tuple(notes))


def _text(evidence: EvidenceInput) -> tuple[str | None, bool]:
    """The text of a file and whether all of it was read; None for a binary one."""
    with Path(evidence.path).open("rb") as file:
        data = file.read(MOST_READ + 1)
    if b"\x00" in data[:_HEAD]:
        return None, True
    return data[:MOST_READ].decode("utf-8", errors="replace"), len(data) <= MOST_READ


def _words(value: Any) -> Iterable[str]:
    """Every text inside a declared value, with its name where it has one: `password=…` is told by the name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in list(value.items())[:2_000]:
            yield from (f"{name}={word}" for word in _words(item))
    elif isinstance(value, list | tuple):
        for item in value[:2_000]:
            yield from _words(item)
