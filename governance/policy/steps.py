"""What people do on a track: steps and their checklists, attestations, the look back, and who answers for which problem."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from governance.domain.vocabulary import REVIEWING_ROLES, Severity
from governance.policy.pack_fields import Duration, Part, RoleField, Slug, Words, from_word
from governance.policy.stages import Stages


class ChecklistItem(Part):
    """One thing a role answers with its approval. `element`: its row of the sign-off matrix; several may share one.

    `human_only`: no measurement answers it; `asks` is a question whose “yes” speaks for approving.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$", max_length=40)]
    element: Annotated[str, Field(min_length=1, max_length=60)]
    asks: Words
    human_only: bool = False


class LearningNeed(Part):
    """Lessons that a person passes, in their present wording, before they sign a step. It only ever asks for more.

    `valid_days`: after so many days a lesson is asked again. `stages`: a new demand is recorded only, or warns, before it counts.
    """

    lessons: Annotated[tuple[Slug, ...], Field(min_length=1)]
    valid_days: Annotated[int, Field(ge=30, le=1_100)] | None = None
    stages: Stages | None = None

    @field_validator("lessons", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class Step(Part):
    """A required review step. `attests`: what a person of this role confirms. `due`: working time, else the track's.

    The role is responsible; `accountable` answers for the result, `consulted` may be asked, `informed` get one message at the
    decision. `parallel`: open at the same time as the step before it. `quorum`: so many different people of the role have to
    sign. `outside_team`: nobody of the submitter's team decides it (second line). `checklist`: answered with an approval.
    `requires_learning`: lessons to pass first.
    """

    role: RoleField
    attests: Words
    due: Duration | None = None
    accountable: RoleField | None = None
    consulted: tuple[RoleField, ...] = ()
    informed: tuple[RoleField, ...] = ()
    parallel: bool = False
    quorum: Annotated[int, Field(ge=1, le=5)] = 1
    outside_team: bool = False
    checklist: tuple[ChecklistItem, ...] = ()
    requires_learning: LearningNeed | None = None

    @field_validator("consulted", "informed", "checklist", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _reviews(self) -> Step:
        if self.role not in REVIEWING_ROLES:
            raise ValueError(f"“{self.role}” does not review. Use one of {', '.join(sorted(REVIEWING_ROLES))}.")
        ids = [item.id for item in self.checklist]
        if len(set(ids)) != len(ids):
            raise ValueError(f"The checklist of “{self.role}” names an item twice. Give each its own id.")
        return self


class EvaluationPlan(Part):
    """The look back after a release: so many days after the approval, at what."""

    after_days: Annotated[int, Field(ge=1, le=365)]
    looks_at: Annotated[tuple[Words, ...], Field(min_length=1)]

    @field_validator("looks_at", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class TrackPlan(Part):
    """What a track asks for. `evaluation`: the look back after the release."""

    steps: tuple[Step, ...]
    why: Words
    due: Duration | None = None
    deploy: Literal["automatic", "after_review"] = "after_review"
    evaluation: EvaluationPlan | None = None

    @field_validator("steps", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class Attestation(Part):
    """What a person has to attest before a case can be approved; gates read it as the measurement `person.<id>`.

    `statement`: what the person's name stands under. `reads`: how many sampled explanations the person answers `asks` about, one
    by one; 0 when the statement is attested as a whole.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$", max_length=40)]
    role: RoleField
    title: Words
    asks: Words
    statement: Words
    reads: Annotated[int, Field(ge=0, le=50)] = 0

    @model_validator(mode="after")
    def _reviews(self) -> Attestation:
        if self.role not in REVIEWING_ROLES:
            raise ValueError(f"“{self.role}” does not review. Use one of {', '.join(sorted(REVIEWING_ROLES))}.")
        return self


class Routing(Part):
    """One row of the decision matrix: who answers for a kind of problem, and where it goes when it stays open.

    `about`: gates, rules or facts by their beginning (`GF`, `GD103`, `rollout`), `*` for what no other row names. `after`: the
    working time an open finding of `from_severity` or worse may take before `escalates_to` is told.
    """

    id: Annotated[str, Field(pattern=r"^DM-\d{2}$")]
    issue: Words
    about: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(min_length=1)]
    responsible: RoleField
    accountable: RoleField
    escalates_to: RoleField
    after: Duration
    from_severity: Annotated[Severity, from_word(Severity)] = Severity.MEDIUM

    @field_validator("about", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw
