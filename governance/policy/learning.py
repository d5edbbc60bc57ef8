"""What people learn from: the glossary and the guide to roles. Files with version and owner; no text of a case stands in them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from governance.domain.vocabulary import Role
from governance.policy.errors import from_validation, refuse_pack
from governance.policy.pack_fields import Part, RoleField, Words
from governance.policy.yaml_text import read_yaml

FOLDER = Path(__file__).resolve().parent.parent / "packs" / "learning"

Version = Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$")]
P = TypeVar("P", bound=Part)


class Term(Part):
    """One word in plain language."""

    term: Words
    means: Words

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return self.term.lower().replace(" ", "-")


class Glossary(Part):
    """The words of the product."""

    glossary: str
    version: Version
    owner: RoleField
    terms: Annotated[tuple[Term, ...], Field(min_length=1)]

    @field_validator("terms", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _each_once(self) -> Glossary:
        names = [term.anchor for term in self.terms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"“{twice[0]}” is explained twice. One word, one thing.")
        return self


class GuideStep(Part):
    """One thing a newcomer does, and where."""

    do: Words
    page: Annotated[str, Field(pattern=r"^/[a-z/-]*$")]


class RoleGuide(Part):
    """One role: what it is for, what it may not, what it does first."""

    role: RoleField
    does: Words
    not_allowed: Words
    steps: Annotated[tuple[GuideStep, ...], Field(min_length=1)]

    @field_validator("steps", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class RolesGuide(Part):
    """Every role."""

    roles_guide: str
    version: Version
    owner: RoleField
    roles: tuple[RoleGuide, ...]

    @field_validator("roles", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _every_role(self) -> RolesGuide:
        named = [guide.role for guide in self.roles]
        if sorted(named) != sorted(Role):
            raise ValueError("“roles” has to explain every role, each once.")
        return self

    def of(self, role: Role) -> RoleGuide:
        """The guide of one role."""
        return next(guide for guide in self.roles if guide.role is role)


def load(text: str, what: str, form: type[P]) -> P:
    """One file as its form. Raises `PackError` naming the place and how to mend it."""
    raw = read_yaml(text, what)
    if not isinstance(raw, dict):
        raise refuse_pack("", f"{what} is not a mapping.", "Start with its name, “version: …” and “owner: …”.")
    try:
        return form.model_validate(raw)
    except ValidationError as exc:
        raise from_validation(what, exc) from None


@lru_cache(maxsize=1)
def glossary() -> Glossary:
    """The glossary as shipped."""
    return load((FOLDER / "glossary.yaml").read_text(encoding="utf-8"), "The glossary", Glossary)


@lru_cache(maxsize=1)
def roles_guide() -> RolesGuide:
    """The guide to roles as shipped."""
    return load((FOLDER / "roles.yaml").read_text(encoding="utf-8"), "The guide to roles", RolesGuide)
