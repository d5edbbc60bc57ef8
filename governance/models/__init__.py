"""The record."""

from governance.models.audit import AuditCheckpoint, AuditEvent, AuditHead
from governance.models.conflicts import ConflictRuling, RuleConflict
from governance.models.envelopes import ChangeEnvelope, EnvelopeRuling, EnvelopeUse
from governance.models.freezes import FreezeException, FreezeExceptionRuling, FreezeRuling, FreezeWindow
from governance.models.grants import GrantRequest
from governance.models.people import Person, RoleGrant, Unit
from governance.models.policy import PolicyPack
from governance.models.policy_life import Backtest, FactColumn, PolicyDraft, PolicyRuling, ReplayRun
from governance.models.register_changes import RegisterChange, RegisterEntry, RegisterRuling
from governance.models.registers import ColumnMark, ReferencePopulation
from governance.models.repeating import RepeatedCall
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
from governance.models.trust import TrustRule, UsedIdentity

__all__ = [
    "Answer",
    "ApiToken",
    "AuditCheckpoint",
    "AuditEvent",
    "AuditHead",
    "Backtest",
    "ChangeEnvelope",
    "ColumnMark",
    "ConflictRuling",
    "Contributor",
    "DataApproval",
    "DataSource",
    "EnvelopeRuling",
    "EnvelopeUse",
    "Evidence",
    "EvidenceFile",
    "FactColumn",
    "FreezeException",
    "FreezeExceptionRuling",
    "FreezeRuling",
    "FreezeWindow",
    "GrantRequest",
    "MetadataSource",
    "Person",
    "PolicyDraft",
    "PolicyPack",
    "PolicyRuling",
    "ReferencePopulation",
    "RegisterChange",
    "RegisterEntry",
    "RegisterRuling",
    "RepeatedCall",
    "ReplayRun",
    "Revision",
    "RoleGrant",
    "RuleConflict",
    "Submission",
    "System",
    "SystemVersion",
    "TrackDecision",
    "TrustRule",
    "Unit",
    "UsedIdentity",
]
