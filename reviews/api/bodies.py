"""What programs and pages send to the review, checked by pydantic."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from governance.api.bodies import Closed, EvidenceBody, SourceBody, Text, answers_of, evidence_of, sources_of
from governance.domain.incoming import NewRevision
from governance.domain.vocabulary import DecisionKind
from reviews.services.decision_input import NewChange, NewCheck, NewCondition, NewDecision

Words = Annotated[str, StringConstraints(max_length=10_000)]
Id = Annotated[int, Field(ge=1, le=2**62)]


class ReviseBody(Closed):
    """`replies`: change item id -> what was done about it. Files, evidence and answers that are not sent stay as they are."""

    note: Words = ""
    replies: dict[Id, Words] = Field(default_factory=dict, max_length=200)
    sources: list[SourceBody] = Field(default_factory=list, max_length=40)
    answers: dict[str, Any] = Field(default_factory=dict, max_length=200)
    evidence: list[EvidenceBody] = Field(default_factory=list, max_length=40)
    carry_over: list[Text] = Field(default_factory=list, max_length=200)

    def new_revision(self) -> NewRevision:
        """As the services take it."""
        return NewRevision(
            note=self.note,
            replies=self.replies,
            sources=sources_of(self.sources),
            answers=answers_of(self.answers),
            evidence=evidence_of(self.evidence),
            carried=tuple(dict.fromkeys(self.carry_over)),
        )


class SubmitBody(Closed):
    note: Words = ""


class WithdrawBody(Closed):
    reason: Words = ""


class ConditionBody(Closed):
    text: Words
    owner: Id
    due_on: date
    if_missed: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "The permit is revoked."


class ChangeItemBody(Closed):
    asks: Words
    good_enough: Words
    about_gate: Annotated[str, StringConstraints(max_length=10)] = ""
    about_question: Annotated[str, StringConstraints(max_length=100)] = ""


class CheckBody(Closed):
    answer: Literal["yes", "no", "not_applicable"]
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class DecisionBody(Closed):
    """A decision with the digest of the dossier it was made on."""

    dossier_digest: Annotated[str, StringConstraints(max_length=80)]
    decision: DecisionKind
    comment: Words = ""
    readings: dict[str, Words] = Field(default_factory=dict, max_length=200)
    conditions: list[ConditionBody] = Field(default_factory=list, max_length=50)
    change_items: list[ChangeItemBody] = Field(default_factory=list, max_length=50)
    rationale: Words = ""
    alternatives: Words = ""
    checks: dict[str, CheckBody] = Field(default_factory=dict, max_length=50)
    residual_risk: Words = ""
    residual_level: Annotated[str, StringConstraints(max_length=10)] = ""
    residual_plan: Words = ""
    residual_review_on: date | None = None
    accepted_instead: Words = ""

    def new_decision(self, reauthenticated_at: datetime | None) -> NewDecision:
        """As the service takes it. When the person last proved who they are comes from the session, never from the body."""
        return NewDecision(
            kind=self.decision,
            comment=self.comment,
            readings=self.readings,
            conditions=tuple(NewCondition(c.text, c.owner, c.due_on, c.if_missed) for c in self.conditions),
            change_items=tuple(NewChange(i.asks, i.good_enough, i.about_gate, i.about_question) for i in self.change_items),
            rationale=self.rationale,
            alternatives=self.alternatives,
            checks={name: NewCheck(given.answer, given.note) for name, given in self.checks.items()},
            residual_risk=self.residual_risk,
            residual_level=self.residual_level,
            residual_plan=self.residual_plan,
            residual_review_on=self.residual_review_on,
            accepted_instead=self.accepted_instead,
            reauthenticated_at=reauthenticated_at,
        )
