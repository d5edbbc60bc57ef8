"""The schema of a policy pack. Frozen, and nothing it does not know is accepted.

A `PackDocument` is what the YAML says; `Pack` (see `evaluating.py`) adds questionnaire, digest and compiled rules.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    field_validator,
    model_validator,
)

from governance.domain.vocabulary import REVIEWING_ROLES, EvidenceRole, Kind, Role, Severity, Track
from governance.policy.bands import Band, Direction, parse_band
from governance.policy.conditions import Atom, Condition, Joined, Negated, facts_of, is_fact_name, parse_condition
from governance.policy.monitoring import MonitoringPlan
from governance.policy.stages import Stages
from governance.policy.templates import Template, parse_template

EDITORS = ("nobody", "submitter", "data owner", "data steward", "product owner", "platform engineer", "policy author")

ConditionField = Annotated[
    Atom | Joined | Negated, PlainValidator(parse_condition), PlainSerializer(lambda c: c.to_json(), return_type=dict)
]
BandField = Annotated[Band, PlainValidator(parse_band), PlainSerializer(str, return_type=str)]
Sentence = Annotated[Template, PlainValidator(parse_template), PlainSerializer(lambda t: t.text, return_type=str)]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Scalar = bool | int | float | str


def _fact_name(name: Any) -> str:
    if not is_fact_name(name):
        raise ValueError(f"Expected a dotted fact name such as decision.domain, found {name!r:.80}.")
    return str(name)


FactName = Annotated[str, BeforeValidator(_fact_name)]


class Part(BaseModel):
    """Base of every part of a pack."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _duration(raw: Any) -> str:
    if not isinstance(raw, str) or not re.fullmatch(r"[1-9]\d{0,2}[hd]", raw):
        raise ValueError(f"Expected hours or days such as 3h or 3d, found {raw!r:.40}.")
    return raw


Duration = Annotated[str, BeforeValidator(_duration)]
"""Working time: 3h is three working hours, 3d three working days. What a working hour is the service knows, not the pack."""


def _from_word(kind: Any) -> BeforeValidator:
    """Words of YAML to members of an enumeration, with the choices in the message."""

    def read(raw: Any) -> Any:
        try:
            return kind(raw)
        except ValueError:
            raise ValueError(f"Expected one of {', '.join(kind)}, found {raw!r:.60}.") from None

    return BeforeValidator(read)


TrackField = Annotated[Track, _from_word(Track)]
RoleField = Annotated[Role, _from_word(Role)]
EvidenceField = Annotated[EvidenceRole, _from_word(EvidenceRole)]


def _kind_name(raw: Any) -> Kind:
    if not isinstance(raw, str):
        raise ValueError(f"Expected the name of a kind such as ml_model, found {raw!r:.60}.")
    return Kind(raw)


KindField = Annotated[Kind, PlainValidator(_kind_name), PlainSerializer(str, return_type=str)]
"""A kind by its name: one of those shipped, or the one a pack brings with it."""


