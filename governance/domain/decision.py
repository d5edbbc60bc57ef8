"""The explained decision: one frozen object that the page, the API, the PDF and the exports render.

Names follow the verdict document where both have a thing. Nothing here computes: `reviews.selectors.decision_view` fills it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why the track is what it is: one rule that was hit."""

    rule: str
    track: str
    says: str
    fact: str
    value: Any
    source: str
    editable_by: str
    learn: str
    limit: str = ""
    precedent: str = ""
    precedent_says: str = ""


@dataclass(frozen=True, slots=True)
class HeldView:
    """A rule that was checked and held."""

    rule: str
    says: str


@dataclass(frozen=True, slots=True)
class CheckedView:
    """One rule with its result, whatever it was. `status`: fired, held, unknown, pending or not_applicable.

    `before`: what the version in force (`before_of`) had; `before_of` is "" where there is none, or where it did not say.
    """

    rule: str
    title: str
    status: str
    track: str
    says: str
    fact: str
    value: Any
    limit: str
    source: str
    editable_by: str
    learn: str
    before: Any = None
    before_of: str = ""


@dataclass(frozen=True, slots=True)
class AnnouncedView:
    """A rule that does not count here: it is watched or warns only (`stages`), or a change envelope covers it (`envelope`)."""

    rule: str
    says: str
    would: str
    stages: str
    envelope: str


@dataclass(frozen=True, slots=True)
class EnvelopeView:
    """The change envelope a submission was judged under: inside, or which bound broke."""

    envelope: str
    title: str
    track: str
    inside: bool
    says: str


@dataclass(frozen=True, slots=True)
class ChangeNeeded:
    """One change on the way to a lighter track, and who could make it (`nobody`, or a role)."""

    rule: str
    change: str
    by: str


@dataclass(frozen=True, slots=True)
class WayOutView:
    """What would make the track lighter, or why nothing can."""

    to: str
    possible: bool
    changes: tuple[ChangeNeeded, ...]


