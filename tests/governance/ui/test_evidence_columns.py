"""Columns are named once: the next file of the same kind starts from what was said before, here or for the last version."""

from __future__ import annotations

import pytest

from governance.domain.vocabulary import EvidenceRole
from governance.models import Evidence, EvidenceFile, Submission
from governance.selectors.evidence import columns_named_before
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = {"label": "y", "id": "case_id", "sensitive": ["sex", "age_band"]}


def attach(row: Submission, role: EvidenceRole) -> None:
    file, _ = EvidenceFile.objects.get_or_create(
        unit=row.unit, sha256="c" * 64, defaults={"size": 1, "name": "f", "media_type": "x", "uploaded_by": row.submitter}
    )
    Evidence.objects.create(submission=row, role=role, file=file, columns=COLUMNS, added_by=row.submitter)


def test_the_counterpart_here_comes_first_then_the_last_version() -> None:
    making.policy()
    dana = making.browser(making.person())
    first = making.opened()
    attach(first, EvidenceRole.CANDIDATE_PREDICTIONS)
    page = dana.get(f"/submissions/{first.number}/evidence?role=baseline_predictions").content.decode()
    assert "Filled in as for the candidate predictions" in page and 'value="sex, age_band"' in page
    plain = dana.get(f"/submissions/{first.number}/evidence").content.decode()
    assert "Filled in as for" not in plain and 'value="sex, age_band"' not in plain, "only where the role is known"
    second = making.opened(making.new(version="9.9.9"))
    assert columns_named_before(second, EvidenceRole.CANDIDATE_PREDICTIONS) == (COLUMNS, first.number)
    assert columns_named_before(second, EvidenceRole.REFERENCE_SAMPLE) == ({}, "")
    assert columns_named_before(first, EvidenceRole.CANDIDATE_PREDICTIONS) == ({}, ""), "nothing from a later one"
    assert dana.get(f"/submissions/{first.number}/evidence?role=bribe").status_code == 200
