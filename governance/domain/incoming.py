"""A submission as it arrives, whatever the door: plain values, before anything is looked up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.domain.canonical import digest
from governance.domain.vocabulary import EvidenceRole, Kind


@dataclass(frozen=True)
class NewSource:
    """A metadata file: its text, or the digest of evidence stored before."""

    name: str
    content: bytes | None = None
    sha256: str = ""


@dataclass(frozen=True)
class NewEvidence:
    """Evidence in a role. `columns`: role of column -> name(s)."""

    role: EvidenceRole
    sha256: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    format: str = ""


@dataclass(frozen=True)
class NewAnswer:
    """What is said to a question; None means "I do not know". `reason`: why a prefilled value is corrected."""

    value: Any
    reason: str = ""


@dataclass(frozen=True)
class NewSubmission:
    """A whole submission as it arrives. `carried`: questions whose answer for the champion is said to hold still."""

    system: str
    kind: Kind
    version: str
    environment: str
    sources: tuple[NewSource, ...] = ()
    answers: Mapping[str, NewAnswer] = field(default_factory=dict)
    evidence: tuple[NewEvidence, ...] = ()
    carried: tuple[str, ...] = ()

    def content_digest(self) -> str:
        """Digest over everything that was sent, so that the same content is recognised."""
        return digest(
            {
                "system": self.system,
                "kind": self.kind.value,
                "version": self.version,
                "environment": self.environment,
                **_parts(self.sources, self.answers, self.evidence, self.carried),
            }
        )


@dataclass(frozen=True)
class NewRevision:
    """What comes with the next revision. Everything is optional: what is not sent stays as it is in the working copy.

    `replies`: change item id -> what was done about it.
    """

    note: str = ""
    replies: Mapping[int, str] = field(default_factory=dict)
    sources: tuple[NewSource, ...] = ()
    answers: Mapping[str, NewAnswer] = field(default_factory=dict)
    evidence: tuple[NewEvidence, ...] = ()
    carried: tuple[str, ...] = ()

    @property
    def brings_anything(self) -> bool:
        return bool(self.sources or self.answers or self.evidence or self.carried)

    def content_digest(self) -> str:
        """Digest over everything that was sent, so that the same request is recognised."""
        replies = {str(item): text for item, text in self.replies.items()}
        return digest({"note": self.note, "replies": replies, **_parts(self.sources, self.answers, self.evidence, self.carried)})


def _parts(
    sources: tuple[NewSource, ...],
    answers: Mapping[str, NewAnswer],
    evidence: tuple[NewEvidence, ...],
    carried: tuple[str, ...],
) -> dict[str, Any]:
    return {
        "sources": sorted([s.name, s.sha256 or hashlib.sha256(s.content or b"").hexdigest()] for s in sources),
        "answers": {q: [a.value, a.reason] for q, a in answers.items()},
        "evidence": sorted([e.role.value, e.sha256, digest(dict(e.columns)), e.format] for e in evidence),
        **({"carried": sorted(carried)} if carried else {}),
    }
