"""How a new rule comes into force: first in its shadow, then as a warning, then it counts. With dates: nobody is surprised.

A rule in the shadow is evaluated and recorded; a warning is also shown as advice; neither changes a track. The day is a fact
(`policy.day`) like any other, so that a stored decision evaluates to itself. Where the day is not known the rule counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from governance.domain.facts import Fact

DAY = "policy.day"
SHADOW, WARN, BLOCK = "shadow", "warn", "block"


def _day(raw: Any) -> str:
    if isinstance(raw, date):
        raise ValueError(f"Write the day in quotation marks: “{raw.isoformat()}”.")
    if not isinstance(raw, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
        raise ValueError(f"Expected a day such as “2027-01-31”, found {raw!r:.40}.")
    try:
        date.fromisoformat(raw)
    except ValueError:
        raise ValueError(f"There is no day {raw}.") from None
    return raw


Day = Annotated[str, BeforeValidator(_day)]


class Stages(BaseModel):
    """When a rule begins to warn and to count. Without `block_from` it stays at its last stage until the pack says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    begins: Literal["shadow", "warn"]
    warn_from: Day | None = None
    block_from: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Stages:
        if self.begins == WARN and self.warn_from is not None:
            raise ValueError("A rule that begins as a warning has no “warn_from”. Leave it out.")
        if self.warn_from is not None and self.block_from is not None and self.block_from <= self.warn_from:
            raise ValueError("“block_from” has to come after “warn_from”.")
        return self

    def on(self, day: str) -> str:
        """The stage on a day (`2027-01-31`); block where the day is not known."""
        if not day or (self.block_from is not None and day >= self.block_from):
            return BLOCK
        if self.begins == WARN or (self.warn_from is not None and day >= self.warn_from):
            return WARN
        return SHADOW

    @property
    def says(self) -> str:
        """The plan in words."""
        parts = ["watched only" if self.begins == SHADOW else "a warning"]
        parts += [f"a warning from {self.warn_from}"] if self.warn_from else []
        parts += [f"counts from {self.block_from}"] if self.block_from else ["no day set from which it counts"]
        return ", ".join(parts)


def day_of(statements: Mapping[str, tuple[Fact, ...]]) -> str:
    """The day the facts were judged on; "" where they do not say, or not in one voice."""
    days = {fact.value for fact in statements.get(DAY, ())}
    only = days.pop() if len(days) == 1 else None
    return only if isinstance(only, str) else ""
