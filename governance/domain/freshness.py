"""How long a proof of identity counts for something that stands under a person's name."""

from __future__ import annotations

from datetime import datetime, timedelta

FRESH = timedelta(seconds=300)


def fresh(proved_at: datetime | None, now: datetime) -> bool:
    """Whether somebody who proved at `proved_at` who they are (None: never) need not do so again."""
    return proved_at is not None and timedelta(0) <= now - proved_at <= FRESH
