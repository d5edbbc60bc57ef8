"""Who belongs to whose team, as the line of managers says. One function of the database answers, for rules and for its own fence.

Two people are of one team when they report to the same manager, or when one of them reports to the other, directly or not.
"""

from __future__ import annotations

from django.db import connection


def team_of(submitter_id: int, other_id: int) -> str:
    """How `other` stands to the submitter's team: "same", "other", or "unknown" where the submitter has no manager on record."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reviews_team(%s, %s)", [submitter_id, other_id])
        row = cursor.fetchone()
    return str(row[0])
