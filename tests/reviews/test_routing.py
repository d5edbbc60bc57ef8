"""Findings reach the role of the decision matrix, and the next one when they stay open beyond the row's working time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from governance.domain.vocabulary import Role, Track
from governance.models import AuditEvent
from governance.selectors.access import SYSTEM
from governance.services.work import unit_of_work
from reviews.models import Finding, Notification
from reviews.services.routing import escalate, tell_responsible
from tests.governance.making import browser
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
ROW = {
    "id": "DM-02", "issue": "Groups treated unequally", "about": ["GF"], "responsible": "analyst", "accountable": "analyst",
    "escalates_to": "ethics", "after": "2d",
}  # fmt: skip


@pytest.fixture(autouse=True)
def matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(making.PACK, "matrix", [ROW])


def told(kind: str) -> list[str]:
    return sorted(Notification.objects.filter(kind=kind).values_list("person__username", flat=True))


def finding(**more: object) -> Finding:
    row = making.in_review(Track.RED)
    values = {"submission": row, "revision": 1, "about": "GF101", "severity": "medium", "says": "Ratio 0.7.", "opened_at": MONDAY}
    return Finding.objects.create(**{**values, **more})


def test_the_responsible_role_hears_of_it_at_once() -> None:
    making.everybody()
    found = finding()
    other = Finding.objects.create(
        submission=found.submission, revision=1, about="GD101", severity="high", says="Rows are missing."
    )
    from_pack = making.policy()
    with unit_of_work(SYSTEM) as work:
        tell_responsible(work, found.submission, making.load_pack(from_pack.source, from_pack.questionnaire), [found, other])
    assert told("finding") == ["amir"], "the other has no row here"


def test_it_goes_on_once_when_the_working_time_is_over() -> None:
    making.everybody()
    making.person("esi", Role.ETHICS)
    found = finding()
    assert escalate(MONDAY + timedelta(days=1)) == 0
    late = datetime(2026, 11, 18, 17, 30, tzinfo=UTC)
    assert escalate(late) == 1 and told("escalated") == ["amir", "esi"]
    assert escalate(late + timedelta(days=3)) == 0, "said once"
    event = AuditEvent.objects.get(action="finding.escalated")
    assert f'"finding":{found.pk}' in event.payload and '"to":"ethics"' in event.payload


@pytest.mark.parametrize("why", ["closed", "too small", "no row"])
def test_what_is_closed_small_or_nobodys_stays(why: str) -> None:
    making.everybody()
    closed = {"state": "closed", "closed_at": MONDAY, "closed_why": "Checked again."}
    finding(**{"closed": closed, "too small": {"severity": "low"}, "no row": {"about": "GM101"}}[why])
    assert escalate(MONDAY + timedelta(days=30)) == 0


def test_the_matrix_and_what_roles_answer_for_stand_on_the_policy_page() -> None:
    making.policy()
    page = browser(making.person("dana", Role.SUBMITTER)).get("/policies").content.decode()
    assert "Groups treated unequally" in page and 'id="DM-02"' in page and " after 2d" in page
    assert "Performance, fairness and explanations were challenged." in page
