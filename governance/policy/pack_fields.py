"""What the parts of a pack are made of: how words of YAML are read. Frozen, and nothing it does not know is accepted."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator

from governance.domain.vocabulary import EvidenceRole, Kind, Role, Track
from governance.policy.bands import Band, parse_band
from governance.policy.conditions import Atom, Joined, Negated, is_fact_name, parse_condition
from governance.policy.templates import Template, parse_template

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


def from_word(kind: Any) -> BeforeValidator:
    """Words of YAML to members of an enumeration, with the choices in the message."""

    def read(raw: Any) -> Any:
        try:
            return kind(raw)
        except ValueError:
            raise ValueError(f"Expected one of {', '.join(kind)}, found {raw!r:.60}.") from None

    return BeforeValidator(read)


TrackField = Annotated[Track, from_word(Track)]
RoleField = Annotated[Role, from_word(Role)]
EvidenceField = Annotated[EvidenceRole, from_word(EvidenceRole)]


def _kind_name(raw: Any) -> Kind:
    if not isinstance(raw, str):
        raise ValueError(f"Expected the name of a kind such as ml_model, found {raw!r:.60}.")
    return Kind(raw)


KindField = Annotated[Kind, PlainValidator(_kind_name), PlainSerializer(str, return_type=str)]
"""A kind by its name: one of those shipped, or the one a pack brings with it."""
