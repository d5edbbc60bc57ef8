"""Of an explained decision: whose turn it is, who signed what, and what people asked of each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


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
class ActionView:
    """A button: available, or the reason why not."""

    action: str
    label: str
    details: str
    available: bool
    why_not: str
    danger: bool = False


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


def sign_off_cell(step: StepView, element: str) -> CellView:
    items = tuple(item for item in step.checklist if item.element == element)
    signed = step.state == "done" and step.decision in ("approve", "approve_with_conditions")
    return CellView(step, "not asked" if not items else "signed" if signed else "waits", items)


@dataclass(frozen=True, slots=True)
class LearningView:
    """A lesson that the reader's open step asks for. `state`: passed, changed, lapsed or open; `stage`: shadow, warn or block;
    `counts_from`: the day from which it blocks, where one is set."""

    lesson: str
    title: str
    minutes: int
    state: str
    stage: str
    counts_from: str = ""

    @property
    def says(self) -> str:
        """Why it is asked, in a sentence."""
        return {
            "passed": "You passed it.",
            "changed": "It was changed since you passed it, so it is asked again.",
            "lapsed": "You passed it too long ago, so it is asked again.",
        }.get(self.state, "You have not passed it yet.")
