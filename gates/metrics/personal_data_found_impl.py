"""What a finding of personal data is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """One column that holds personal data. `share`: part of the distinct sampled values; None when only the name says so."""

    column: str
    kind: str
    detector: str
    confidence: float
    share: float | None
    shape: str
    file: str
