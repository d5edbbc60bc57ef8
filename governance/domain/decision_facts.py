"""Of an explained decision: what is known, from where, and what nobody knows yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ProvenanceView:
    """Where a value comes from. `kind` is how an answer came to be, `assurance` how far a fact can be trusted (1 to 4)."""

    kind: str
    assurance: int
    assurance_label: str
    origin: str
    locator: str
    digest: str = ""
    by: str = ""
    at: datetime | None = None
    reason: str = ""
    replaced: Any = None


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question of the questionnaire with the answer that stands and where it comes from."""

    id: str
    topic: str
    ask: str
    why: str
    value: Any
    answered: bool
    material: bool
    conflict: bool
    provenance: ProvenanceView | None


@dataclass(frozen=True, slots=True)
class MissingQuestion:
    """A question nobody and nothing answered."""

    id: str
    ask: str
    why: str


@dataclass(frozen=True, slots=True)
class OfferedAnswer:
    """What the champion answered to a question nothing else answers: it says nothing about this version until it is confirmed."""

    id: str
    ask: str
    value: Any
    origin: str
    locator: str


@dataclass(frozen=True, slots=True)
class MissingEvidence:
    """Evidence that is not there, and what it is needed for."""

    role: str
    why: str


@dataclass(frozen=True, slots=True)
class StatementView:
    """One of several statements about a fact."""

    value: Any
    provenance: ProvenanceView


@dataclass(frozen=True, slots=True)
class FactView:
    """A fact with every statement about it, most assured first."""

    name: str
    label: str
    conflict: bool
    statements: tuple[StatementView, ...]


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A file in a role."""

    role: str
    name: str
    sha256: str
    size: int
    media_type: str
    format: str
    columns: Any
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SourceView:
    """A metadata file that facts were read from."""

    id: int
    name: str
    sha256: str
    reader: str
    facts: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionCounts:
    """How the questionnaire was filled."""

    total: int
    prefilled: int
    answered: int
    missing: tuple[MissingQuestion, ...]
    offered: tuple[OfferedAnswer, ...] = ()