class Example(Part):
    """A worked case of one rule. `facts`: name -> value (None is "said to be unknown"), or {value, low, high, assurance}."""

    name: Words
    facts: dict[FactName, Any] = Field(default_factory=dict)
    gives: Literal["red", "yellow", "held", "unknown", "pending", "not_applicable"]
    pending: tuple[str, ...] = ()

    @field_validator("facts")
    @classmethod
    def _known_words(cls, raw: dict[str, Any]) -> dict[str, Any]:
        for name, given in raw.items():
            if isinstance(given, dict) and "value" in given:
                odd = set(given) - {"value", "low", "high", "assurance"}
                if odd or given.get("assurance", "file") not in ("declared", "file", "registry", "measured"):
                    raise ValueError(f"{name} takes value, low, high and assurance (declared, file, registry or measured).")
        return raw

    @field_validator("pending", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class Bands(Part):
    """Limits of one number. The red one is the stricter."""

    yellow: BandField | None = None
    red: BandField | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Bands:
        if self.yellow is None and self.red is None:
            raise ValueError('Give at least one of yellow and red, such as red: ">= 0.15".')
        if self.yellow is not None and self.red is not None:
            if self.yellow.upward is not self.red.upward:
                raise ValueError("The yellow and the red band point in different directions. Use > with >, or < with <.")
            if (self.yellow.limit < self.red.limit) is not self.yellow.upward:
                raise ValueError("The red band has to lie beyond the yellow one. Exchange or correct the limits.")
        return self


class Rule(Part):
    """One rule: either `when` with `track`, or `fact` with `bands`.

    `says` is the reason when it fires, `unknown_says` when it cannot be told, `held` (optional) when it holds: those with
    `held` make up the sentence of a green track. `change` says in words how it could be changed ({limit} is the limit to
    keep to), by `editable_by`. `measured_by` names the collector that establishes the fact, `applies_when` when the rule
    has an object at all. `stages`: a new rule is watched or warns before it counts.
    """

    id: Annotated[str, Field(pattern=r"^TR-\d{3}$")]
    title: Words
    why: Words
    learn: Slug
    when: ConditionField | None = None
    track: TrackField | None = None
    fact: FactName | None = None
    bands: Bands | None = None
    direction: Annotated[Direction, _from_word(Direction)] = Direction.AS_IS
    unit: Literal["number", "percent"] = "number"
    applies_when: ConditionField | None = None
    not_applicable_says: str = ""
    says: Sentence
    says_when_positive: Sentence | None = None
    unknown_says: Sentence | None = None
    held: Words | None = None
    on_unknown: Literal["red", "yellow", "ignore"]
    editable_by: Literal[
        "nobody", "submitter", "data owner", "data steward", "product owner", "platform engineer", "policy author"
    ]
    change: Sentence
    measured_by: Annotated[str, Field(max_length=60)] = ""
    adds_steps: tuple[RoleField, ...] = ()
    stages: Stages | None = None
    examples: tuple[Example, ...]

    @field_validator("adds_steps", "examples", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _one_form(self) -> Rule:
        conditional = self.when is not None and self.track is not None and self.bands is None
        banded = self.when is None and self.track is None and self.bands is not None and self.fact is not None
        if not (conditional or banded):
            raise ValueError("Write either “when” with “track”, or “fact” with “bands”.")
        if self.track is Track.GREEN:
            raise ValueError("A rule raises the track; “track” takes yellow or red.")
        if self.on_unknown != "ignore" and self.unknown_says is None:
            raise ValueError("“unknown_says” is missing: what people read when this cannot be told.")
        if not set(self.adds_steps) <= REVIEWING_ROLES:
            raise ValueError(f"“adds_steps” takes roles that review: {', '.join(sorted(REVIEWING_ROLES))}.")
        return self

    @property
    def about(self) -> str:
        """The fact the reason shows: `fact`, else the first one the condition reads."""
        return self.fact or facts_of(self.condition)[0]

    @property
    def condition(self) -> Condition:
        assert self.when is not None
        return self.when

    @property
    def reads(self) -> tuple[str, ...]:
        """Every fact the rule reads."""
        names = facts_of(self.when) if self.when is not None else (self.about,)
        more = facts_of(self.applies_when) if self.applies_when is not None else ()
        return tuple(dict.fromkeys((*names, *more)))


class ChecklistItem(Part):
    """One thing a role answers with its approval. `element`: its row of the sign-off matrix; several may share one.

    `human_only`: no measurement answers it; `asks` is a question whose “yes” speaks for approving.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$", max_length=40)]
    element: Annotated[str, Field(min_length=1, max_length=60)]
    asks: Words
    human_only: bool = False


class Step(Part):
    """A required review step. `attests`: what a person of this role confirms. `due`: working time, else the track's.

    The role is responsible; `accountable` answers for the result, `consulted` may be asked, `informed` get one message at the
    decision. `parallel`: open at the same time as the step before it. `quorum`: so many different people of the role have to
    sign. `outside_team`: nobody of the submitter's team decides it (second line). `checklist`: answered with an approval.
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


class NeverWaived(Part):
    """Something no waiver reaches, with the reason people read."""

    what: Words
    why: Words


class WaiverPlan(Part):
    """What a waiver of one failed gate asks for; which gates can be waived stands at each gate.

    `max_days`: the longest a waiver runs. `audit_within_days`: until when after the signatures its audit is due. `remind_days`:
    how long before its end people are reminded. `stands_in`: the role that signs for a requester without a manager on record.
    `never`: what no waiver reaches, beside gates that say so themselves.
    """

    why: Words
    max_days: Annotated[int, Field(ge=1, le=90)] = 90
    audit_within_days: Annotated[int, Field(ge=1, le=90)] = 30
    remind_days: Annotated[int, Field(ge=1, le=30)] = 14
    stands_in: RoleField = Role.PRODUCT
    never: tuple[NeverWaived, ...] = ()

    @field_validator("never", mode="before")
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


class PluginPin(Part):
    """The distribution a gate of the organisation's own comes from. With `digest`, exactly these files."""

    distribution: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=100)]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.!+_-]+$", max_length=60)]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None


