"""The same build under whatever name: the digests of a working copy, and the decisions that were taken on one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection

from governance.models import Submission

# Digests of the build in a submission's working copy: its model file, what its metadata declares, and what the version was last.
MINE = """
  SELECT 'sha256:' || f.sha256 FROM governance_evidence e JOIN governance_evidencefile f ON f.id = e.file_id
  WHERE e.submission_id = %(before)s AND e.role = 'candidate_model'
  UNION SELECT left(fact ->> 'value', 80) FROM governance_metadatasource m, jsonb_array_elements(m.facts) fact
  WHERE m.submission_id = %(before)s AND fact ->> 'name' IN ('model.digest', 'artifact.digest') AND fact ->> 'value' <> ''
  UNION SELECT artifact_digest FROM governance_systemversion WHERE id = %(version)s AND artifact_digest <> ''
"""

# A revision counts by the build it handed in. Where it recorded none (no model file, nothing declared) the version's counts.
DECISIONS = f"""
  SELECT t.id, t.at, s.unit_id FROM governance_submission s JOIN governance_trackdecision t ON t.submission_id = s.id
  WHERE s.version_id = %(version)s
  UNION SELECT t.id, t.at, s.unit_id FROM governance_revision r JOIN governance_submission s ON s.id = r.submission_id
  JOIN governance_trackdecision t ON t.submission_id = r.submission_id AND t.revision = r.number
  WHERE r.artifact_digest IN ({MINE})
  UNION SELECT t.id, t.at, s.unit_id FROM governance_systemversion v JOIN governance_submission s ON s.version_id = v.id
  JOIN governance_trackdecision t ON t.submission_id = s.id
  LEFT JOIN governance_revision r ON r.submission_id = t.submission_id AND r.number = t.revision
  WHERE v.artifact_digest IN ({MINE}) AND coalesce(r.artifact_digest, '') = ''
"""
_REASONS = f"""
SELECT t.submission_id, (t.assessment -> 'reasons')::text FROM governance_trackdecision t
WHERE t.id IN (SELECT id FROM ({DECISIONS}) found WHERE unit_id = %(unit)s AND at > statement_timestamp() - %(memory)s)
"""


def reasons_on_this_build(submission: Submission, memory: timedelta) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """(submission id, reasons) of each track decision on the same build in the unit, not older than `memory`. One query."""
    wanted: dict[str, Any] = {
        "before": submission.pk,
        "version": submission.version_id,
        "unit": submission.unit_id,
        "memory": memory,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REASONS, wanted)
        for pk, reasons in cursor.fetchall():
            yield pk, json.loads(reasons)
