"""Who belongs to whose team, as the line of managers says. One function of the database answers, for rules and for its own fence.

Two people are of one team when they report to the same manager, or when one of them reports to the other, directly or not.
"""

from __future__ import annotations

from django.db import connection
from django.db.models.expressions import RawSQL


def team_of(submitter_id: int, other_id: int) -> str:
    """How `other` stands to the submitter's team: "same", "other", or "unknown" where the submitter has no manager on record."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reviews_team(%s, %s)", [submitter_id, other_id])
        row = cursor.fetchone()
    return str(row[0])


_TEAM = """WITH RECURSIVE
  below(id, depth) AS (
    SELECT %s::bigint, 0
    UNION ALL SELECT p.id, b.depth + 1 FROM governance_person p JOIN below b ON p.manager_id = b.id WHERE b.depth < 20
  ),
  above(id, manager_id, depth) AS (
    SELECT id, manager_id, 0 FROM governance_person WHERE id = %s
    UNION ALL SELECT p.id, p.manager_id, a.depth + 1 FROM governance_person p JOIN above a ON p.id = a.manager_id
    WHERE a.depth < 20
  )
SELECT id FROM below UNION SELECT id FROM above
UNION SELECT p.id FROM governance_person p JOIN governance_person me ON me.id = %s AND p.manager_id = me.manager_id"""


def team_mates(person_id: int) -> RawSQL:
    """A subquery: everybody to whom the function would say "same". Worked out once a statement, where many rows are looked at."""
    return RawSQL(_TEAM, [person_id] * 3)
