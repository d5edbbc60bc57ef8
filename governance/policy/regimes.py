"""What a regulation or standard asks, control by control, and which of our rules, gates, questions, steps and records show it.

One file a regime in `governance/packs/regimes`: versioned, with the public title of its source, in our own words. Dates stand in
the file with their own source, because laws move them. A control that is not or only partly covered says so (`gap`).
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, field_validator, model_validator

from governance.domain import canonical
from governance.policy.errors import from_validation, refuse_pack
from governance.policy.pack_fields import FactName, Part, RoleField, Words
from governance.policy.yaml_text import read_yaml

FOLDER = Path(__file__).resolve().parent.parent / "packs" / "regimes"

Record = Literal[
    "attestations", "audit_events", "change_requests", "conditions", "conflicts_of_interest", "data_sources", "deployments",
    "dossiers", "evaluations", "evidence_files", "findings", "findings_closed", "incidents", "monitoring_events", "permits",
    "permits_revoked", "policy_versions", "risk_sign_offs", "role_grants", "rollbacks", "sign_offs", "submissions", "systems",
    "waiver_audits", "waivers",
]  # fmt: skip
"""Stored records that can show a control. `reviews.selectors.control_evidence` counts each of them."""


def _day(raw: Any) -> dt.date:
    if type(raw) is not dt.date:
        raise ValueError(f"Expected a day such as 2026-08-02, found {raw!r:.40}.")
    return raw


Day = Annotated[dt.date, PlainValidator(_day), PlainSerializer(dt.date.isoformat, return_type=str)]


class RegimeDate(Part):
    """A day that matters. `moved_from`: the day it was before a later law moved it."""

    what: Words
    day: Day
    source: Words
    moved_from: Day | None = None


class Control(Part):
    """One thing the regime asks, and what shows it. `gap`: what is not covered here, in words; empty when nothing is missing."""

    id: Annotated[str, Field(min_length=1, max_length=60)]
    title: Words
    asks: Words
    rules: tuple[Annotated[str, Field(pattern=r"^TR-\d{3}$")], ...] = ()
    gates: tuple[Annotated[str, Field(pattern=r"^G[A-Z]\d{3}$")], ...] = ()
    questions: tuple[FactName, ...] = ()
    steps: tuple[RoleField, ...] = ()
    records: tuple[Record, ...] = ()
    gap: str = ""

    @field_validator("rules", "gates", "questions", "steps", "records", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _shown_or_gap(self) -> Control:
        if not (self.shown_by or self.gap):
            raise ValueError(f"{self.id} names nothing that shows it. Name it, or say under “gap” that nothing does.")
        return self

    @property
    def shown_by(self) -> tuple[str, ...]:
        """Everything that shows it, by name."""
        return (*self.rules, *self.gates, *self.questions, *(str(role) for role in self.steps), *self.records)


class Regime(Part):
    """One regulation or standard. `codes`: how submissions name it (`regulation.regimes`); `as_of`: when it was last checked."""

    regime: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$")]
    owner: RoleField
    title: Words
    about: Words
    source: Words
    url: Annotated[str, Field(pattern=r"^https://\S+$")]
    as_of: Day
    codes: tuple[str, ...] = ()
    dates: tuple[RegimeDate, ...]
    controls: tuple[Control, ...]

    @field_validator("codes", "dates", "controls", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _each_once(self) -> Regime:
        ids = [control.id for control in self.controls]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice or not ids:
            raise ValueError(f"The control {twice[0]} stands here twice." if twice else "“controls” is empty.")
        return self

    @property
    def digest(self) -> str:
        """Names this text of the mapping."""
        return canonical.digest(self.model_dump(mode="json"))


def load_regime(text: str) -> Regime:
    """The mapping a YAML text describes. Raises `PackError` naming the place and how to mend it."""
    raw = read_yaml(text, "The mapping")
    if not isinstance(raw, dict):
        raise refuse_pack("", "The mapping is not one.", "Start with “regime: …”, “version: …”, “controls: …”.")
    try:
        return Regime.model_validate(raw)
    except ValidationError as exc:
        raise from_validation("The mapping", exc) from None


@lru_cache(maxsize=1)
def regimes() -> tuple[Regime, ...]:
    """Every mapping shipped, by title."""
    found = (load_regime(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml")))
    return tuple(sorted(found, key=lambda regime: regime.title.lower()))


def regimes_named(codes: Any) -> tuple[Regime, ...]:
    """The mappings of the regimes a submission names (`regulation.regimes`), by title. Anything but a list names none."""
    named = {str(code) for code in codes} if isinstance(codes, list | tuple) else set()
    return tuple(regime for regime in regimes() if named & set(regime.codes))
