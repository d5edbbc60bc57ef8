"""Templates of generated documents: which sections they have, which facts and which parts of the case stand in each.

One file a template in `governance/packs/documents`, with version and owner. A template holds no text about a case: every value
comes from stored facts when the document is made, so nobody types anything twice and nothing can differ from the record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from governance.domain import markdown_text as md
from governance.policy.errors import from_validation, refuse_pack
from governance.policy.pack_fields import FactName, KindField, Part, RoleField, Words
from governance.policy.yaml_text import read_yaml

FOLDER = Path(__file__).resolve().parent.parent / "packs" / "documents"

Block = Literal[
    "alerts", "all_gates", "changes", "conditions", "decided", "evidence", "explanation_gates", "fairness_gates", "findings",
    "identity", "incidents", "lineage", "lineage_links", "lineage_missing", "lineage_words", "measured", "operation_gates",
    "performance_gates", "permit", "purpose", "reasons", "regimes", "residual_risk", "waivers",
]  # fmt: skip
"""Parts of a case a section may show. `reviews.selectors.documents` makes each of them."""


class SectionTemplate(Part):
    """One section: what it is for, facts shown by name, and parts of the case."""

    title: Words
    why: Words
    facts: tuple[FactName, ...] = ()
    blocks: tuple[Block, ...] = ()

    @field_validator("facts", "blocks", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class DocumentTemplate(Part):
    """One template. `not_for`: kinds that have no such document."""

    document: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$")]
    owner: RoleField
    title: Words
    source: Words
    not_for: tuple[KindField, ...] = ()
    sections: Annotated[tuple[SectionTemplate, ...], Field(min_length=1)]

    @field_validator("not_for", "sections", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @property
    def slug(self) -> str:
        """Its name in addresses and files."""
        return self.document.replace("_", "-")


def load_template(text: str) -> DocumentTemplate:
    """The template a YAML text describes. Raises `PackError` naming the place and how to mend it."""
    raw = read_yaml(text, "The template")
    if not isinstance(raw, dict):
        raise refuse_pack("", "The template is not a mapping.", "Start with “document: …”, “version: …”, “sections: …”.")
    try:
        return DocumentTemplate.model_validate(raw)
    except ValidationError as exc:
        raise from_validation("The template", exc) from None


@lru_cache(maxsize=1)
def templates() -> tuple[DocumentTemplate, ...]:
    """Every template shipped, by title."""
    found = (load_template(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml")))
    return tuple(sorted(found, key=lambda template: template.title))


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; `title` says what of."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Something the template shows and the case does not have."""

    says: str


Shown = Text | Grid | Nothing


@dataclass(frozen=True, slots=True)
class Section:
    """A section with what stands in it."""

    title: str
    why: str
    parts: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class GeneratedDocument:
    """A document about one revision of one case. `digest`: of the dossier it was made of; "" while there is none."""

    template: DocumentTemplate
    title: str
    case: str
    state: str
    digest: str
    sections: tuple[Section, ...]


def as_markdown(made: GeneratedDocument) -> str:
    """The document as Markdown in which whatever people wrote stays plain text."""
    return md.document(_blocks(made))


def _blocks(made: GeneratedDocument) -> Iterable[str]:
    yield md.heading(1, made.title)
    yield md.plain(
        f"{made.case}, {made.state}. Template {made.template.document} {made.template.version}; {made.template.source}."
    )
    yield md.plain(
        f"Made from the dossier {made.digest}." if made.digest else "A draft: there is no dossier yet, and it can still change."
    )
    for section in made.sections:
        yield md.heading(2, section.title)
        yield md.plain(section.why)
        for part in section.parts:
            if isinstance(part, Grid):
                yield md.heading(3, part.title)
                yield md.table(part.columns, part.rows)
            else:
                yield md.plain(part.text if isinstance(part, Text) else part.says)
