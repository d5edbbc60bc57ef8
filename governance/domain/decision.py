"""The explained decision: one frozen object that the page, the API, the PDF and the exports render.

Names follow the verdict document where both have a thing. Nothing here computes: `reviews.selectors.decision_view` fills it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.domain.decision_facts import EvidenceView, FactView, MissingEvidence, QuestionCounts, QuestionView, SourceView
from governance.domain.decision_gates import FindingView, GateView, RunView, WaiverView
from governance.domain.decision_review import (
    ActionView,
    AttestationView,
    CellView,
    ChangeItemView,
    ConditionView,
    InterestView,
    LearningView,
    SignOffView,
    StepView,
    ThreadView,
    sign_off_cell,
)
from governance.domain.decision_track import (
    AnnouncedView,
    CheckedView,
    EnvelopeView,
    HeldView,
    PolicyView,
    ReasonView,
    WayOutView,
)


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of the history."""

    seq: int
    at: datetime
    who: str
    action: str
    says: str
    comment: str = ""
    tone: str = "grey"
    icon: str = "circle"


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """One thing that differs. `about`: features, sources, metrics, thresholds, answers, evidence, outcomes, policy or facts."""

    about: str
    label: str
    before: Any
    after: Any
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """What changed against something else: an earlier revision or the champion."""

    against: str
    says: str
    changes: tuple[DifferenceView, ...]


@dataclass(frozen=True, slots=True)
class PermitView:
    """The permit of a submission, if one was issued."""

    id: str
    environment: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_why: str
    valid: bool
    exposure: int = 100


@dataclass(frozen=True, slots=True)
class DecisionView:
    """Everything about one submission that anybody needs to understand or take its decision."""

    id: int
    submission: str
    url: str
    unit: str
    system: str
    system_name: str
    system_purpose: str
    system_owner: str
    kind: str
    version: str
    artifact_digest: str
    environment: str
    champion: str
    champion_submission: str
    submitter: str
    contributors: tuple[tuple[str, str], ...]
    revision: int
    revision_note: str
    created_at: datetime
    submitted_at: datetime | None
    closed_at: datetime | None
    context: str
    state: str
    state_words: str
    final: bool
    turn: tuple[str, ...]
    turn_since: datetime | None
    due_at: datetime | None
    overdue: bool
    claimed_by: str
    track: str
    track_is_final: bool
    track_says: str
    reasons: tuple[ReasonView, ...]
    held: tuple[HeldView, ...]
    would_change: tuple[WayOutView, ...]
    steps: tuple[StepView, ...]
    gates: tuple[GateView, ...]
    runs: tuple[RunView, ...]
    questions: QuestionCounts
    answers: tuple[QuestionView, ...]
    facts: tuple[FactView, ...]
    missing_evidence: tuple[MissingEvidence, ...]
    evidence: tuple[EvidenceView, ...]
    sources: tuple[SourceView, ...]
    findings: tuple[FindingView, ...]
    change_items: tuple[ChangeItemView, ...]
    conditions: tuple[ConditionView, ...]
    sign_offs: tuple[SignOffView, ...]
    history: tuple[EventView, ...]
    since_last_revision: ComparisonView | None
    against_champion: ComparisonView | None
    permit: PermitView | None
    actions: tuple[ActionView, ...]
    policy: PolicyView | None
    dossier_digest: str
    waivers: tuple[WaiverView, ...] = ()
    attestations: tuple[AttestationView, ...] = ()
    interests: tuple[InterestView, ...] = ()
    your_step: int | None = None
    announced: tuple[AnnouncedView, ...] = ()
    envelope: EnvelopeView | None = None
    may_declare: bool = False
    checked: tuple[CheckedView, ...] = ()
    threads: tuple[ThreadView, ...] = ()
    learning: tuple[LearningView, ...] = ()

    @property
    def sign_off_matrix(self) -> tuple[tuple[str, tuple[CellView, ...]], ...]:
        """Which function signs which element: a row per element, a cell per step; empty where no step has a checklist."""
        steps = [step for step in self.steps if step.state != "void"]
        elements = dict.fromkeys(item.element for step in steps for item in step.checklist)
        return tuple((element, tuple(sign_off_cell(step, element) for step in steps)) for element in elements)

    @property
    def lessons_left(self) -> tuple[LearningView, ...]:
        """Lessons that the reader's open step asks for and they have not passed."""
        return tuple(row for row in self.learning if row.state != "passed")

    @property
    def conflicts(self) -> tuple[FactView, ...]:
        """Facts about which sources disagree."""
        return tuple(fact for fact in self.facts if fact.conflict)

    def gate(self, code: str) -> GateView | None:
        """The gate of that code, or None."""
        return next((gate for gate in self.gates if gate.code == code), None)
