"""Which sections of a case the reader has seen, and which changed since. A section's digest covers what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.domain.canonical import digest
from governance.domain.decision import DecisionView
from governance.domain.decision_gates import GateView
from governance.domain.decision_json import to_json
from reviews.models import SectionSeen

GATE_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "performance": ("GP",),
    "fairness": ("GF",),
    "explanations": ("GX",),
    "data": ("GD",),
    "rollback": ("GR",),
    "monitoring": ("GM",),
    "cost": ("GC",),
    "experiment": ("GE",),
    "build": ("GA",),
    "pipeline": ("GL",),
}
"""Sections of gates, by the beginnings of their codes; every other gate stands in `other`."""
OTHER = "other"


@dataclass(frozen=True)
class Seen:
    """How a section stands to the reader: `seen`, `changed` since it was marked, or `new`."""

    section: str
    digest: str
    state: str
    at: datetime | None


def section_of(gate: GateView) -> str:
    """The section a gate stands in."""
    return next((name for name, begins in GATE_SECTIONS.items() if gate.code.startswith(begins)), OTHER)


def section_digests(view: DecisionView) -> dict[str, str]:
    """Section -> digest of what it says. Moments that only tell the age of something are left out."""
    shown: dict[str, Any] = {
        "context": [view.context, view.champion, view.artifact_digest, view.revision_note],
        "why": [view.track, view.track_is_final, view.track_says, [[row.rule, row.says] for row in view.reasons]],
        "answers": [[row.id, row.value, row.answered, row.conflict] for row in view.answers],
        "findings": [
            [[row.id, row.state, row.severity, row.says, row.remediation] for row in view.findings],
            [[row.number, row.state] for row in view.waivers],
            [[row.id, row.text, row.met_at is not None] for row in view.conditions],
        ],
        "evidence": [
            [[row.role, row.sha256] for row in view.evidence],
            [row.sha256 for row in view.sources],
            [row.role for row in view.missing_evidence],
        ],
    }
    for gate in view.gates:
        shown.setdefault(section_of(gate), []).append(
            [gate.code, gate.shown, gate.blocking, gate.observed, gate.interval, gate.limit, gate.n, gate.group, gate.says]
        )
    return {name: digest(to_json(parts)) for name, parts in shown.items()}


def seen_of(rows: Iterable[SectionSeen], digests: Mapping[str, str]) -> dict[str, Seen]:
    """How each section stands. `rows`: the reader's own marks on this case."""
    marks = {row.section: row for row in rows}
    return {
        name: Seen(name, now, _state(marks.get(name), now), marks[name].at if name in marks else None)
        for name, now in digests.items()
    }


def looked_at(rows: Iterable[SectionSeen], now: str) -> str:
    """Digest of the case as the reader last marked something of it, where it is another one now; "" else."""
    last = max(rows, key=lambda row: row.at, default=None)
    return last.dossier_digest if last is not None and last.dossier_digest and last.dossier_digest != now else ""


def _state(mark: SectionSeen | None, now: str) -> str:
    if mark is None:
        return "new"
    return "seen" if mark.digest == now else "changed"
