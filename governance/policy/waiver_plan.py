"""What a waiver of one failed gate asks for, and what no waiver reaches."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from governance.domain.vocabulary import Role
from governance.policy.pack_fields import Part, RoleField, Words


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
