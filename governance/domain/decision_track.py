"""Of an explained decision: the track, every rule checked for it, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why the track is what it is: one rule that was hit."""

    rule: str
    track: str
    says: str
    fact: str
    value: Any
    source: str
    editable_by: str
    learn: str
    limit: str = ""
    precedent: str = ""
    precedent_says: str = ""


@dataclass(frozen=True, slots=True)
class HeldView:
    """A rule that was checked and held."""

    rule: str
    says: str


@dataclass(frozen=True, slots=True)
class CheckedView:
    """One rule with its result, whatever it was. `status`: fired, held, unknown, pending or not_applicable.

    `before`: what the version in force (`before_of`) had; `before_of` is "" where there is none, or where it did not say.
    """

    rule: str
    title: str
    status: str
    track: str
    says: str
    fact: str
    value: Any
    limit: str
    source: str
    editable_by: str
    learn: str
    before: Any = None
    before_of: str = ""


@dataclass(frozen=True, slots=True)
class AnnouncedView:
    """A rule that does not count here: it is watched or warns only (`stages`), or a change envelope covers it (`envelope`)."""

    rule: str
    says: str
    would: str
    stages: str
    envelope: str


@dataclass(frozen=True, slots=True)
class EnvelopeView:
    """The change envelope a submission was judged under: inside, or which bound broke."""

    envelope: str
    title: str
    track: str
    inside: bool
    says: str


@dataclass(frozen=True, slots=True)
class ChangeNeeded:
    """One change on the way to a lighter track, and who could make it (`nobody`, or a role)."""

    rule: str
    change: str
    by: str


@dataclass(frozen=True, slots=True)
class WayOutView:
    """What would make the track lighter, or why nothing can."""

    to: str
    possible: bool
    changes: tuple[ChangeNeeded, ...]


@dataclass(frozen=True, slots=True)
class PolicyView:
    """The policy a submission was judged by."""

    pack: str
    version: str
    digest: str
