"""Of an explained decision: gates with their measurements and pictures, waivers of gates, and findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class MeasureView:
    """One measured number."""

    metric: str
    group: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class PictureView:
    """A chart by id, with its words and the table beneath. The drawing itself is fetched by id."""

    id: int
    key: str
    title: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class WaiverSignatureView:
    """One of the two signatures under a waiver, or the refusal of one."""

    part: str
    part_label: str
    by: str
    by_id: int
    signed: bool
    meaning: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WaiverView:
    """One failed gate waived for a time. `state`: requested, countersigned, live, expired, or how it ended; `live`: holds now."""

    id: int
    number: str
    gate: str
    says: str
    risk: str
    reason: str
    compensating_control: str
    owner: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    granted_at: datetime | None
    ended_at: datetime | None
    ended_why: str
    audit_owner: str
    audit_due_on: date
    audit_done_at: datetime | None
    audit_held: bool | None
    audit_found: str
    signatures: tuple[WaiverSignatureView, ...]
    state: str
    live: bool
    url: str


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate: its verdict with value, interval and limit, what to do, and what it rests on."""

    code: str
    name: str
    title: str
    verdict: str
    blocking: bool
    observed: float | None
    interval: tuple[float, float] | None
    limit: str
    n: int | None
    metric: str
    group: str
    says: str
    fix: str
    notes: tuple[str, ...]
    learn: str
    risk: str
    read_by: str
    mode: str
    needs_reading: bool
    pictures: tuple[PictureView, ...] = ()
    measures: tuple[MeasureView, ...] = ()
    waivable: bool = False
    not_waivable: str = ""
    waiver: WaiverView | None = None

    @property
    def shown(self) -> str:
        """What its badge says: the verdict, or that its failure is waived now, which is no pass."""
        return "waived" if self.waiver is not None and self.waiver.live and self.verdict == "fail" else self.verdict


@dataclass(frozen=True, slots=True)
class RunView:
    """Progress of one collector."""

    collector: str
    title: str
    status: str
    says: str
    seconds: float | None
    attempt: int


@dataclass(frozen=True, slots=True)
class FindingView:
    """A recorded problem."""

    id: str
    severity: str
    says: str
    fix: str
    about: str
    state: str
    owner: str
    due_at: date | None
    remediation: str
    opened_at: datetime
    closed_at: datetime | None
    closed_why: str
    by_person: bool = False
    evidence: str = ""
    fixed_by: str = ""
    verified_by: str = ""
