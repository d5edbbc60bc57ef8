"""Stored records by kind: how many of a period a caller may see. One statement a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from django.db.models import Model, QuerySet

from governance.domain.vocabulary import Role
from governance.models import AuditEvent, DataSource, Evidence, PolicyPack, RoleGrant, Submission, System
from governance.policy.regimes import Record
from governance.selectors.access import Caller, visible
from reviews.models import (
    Attested,
    ChangeItem,
    Condition,
    DeclaredConflict,
    Deployment,
    Dossier,
    Evaluation,
    Finding,
    Incident,
    MonitoringEvent,
    Permit,
    SignOff,
    Waiver,
    WaiverAudit,
)

CASE = "submission__unit_id"
AUDIT_READERS = frozenset({Role.ANALYST, Role.RISK_OFFICER, Role.AUDITOR, Role.ADMIN})
ADMINISTRATION_READERS = frozenset({Role.AUDITOR, Role.ADMIN})


@dataclass(frozen=True)
class Kept:
    """One kind of record. `at`: when it came about; "" for a register, counted as it stands. `unit`: "" belongs to all."""

    label: str
    url: str
    model: type[Model]
    at: str = "at"
    unit: str = CASE
    only: Mapping[str, Any] = field(default_factory=dict)
    readers: frozenset[Role] = frozenset()

    def url_for(self, caller: Caller) -> str:
        """Where the caller can look at them; "" where the page would refuse."""
        return self.url if not self.readers or caller.any_roles & self.readers else ""

    def count(self, caller: Caller, first: datetime, after: datetime) -> int:
        """How many there are from `first` until before `after`."""
        rows: QuerySet[Any] = self.model._default_manager.filter(**self.only).order_by()
        rows = visible(rows, caller, self.unit) if self.unit else rows
        return rows.filter(**{f"{self.at}__gte": first, f"{self.at}__lt": after}).count() if self.at else rows.count()


KEPT: dict[str, Kept] = {
    "attestations": Kept("statements people attested", "/submissions", Attested),
    "audit_events": Kept("events of the audit trail", "/audit", AuditEvent, unit="unit", readers=AUDIT_READERS),
    "change_requests": Kept("changes asked for by reviewers", "/submissions", ChangeItem, at="sign_off__at"),
    "conditions": Kept("conditions of approvals", "/follow-up", Condition, at="sign_off__at"),
    "conflicts_of_interest": Kept("declared conflicts of interest", "/submissions", DeclaredConflict),
    "data_sources": Kept("registered data sources", "/policies#sources", DataSource, at="", unit="unit_id"),
    "deployments": Kept("reported deployments", "/deployments", Deployment, unit="unit_id"),
    "dossiers": Kept("dossiers kept", "/submissions", Dossier),
    "evaluations": Kept("post-release evaluations recorded", "/follow-up?scope=done", Evaluation, "done_at", "unit_id"),
    "evidence_files": Kept("files handed in as evidence", "/submissions", Evidence, at="added_at"),
    "findings": Kept("findings recorded", "/compliance?only=findings", Finding, at="opened_at"),
    "findings_closed": Kept("findings closed", "/compliance", Finding, at="closed_at"),
    "incidents": Kept("incidents opened", "/incidents", Incident, "opened_at", "unit_id"),
    "monitoring_events": Kept("reports of monitors", "/monitoring", MonitoringEvent, "received_at", "unit_id"),
    "permits": Kept("permits issued", "/compliance", Permit, "issued_at", "unit_id"),
    "permits_revoked": Kept("permits revoked", "/compliance", Permit, "revoked_at", "unit_id"),
    "policy_versions": Kept("policy versions put in force", "/policies", PolicyPack, "active_from", ""),
    "risk_sign_offs": Kept(
        "residual risks accepted in words", "/submissions", SignOff, only={"role": "risk_officer", "voided_at": None}
    ),
    "role_grants": Kept("roles granted", "/administration", RoleGrant, "valid_from", "unit_id", readers=ADMINISTRATION_READERS),
    "rollbacks": Kept("rollbacks", "/deployments", Deployment, "ended_at", "unit_id", {"state": Deployment.ROLLED_BACK}),
    "sign_offs": Kept("signed decisions", "/submissions", SignOff, only={"voided_at": None}),
    "submissions": Kept("submissions handed in", "/submissions", Submission, "submitted_at", "unit_id"),
    "systems": Kept("systems in the inventory", "/systems", System, at="", unit="unit_id"),
    "waiver_audits": Kept("audits of waivers recorded", "/follow-up?scope=done", WaiverAudit, at="done_at"),
    "waivers": Kept("waivers asked for", "/waivers", Waiver, at="requested_at"),
}
"""Every kind a mapping may name."""

assert set(KEPT) == set(get_args(Record)), "a mapping may name just the kinds that are counted"
