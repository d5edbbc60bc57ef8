"""A rule of a pack as written, with the examples it shows itself on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from governance.domain.vocabulary import REVIEWING_ROLES, Track
from governance.policy.bands import Direction, in_unit, parse_band
from governance.policy.conditions import Condition, facts_of
from governance.policy.pack_fields import (
    BandField,
    ConditionField,
    FactName,
    Part,
    RoleField,
    Sentence,
    Slug,
    TrackField,
    Words,
    from_word,
)
from governance.policy.stages import Stages

EDITORS = ("nobody", "submitter", "data owner", "data steward", "product owner", "platform engineer", "policy author")


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
    keep to), by `editable_by`; `why` may name the limits as {yellow} and {red}, so that it follows them. `measured_by`
    names the collector that establishes the fact, `applies_when` when the rule has an object at all. `stages`: a new rule
    is watched or warns before it counts.
    """

    id: Annotated[str, Field(pattern=r"^TR-\d{3}$")]
    title: Words
    why: Words
    learn: Slug
    when: ConditionField | None = None
    track: TrackField | None = None
    fact: FactName | None = None
    bands: Bands | None = None
    direction: Annotated[Direction, from_word(Direction)] = Direction.AS_IS
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

    @model_validator(mode="before")
    @classmethod
    def _why_with_its_limits(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or not isinstance(raw.get("why"), str) or "{" not in raw["why"]:
            return raw
        bands = raw.get("bands")
        bands = bands if isinstance(bands, dict) else {}
        why = raw["why"]
        for colour in ("yellow", "red"):
            if f"{{{colour}}}" in why and colour in bands:
                why = why.replace(f"{{{colour}}}", in_unit(parse_band(bands[colour]).limit, str(raw.get("unit", "number"))))
        if "{" in why:
            raise ValueError("“why” may show {yellow} and {red}, where the rule has such a limit, and nothing else.")
        return {**raw, "why": why}

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
