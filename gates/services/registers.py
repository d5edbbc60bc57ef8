"""What the organisation knows beside a submission: registers, data stewards' marks, the champion's explanation. One statement."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.utils import timezone

from governance.models import Submission

_KNOWN = """
SELECT
  (SELECT coalesce(jsonb_object_agg(name, jsonb_build_object(
      'owner', owner, 'approved', approved, 'consent_basis', consent_basis, 'holds_personal_data', holds_personal_data,
      'refreshed_on', refreshed_on, 'purposes', purposes, 'agreement_ends_on', agreement_ends_on, 'licence', licence,
      'retention_days', retention_days)), '{}')
   FROM governance_datasource WHERE unit_id = %(unit)s),
  (SELECT coalesce(jsonb_object_agg(name, jsonb_build_object('shares', shares, 'source', source)), '{}')
   FROM governance_referencepopulation WHERE unit_id = %(unit)s),
  (SELECT coalesce(jsonb_object_agg("column", jsonb_build_object('mark', mark, 'kind', kind)), '{}')
   FROM (SELECT DISTINCT ON ("column") "column", mark, kind FROM governance_columnmark WHERE system_id = %(system)s
         ORDER BY "column", id DESC) latest),
  (SELECT coalesce(jsonb_object_agg(substr("group", length('feature=') + 1), value), '{}')
   FROM gates_measurement WHERE metric = 'explanation.share' AND value IS NOT NULL AND "group" LIKE 'feature=%%' AND run_id = (
     SELECT max(run.id) FROM gates_gaterun run JOIN governance_submission s ON s.id = run.submission_id
     WHERE s.id = %(champion)s AND run.revision = s.revision AND run.collector = 'explanations' AND run.status = 'done'))
"""


def registers_of(submission: Submission) -> dict[str, Any]:
    """What collectors may name in `USES_REGISTERS`, beside other versions of the system:

    `registered_sources`: name -> owner, approval, legal basis, purposes, refresh, end, licence; `reference_populations`: name ->
    shares and source; `column_marks`: column -> the data steward's latest mark and what it was found to be;
    `attribution_shares`: feature -> share in the champion's explanation, empty without one; `as_of`: today.
    """
    wanted = {"unit": submission.unit_id, "system": submission.system_id, "champion": submission.champion_id}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, wanted)
        row = cursor.fetchone()
    names = ("registered_sources", "reference_populations", "column_marks", "attribution_shares")
    found = {name: json.loads(value) if isinstance(value, str) else value for name, value in zip(names, row, strict=True)}
    return {**found, "as_of": timezone.now().date().isoformat()}
