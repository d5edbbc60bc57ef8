"""The record."""

from governance.models.audit import AuditCheckpoint, AuditEvent, AuditHead
from governance.models.people import Person, RoleGrant, Unit
from governance.models.policy import PolicyPack
from governance.models.registers import ColumnMark, ReferencePopulation
from governance.models.submissions import (
    Answer,
    Contributor,
    Evidence,
    EvidenceFile,
    MetadataSource,
    Revision,
    Submission,
    TrackDecision,
)
from governance.models.systems import DataApproval, DataSource, System, SystemVersion
from governance.models.tokens import ApiToken

__all__ = [
    "Answer",
    "ApiToken",
    "AuditCheckpoint",
    "AuditEvent",
    "AuditHead",
    "ColumnMark",
    "Contributor",
    "DataApproval",
    "DataSource",
    "Evidence",
    "EvidenceFile",
    "MetadataSource",
    "Person",
    "PolicyPack",
    "ReferencePopulation",
    "Revision",
    "RoleGrant",
    "Submission",
    "System",
    "SystemVersion",
    "TrackDecision",
    "Unit",
]
