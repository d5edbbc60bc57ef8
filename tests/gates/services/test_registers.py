"""What collectors are told of the organisation: registers of the unit, the champion's explanation, today."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gates.models import Measurement
from gates.services.registers import registers_of
from governance.domain.vocabulary import RunStatus, State
from governance.models import DataSource, ReferencePopulation, Submission
from tests.gates import making

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_registers_of_the_unit_and_no_other_in_one_statement() -> None:
    of = making.submission()
    DataSource.objects.create(
        unit=of.unit,
        name="s3://loans",
        owner="data office",
        approved=True,
        consent_basis="contract",
        refreshed_on=date(2026, 11, 1),
        purposes=["credit"],
        agreement_ends_on=date(2027, 12, 31),
        licence="internal",
        retention_days=400,
    )
    DataSource.objects.create(unit=making.unit("shop"), name="s3://carts", owner="shop", approved=True)
    ReferencePopulation.objects.create(unit=of.unit, name="customers", shares={"sex": {"f": 0.5, "m": 0.5}}, source="register")
    with CaptureQueriesContext(connection) as caught:
        found = registers_of(of)
    assert len(caught.captured_queries) == 1
    assert found["registered_sources"] == {
        "s3://loans": {
            "owner": "data office",
            "approved": True,
            "consent_basis": "contract",
            "holds_personal_data": False,
            "refreshed_on": "2026-11-01",
            "purposes": ["credit"],
            "agreement_ends_on": "2027-12-31",
            "licence": "internal",
            "retention_days": 400,
        }
    }
    assert found["reference_populations"] == {"customers": {"shares": {"sex": {"f": 0.5, "m": 0.5}}, "source": "register"}}
    assert (found["column_marks"], found["attribution_shares"]) == ({}, {})
    assert found["as_of"] == timezone.now().date().isoformat()


def test_the_champions_explanation_of_its_last_revision() -> None:
    champion = making.submission(state=State.APPROVED)
    making.revise(champion, 2)
    for revision, share in ((1, 0.9), (2, 0.6)):
        run = making.run(champion, "explanations", revision=revision, status=RunStatus.DONE)
        for name, value in (("income", share), ("age", 1 - share)):
            Measurement.objects.create(
                run=run, submission=champion, metric="explanation.share", group=f"feature={name}", value=value
            )
    of = making.submission()
    Submission.objects.filter(pk=of.pk).update(champion=champion)
    of.refresh_from_db()
    assert registers_of(of)["attribution_shares"] == {"income": 0.6, "age": 0.4}
    Submission.objects.filter(pk=champion.pk).update(revision=3)
    assert registers_of(of)["attribution_shares"] == {}, "the last revision was not explained"
