"""What the policy library says beside rules and gates."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from governance.policy.pack_fields import Part, TrackField, Words


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
