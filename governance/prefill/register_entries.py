"""What the registers hold for a business unit, as derivations read it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What is known of a registered data source, beside whether it is approved."""

    quality_rule: str = ""
    region: str = ""
    access_class: str = ""
    holds_personal_data: bool = False


@dataclass(frozen=True)
class RegisterEntries:
    """Entries by name. `sources`: approved or not; the other registers hold field -> value. `today`: the day they are read on."""

    sources: Mapping[str, SourceRow] = field(default_factory=dict)
    architectures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    vendors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    regions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    today: str = ""


def is_listed(place: str, entries: Iterable[str]) -> bool:
    """Whether `place` is an entry, or lies below an entry that ends in `/`. A place with `..` has to be an entry itself."""
    return any(place == entry or (entry.endswith("/") and place.startswith(entry) and ".." not in place) for entry in entries)
