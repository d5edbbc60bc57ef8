"""Times as facts hold them: ISO 8601 in UTC with milliseconds, `2026-11-21T05:19:12.703Z`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def from_milliseconds(milliseconds: Any) -> str | None:
    """Milliseconds since 1970 as ISO 8601 in UTC; None where it is no such time."""
    if isinstance(milliseconds, str) and milliseconds.isdecimal() and len(milliseconds) < 16:
        milliseconds = int(milliseconds)
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or milliseconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def from_text(value: Any) -> str | None:
    """A time written as text (`2026-11-21 05:19:12.957275`, `20261121T054210.792465Z`) as ISO 8601; None where it is none."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return None