@dataclass(frozen=True, slots=True)
class CheckView:
    """One item of a step's checklist, with the answer where one was given: yes, not_applicable, or ""."""

    id: str
    element: str
    asks: str
    human_only: bool
    answer: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SignOffView:
    """A person's decision on a step, as signed."""

    id: int
    step: int
    revision: int
    role: str
    role_label: str
    by: str
    decision: str
    meaning: str
    comment: str
    residual_risk: str
    accepted_instead: str
    readings: tuple[tuple[str, str], ...]
    dossier_digest: str
    policy_digest: str
    at: datetime
    voided_at: datetime | None
    voided_why: str
    rationale: str = ""
    alternatives: str = ""
    checks: tuple[CheckView, ...] = ()
    residual_level: str = ""
    residual_plan: str = ""
    residual_review_on: date | None = None
    shown_at: datetime | None = None

    @property
    def looked(self) -> str:
        """How long the person had the case before them, in words; "" where it is not on record."""
        if self.shown_at is None:
            return ""
        minutes = int((self.at - self.shown_at).total_seconds() // 60)
        if minutes < 1:
            return "less than a minute"
        return f"{minutes} minute{'' if minutes == 1 else 's'}" if minutes < 120 else f"{minutes // 60} hours"


@dataclass(frozen=True, slots=True)
class StepView:
    """One required step: whose turn, since when, due when, and what was decided."""

    id: int
    order: int
    role: str
    role_label: str
    state: str
    attests: str
    why: str
    added_by_rule: str
    since: datetime | None
    due_at: datetime | None
    overdue: bool
    by: str
    decided_at: datetime | None
    decision: str
    comment: str
    mine: bool
    stage: int = 1
    accountable: str = ""
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()
    checklist: tuple[CheckView, ...] = ()
    outside_team: bool = False


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
class AttestationView:
    """What a person has to attest on the case. `waits`: nobody has, or not all; `says`: how far it is, in the gate's words."""

    id: str
    title: str
    role_label: str
    gates: tuple[str, ...]
    waits: bool
    says: str
    yes: int
    no: int
    by: tuple[str, ...]
    yours: bool


@dataclass(frozen=True, slots=True)
class InterestView:
    """Somebody who declared a conflict of interest on the case, and so decides nothing on it."""

    by: str
    why: str
    at: datetime


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
class ProvenanceView:
    """Where a value comes from. `kind` is how an answer came to be, `assurance` how far a fact can be trusted (1 to 4)."""

    kind: str
    assurance: int
    assurance_label: str
    origin: str
    locator: str
    digest: str = ""
    by: str = ""
    at: datetime | None = None
    reason: str = ""
    replaced: Any = None


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question of the questionnaire with the answer that stands and where it comes from."""

    id: str
    topic: str
    ask: str
    why: str
    value: Any
    answered: bool
    material: bool
    conflict: bool
    provenance: ProvenanceView | None


@dataclass(frozen=True, slots=True)
class MissingQuestion:
    """A question nobody and nothing answered."""

    id: str
    ask: str
    why: str


@dataclass(frozen=True, slots=True)
class OfferedAnswer:
    """What the champion answered to a question nothing else answers: it says nothing about this version until it is confirmed."""

    id: str
    ask: str
    value: Any
    origin: str
    locator: str


@dataclass(frozen=True, slots=True)
class MissingEvidence:
    """Evidence that is not there, and what it is needed for."""

    role: str
    why: str


@dataclass(frozen=True, slots=True)
class StatementView:
    """One of several statements about a fact."""

    value: Any
    provenance: ProvenanceView


@dataclass(frozen=True, slots=True)
class FactView:
    """A fact with every statement about it, most assured first."""

    name: str
    label: str
    conflict: bool
    statements: tuple[StatementView, ...]


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A file in a role."""

    role: str
    name: str
    sha256: str
    size: int
    media_type: str
    format: str
    columns: Any
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SourceView:
    """A metadata file that facts were read from."""

    id: int
    name: str
    sha256: str
    reader: str
    facts: int
    problems: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class ChangeItemView:
    """One requested change with the submitter's reply."""

    id: int
    revision: int
    about: str
    about_kind: str
    about_label: str
    asks: str
    good_enough: str
    reply: str
    replied_in_revision: int | None
    asked_by: str
    asked_by_role: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class ConditionView:
    """Something an approval requires."""

    id: int
    text: str
    owner: str
    due_on: date
    if_missed: str
    met_at: datetime | None
    overdue: bool


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


@dataclass(frozen=True, slots=True)
class ActionView:
    """A button: available, or the reason why not."""

    action: str
    label: str
    details: str
    available: bool
    why_not: str
    danger: bool = False


@dataclass(frozen=True, slots=True)
class PolicyView:
    """The policy a submission was judged by."""

    pack: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class QuestionCounts:
    """How the questionnaire was filled."""

    total: int
    prefilled: int
    answered: int
    missing: tuple[MissingQuestion, ...]
    offered: tuple[OfferedAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class RemarkView:
    """One published remark, with what it made of its thread."""

    by: str
    disposition: str
    text: str
    revision: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ThreadView:
    """An exchange about a gate, a question or a finding. `disposition`: question, must_fix or resolved."""

    id: int
    about_kind: str
    about: str
    label: str
    disposition: str
    remarks: tuple[RemarkView, ...]


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell of the sign-off matrix: what one step answers for about one element. `state`: not asked, waits or signed."""

    step: StepView
    state: str
    items: tuple[CheckView, ...]


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

    @property
    def sign_off_matrix(self) -> tuple[tuple[str, tuple[CellView, ...]], ...]:
        """Which function signs which element: a row per element, a cell per step; empty where no step has a checklist."""
        steps = [step for step in self.steps if step.state != "void"]
        elements = dict.fromkeys(item.element for step in steps for item in step.checklist)
        return tuple((element, tuple(_cell(step, element) for step in steps)) for element in elements)

    @property
    def conflicts(self) -> tuple[FactView, ...]:
        """Facts about which sources disagree."""
        return tuple(fact for fact in self.facts if fact.conflict)

    def gate(self, code: str) -> GateView | None:
        """The gate of that code, or None."""
        return next((gate for gate in self.gates if gate.code == code), None)


def _cell(step: StepView, element: str) -> CellView:
    items = tuple(item for item in step.checklist if item.element == element)
    signed = step.state == "done" and step.decision in ("approve", "approve_with_conditions")
    return CellView(step, "not asked" if not items else "signed" if signed else "waits", items)


def to_json(value: Any) -> Any:
    """Plain JSON values of a view: dataclasses as objects, tuples as lists, times in ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value
