"""Playbooks: files with version and owner that say what is done in an incident, by whom, and until when.

They lie in `reviews/playbooks`. A later edition is a file with a higher version; incidents under way keep their steps.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from governance.domain import canonical
from governance.domain.vocabulary import Role
from governance.policy.monitoring import INCIDENT_KINDS
from governance.policy.yaml_text import read_yaml

FOLDER = Path(__file__).resolve().parent.parent / "playbooks"
KINDS = {
    "failed_deployment": "Failed deployment",
    "bias": "Bias finding",
    "privacy": "Privacy",
    "degradation": "Drift or performance",
    "cost": "Cost",
    "other": "Something else",
}
PARTS = {"contain": "Contain", "notify": "Notify", "mend": "Mend", "learn": "Learn"}
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

Words = Annotated[str, Field(min_length=1, max_length=2_000)]


def _time(raw: Any) -> timedelta:
    found = re.fullmatch(r"([1-9]\d{0,2})([mhd])", raw) if isinstance(raw, str) else None
    if found is None:
        raise ValueError(f"Expected minutes, hours or days such as 15m, 4h or 3d, found {raw!r:.40}.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlaybookStep(_Part):
    """One step. `within`: by the clock, from the moment the incident is opened; an incident does not wait for office hours."""

    part: Literal["contain", "notify", "mend", "learn"]
    title: Annotated[str, Field(min_length=1, max_length=160)]
    says: Words
    role: Role
    within: Annotated[timedelta, BeforeValidator(_time)]


class Playbook(_Part):
    """One playbook. `kinds`: the incidents it is for."""

    name: Annotated[str, Field(alias="playbook", pattern=r"^[a-z]+(_[a-z]+)*$", max_length=40)]
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$")]
    owner: Words
    title: Words
    kinds: Annotated[tuple[str, ...], Field(alias="for", min_length=1)]
    when: Words
    steps: Annotated[tuple[PlaybookStep, ...], Field(min_length=1)]
    digest: str = ""

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if odd := sorted(set(kinds) - set(INCIDENT_KINDS)):
            raise ValueError(f"“{odd[0]}” is no kind of incident: {', '.join(INCIDENT_KINDS)}.")
        return kinds


def read_playbook(text: str, name: str) -> Playbook:
    """The playbook a YAML text describes. Raises `PackError` or pydantic's `ValidationError`, which names the place."""
    raw = read_yaml(text, f"The playbook {name}")
    return Playbook.model_validate({**raw, "digest": canonical.digest(raw)})


@cache
def playbooks() -> tuple[Playbook, ...]:
    """The shipped playbooks by name. Each kind of incident has exactly one; `ValueError` where that is not so."""
    found = tuple(read_playbook(path.read_text(encoding="utf-8"), path.name) for path in sorted(FOLDER.glob("*.yaml")))
    kinds = sorted(kind for book in found for kind in book.kinds)
    if kinds != sorted(INCIDENT_KINDS):
        raise ValueError(f"Each kind of incident has one playbook, found: {', '.join(kinds)}.")
    return found


def playbook_for(kind: str) -> Playbook:
    """The playbook of a kind of incident."""
    return next(book for book in playbooks() if kind in book.kinds)
