"""The words of the product as closed sets. One word, one thing; see the glossary in docs."""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum
from typing import ClassVar


class Kind(str):
    """What is deployed: a word such as `ml_model`. Three kinds are shipped; a further one comes with its pack (docs/adr/0010).

    Raises ValueError for what cannot be the name of a kind. Whether a kind is there, only the packs in force can say.
    """

    __slots__ = ()

    ML_MODEL: ClassVar[Kind]
    APPLICATION: ClassVar[Kind]
    DATA_PIPELINE: ClassVar[Kind]

    def __new__(cls, name: str) -> Kind:
        if not KIND_NAME.fullmatch(name):
            raise ValueError(f"{name!r:.60} cannot be the name of a kind: small letters, digits and underscores, up to 20.")
        return super().__new__(cls, name)

    @property
    def value(self) -> str:
        return str(self)

    @property
    def words(self) -> str:
        """As it stands in a sentence: `data pipeline`, `ML model`."""
        return self.replace("_", " ").replace("ml ", "ML ")


KIND_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")
Kind.ML_MODEL = Kind("ml_model")
Kind.APPLICATION = Kind("application")
Kind.DATA_PIPELINE = Kind("data_pipeline")


class Track(StrEnum):
    """How much review a submission needs. Assigned by policy, never chosen."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"

    @property
    def rank(self) -> int:
        return _TRACK_RANK[self]


_TRACK_RANK = {Track.GREEN: 0, Track.YELLOW: 1, Track.RED: 2}


def strictest(*tracks: Track) -> Track:
    """Return the strictest of the given tracks; green when none is given."""
    return max(tracks, key=lambda t: t.rank, default=Track.GREEN)


class State(StrEnum):
    """Where a submission is in its lifecycle."""

    DRAFT = "draft"
    IN_CHECKS = "in_checks"
    CHECKS_FAILED = "checks_failed"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"


OPEN_STATES = frozenset({State.DRAFT, State.IN_CHECKS, State.CHECKS_FAILED, State.IN_REVIEW, State.CHANGES_REQUESTED})
EDITABLE_STATES = frozenset({State.DRAFT, State.CHECKS_FAILED, State.CHANGES_REQUESTED})


class Role(StrEnum):
    """What a person may be granted. Roles are grants with a unit and an end, not attributes of a person."""

    SUBMITTER = "submitter"
    PLATFORM_ENGINEER = "platform_engineer"
    ANALYST = "analyst"
    RISK_OFFICER = "risk_officer"
    PRIVACY = "privacy"
    LEGAL = "legal"
    ETHICS = "ethics"
    PRODUCT = "product"
    BUDGET_OWNER = "budget_owner"
    SECURITY = "security"
    AUDITOR = "auditor"
    POLICY_AUTHOR = "policy_author"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        return _ROLE_LABEL[self]


_ROLE_LABEL = {
    Role.SUBMITTER: "data scientist",
    Role.PLATFORM_ENGINEER: "ML platform engineer",
    Role.ANALYST: "ML Governance Analyst",
    Role.RISK_OFFICER: "risk officer",
    Role.PRIVACY: "data steward (privacy)",
    Role.LEGAL: "legal",
    Role.ETHICS: "ethics",
    Role.PRODUCT: "product",
    Role.BUDGET_OWNER: "budget owner",
    Role.SECURITY: "security",
    Role.AUDITOR: "auditor",
    Role.POLICY_AUTHOR: "policy author",
    Role.ADMIN: "administrator",
}

REVIEWING_ROLES = frozenset(
    {
        Role.PLATFORM_ENGINEER,
        Role.ANALYST,
        Role.RISK_OFFICER,
        Role.PRIVACY,
        Role.LEGAL,
        Role.ETHICS,
        Role.PRODUCT,
        Role.BUDGET_OWNER,
        Role.SECURITY,
    }
)


SECOND_PERSON_ROLES = REVIEWING_ROLES | {Role.ADMIN, Role.POLICY_AUTHOR}
"""Roles that no administrator gives alone: a second person approves the grant."""


class Scope(StrEnum):
    """What an API token may do. None of them can review, sign, waive or change policy."""

    SUBMIT = "submit"
    EVIDENCE = "evidence"
    READ = "read"
    PERMIT = "permit"
    DEPLOY = "deploy"
    MONITOR = "monitor"


class Assurance(IntEnum):
    """How far a fact can be trusted; the higher one is shown and used first, every one counts (see facts.py)."""

    DECLARED = 1
    FILE = 2
    REGISTRY = 3
    MEASURED = 4

    @property
    def label(self) -> str:
        return _ASSURANCE_LABEL[self]


_ASSURANCE_LABEL = {
    Assurance.DECLARED: "typed by a person",
    Assurance.FILE: "read from a file",
    Assurance.REGISTRY: "from a register",
    Assurance.MEASURED: "measured here",
}


class Provenance(StrEnum):
    """How an answer came to be."""

    PREFILLED = "prefilled"
    CONFIRMED = "confirmed"
    EDITED = "edited"
    TYPED = "typed"
    UNKNOWN = "unknown"
    CARRIED_OVER = "carried_over"


class Verdict(StrEnum):
    """What a gate says. Gates pass or fail; people approve."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    NOT_ASSESSED = "not_assessed"
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """How serious a finding is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Disposition(StrEnum):
    """What a thread about a case asks for."""

    QUESTION = "question"
    MUST_FIX = "must_fix"
    RESOLVED = "resolved"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


class EvidenceRole(StrEnum):
    """What an evidence file is for."""

    CANDIDATE_PREDICTIONS = "candidate_predictions"
    BASELINE_PREDICTIONS = "baseline_predictions"
    REFERENCE_SAMPLE = "reference_sample"
    CURRENT_SAMPLE = "current_sample"
    CANDIDATE_MODEL = "candidate_model"
    BASELINE_MODEL = "baseline_model"
    EXPLANATION_SAMPLE = "explanation_sample"
    CANDIDATE_ATTRIBUTIONS = "candidate_attributions"
    BASELINE_ATTRIBUTIONS = "baseline_attributions"
    RETRAIN_ATTRIBUTIONS = "retrain_attributions"
    REASON_CODES = "reason_codes"
    TEST_REPORT = "test_report"
    INTEGRATION_REPORT = "integration_report"
    SCAN_REPORT = "scan_report"
    BOM = "bom"
    DATA_QUALITY_REPORT = "data_quality_report"
    LINEAGE = "lineage"
    EXPERIMENT = "experiment"
    COST_REPORT = "cost_report"
    POPULATION = "population"
    DOCUMENT = "document"


class ColumnMarkKind(StrEnum):
    """What a data steward says about a column in which personal data was found."""

    EXPECTED = "expected"
    HASHED = "hashed"
    WRONG = "wrong"
    REMOVE = "remove"

    @property
    def label(self) -> str:
        return _COLUMN_MARK_LABEL[self]


_COLUMN_MARK_LABEL = {
    ColumnMarkKind.EXPECTED: "expected and declared",
    ColumnMarkKind.HASHED: "hashed or tokenised",
    ColumnMarkKind.WRONG: "a false alarm",
    ColumnMarkKind.REMOVE: "must be removed",
}


class RunStatus(StrEnum):
    """Technical progress of one gate run."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """Progress of one required review step."""

    WAITING = "waiting"
    OPEN = "open"
    DONE = "done"
    VOID = "void"


class DecisionKind(StrEnum):
    """What a person can decide on a review step."""

    APPROVE = "approve"
    APPROVE_WITH_CONDITIONS = "approve_with_conditions"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