class GateUse(Part):
    """One gate as the pack uses it.

    `blocking`: true, false, or the tracks on which it blocks. `limits` hold on every track; `limits_by_track` and
    `limits_by_domain` replace single entries. `needs`: evidence role -> why it is asked for. `source` or `note: convention`
    says where the limits come from. `waivable`: whether a failure can be waived for a time, at most `max_days` where that is
    shorter than the pack's; `never_because` says why it cannot.
    """

    gate: Annotated[str, Field(pattern=r"^G[A-Z]\d{3}$")]
    why: Words
    tracks: tuple[TrackField, ...]
    blocking: bool | tuple[TrackField, ...]
    limits: dict[str, Any] = Field(default_factory=dict)
    limits_by_track: dict[TrackField, dict[str, Any]] = Field(default_factory=dict)
    limits_by_domain: dict[str, dict[str, Any]] = Field(default_factory=dict)
    needs: dict[EvidenceField, Words] = Field(default_factory=dict)
    applies_when: ConditionField | None = None
    plugin: PluginPin | None = None
    note: Words | None = None
    source: Words | None = None
    waivable: bool = False
    max_days: Annotated[int, Field(ge=1, le=90)] | None = None
    never_because: Words | None = None

    @field_validator("tracks", "blocking", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @field_validator("limits", "limits_by_track", "limits_by_domain")
    @classmethod
    def _plain(cls, raw: dict[Any, Any]) -> dict[Any, Any]:
        _refuse_odd(raw)
        return raw

    @model_validator(mode="after")
    def _says_where_from(self) -> GateUse:
        if not self.tracks:
            raise ValueError("“tracks” is empty. Name the tracks on which the gate runs.")
        if (self.note is None) is (self.source is None):
            raise ValueError("Say where the limits come from: either “source: …” or “note: convention”.")
        if isinstance(self.blocking, tuple) and not set(self.blocking) <= set(self.tracks):
            raise ValueError("“blocking” names a track on which the gate does not run.")
        if self.waivable and self.never_because is not None:
            raise ValueError("“never_because” says why a gate cannot be waived; this one is waivable. Take one of the two out.")
        if self.max_days is not None and not self.waivable:
            raise ValueError("“max_days” bounds waivers; this gate is not waivable. Add “waivable: true” or take it out.")
        return self

    def blocks(self, track: Track) -> bool:
        """Whether anything but pass, warn or not applicable stops a submission on this track."""
        return self.blocking if isinstance(self.blocking, bool) else track in self.blocking

    def limits_for(self, track: Track, domain: str = "") -> dict[str, Any]:
        """The limits in force: general, then of the track, then of the domain."""
        return {**self.limits, **self.limits_by_track.get(track, {}), **self.limits_by_domain.get(domain, {})}


def _refuse_odd(value: Any) -> None:
    """Limits are numbers, words, yes/no, and lists or mappings of them."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"Names of limits are words, found {key!r:.60}.")
            _refuse_odd(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_odd(item)
    elif not isinstance(value, Scalar) or (isinstance(value, float) and not abs(value) < 1e300):
        raise ValueError(f"A limit is a number, a word or yes/no, found {value!r:.60}.")


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
    from_severity: Annotated[Severity, _from_word(Severity)] = Severity.MEDIUM

    @field_validator("about", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class Setting(Part):
    """A number collectors use, with where it comes from."""

    value: Scalar
    note: Words


class Category(Part):
    """A category of risk: the uses that fall into it, what it leads to, and why."""

    name: Words
    leads_to: TrackField
    uses: Annotated[tuple[Words, ...], Field(min_length=1)]
    why: Words

    @field_validator("uses", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class VersionRule(Part):
    """What is asked of every version, and the rules or gates that see to it."""

    says: Words
    why: Words
    checked_by: Annotated[tuple[str, ...], Field(min_length=1)]

    @field_validator("checked_by", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class Library(Part):
    """What the policy library says beside rules and gates: categories of risk, and what is asked of versions."""

    categories: tuple[Category, ...] = ()
    versioning: tuple[VersionRule, ...] = ()

    @field_validator("categories", "versioning", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class PackDocument(Part):
    """The pack as written.

    `judged_like`: for a kind that no gate names itself, the kind whose gates judge it (`genai` like `ml_model`).
    """

    pack: Slug | Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: KindField
    judged_like: KindField | None = None
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$")]
    title: Words
    why: Words
    questionnaire: str | None = None
    rules: tuple[Rule, ...]
    tracks: dict[TrackField, TrackPlan]
    added_steps: tuple[Step, ...] = ()
    matrix: tuple[Routing, ...] = ()
    gates: tuple[GateUse, ...]
    attestations: tuple[Attestation, ...] = ()
    collectors: dict[str, Setting] = Field(default_factory=dict)
    waivers: WaiverPlan | None = None
    library: Library | None = None
    monitoring: MonitoringPlan | None = None

    @field_validator("rules", "gates", "added_steps", "matrix", "attestations", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _whole(self) -> PackDocument:
        if self.judged_like is None and self.kind not in (Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE):
            raise ValueError(
                f"No shipped gate is made for “{self.kind}”. Say “judged_like: ml_model” (or application, data_pipeline), "
                f"or “judged_like: {self.kind}” where all its gates are your own."
            )
        if not self.rules:
            raise ValueError("“rules” is empty: everything would be green. Write at least one rule.")
        for what, names in (
            ("rule", [rule.id for rule in self.rules]),
            ("gate", [gate.gate for gate in self.gates]),
            ("added step", [str(step.role) for step in self.added_steps]),
            ("row of the matrix", [row.id for row in self.matrix]),
            ("thing the matrix is about", [name for row in self.matrix for name in row.about]),
            ("attestation", [item.id for item in self.attestations]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"The {what} {twice[0]} stands here twice. Give it another name or remove one.")
        if set(self.tracks) != set(Track):
            raise ValueError("“tracks” has to say what green, yellow and red ask for, each once.")
        if self.tracks[Track.GREEN].steps:
            raise ValueError("Green is approved by the policy and has no steps. Put them under yellow or red.")
        for track in (Track.YELLOW, Track.RED):
            roles = [step.role for step in self.tracks[track].steps]
            if not roles or len(set(roles)) != len(roles):
                raise ValueError(f"“{track}” needs at least one step, and each role once.")
            if self.tracks[track].deploy == "automatic":
                raise ValueError(f"“{track}” is decided by people: only green may say “deploy: automatic”.")
        red = [step.role for step in self.tracks[Track.RED].steps]
        if red[-1] is not Role.RISK_OFFICER or Role.ANALYST not in red:
            raise ValueError("Red ends with the risk officer, after an analyst. Put analyst first and risk_officer last.")
        if self.tracks[Track.RED].steps[-1].parallel:
            raise ValueError("The risk officer signs after everybody else. Take “parallel” out of that step.")
        waivable = next((gate.gate for gate in self.gates if gate.waivable), None)
        if waivable is not None and self.waivers is None:
            raise ValueError(f"{waivable} is waivable, but “waivers” does not say what a waiver asks for. Add “waivers: …”.")
        known = {step.role for step in self.added_steps}
        for rule in self.rules:
            if not set(rule.adds_steps) <= known:
                raise ValueError(
                    f"{rule.id} adds a step that “added_steps” does not describe. Describe what that role attests to."
                )
        return self
