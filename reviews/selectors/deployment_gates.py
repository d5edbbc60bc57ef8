"""Deployment gates as administration shows them: the rules, and what happened to each deployment that waited."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Prefetch

from governance.domain.errors import NotFound
from governance.models import System
from governance.selectors.access import Caller, visible
from governance.selectors.administration import require_reading
from reviews.models import DeploymentGate, DeploymentReport, DeploymentRequest

MOST = 200
LATEST = 10


@dataclass(frozen=True)
class GateRow:
    """A rule with the latest deployments it was asked about. `failed`: something was given up."""

    gate: DeploymentGate
    requests: tuple[DeploymentRequest, ...]
    failed: bool


def deployment_gates(caller: Caller) -> list[GateRow]:
    """The rules of the caller's units, the living first. Three statements."""
    require_reading(caller)
    requests = DeploymentRequest.objects.select_related("submission").prefetch_related(
        Prefetch("reports", DeploymentReport.objects.order_by("id"))
    )
    rows = visible(DeploymentGate.objects.select_related("system", "unit"), caller).prefetch_related(
        Prefetch("requests", requests.order_by("-id")[:LATEST], to_attr="latest")
    )
    return [_row(gate) for gate in rows.order_by(F("ended_at").desc(nulls_first=True), "-id")[:MOST]]


def deployment_gate(caller: Caller, pk: int) -> DeploymentGate:
    """One of them. Raises `NotFound`."""
    require_reading(caller)
    found = visible(DeploymentGate.objects.filter(pk=pk), caller).first()
    if found is None:
        raise NotFound("There is no such rule in your business unit.")
    return found


def gateable(caller: Caller) -> list[System]:
    """Systems whose deployments can be gated."""
    return list(visible(System.objects.select_related("unit"), caller).order_by("slug")[:MOST])


def _row(gate: DeploymentGate) -> GateRow:
    requests = tuple(gate.latest)  # type: ignore[attr-defined]
    waiting = DeploymentRequest.WAITING
    failed = any(
        report.state == DeploymentReport.FAILED for row in requests if row.state == waiting for report in row.reports.all()
    )
    return GateRow(gate, requests, failed)
