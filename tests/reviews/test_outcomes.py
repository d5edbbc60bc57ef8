"""What governance comes to: elapsed time, versions that ran safely, waiting beside failing; and approvals due for a re-review."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from governance.domain.errors import Forbidden, InvalidInput
from governance.domain.vocabulary import Role, Track
from governance.models import Person, Submission
from reviews.models import Deployment, Incident, Notification, Permit
from reviews.selectors.outcomes import costs, elapsed, released
from reviews.selectors.re_reviews import re_reviews
from reviews.services.deciding import decide
from reviews.services.declaring import declare_value
from reviews.services.incidents import NewIncident, open_incident
from reviews.services.permits import expire_due
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> dict[str, Person]:
    return making.everybody()


def approved(people: dict[str, Person], version: str, *, system: str = "credit-default") -> Submission:
    row = making.in_review(Track.YELLOW, version=version, system=system)
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    return making.fresh(row)


def moved(table: str, column: str, back: timedelta, where: str) -> None:
    """Time passes: what the fences keep is moved all the same, as only a test may."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled = 'A' FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
        )
        fences = cursor.fetchall()
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET {column} = {column} - %s WHERE {where}", [back])
        for name, always in fences:
            cursor.execute(f"ALTER TABLE {table} ENABLE {'ALWAYS ' if always else ''}TRIGGER {name}")


def aged(row: Submission, days: int) -> None:
    """Approved so many days ago, after one day of work."""
    moved("reviews_permit", "issued_at", timedelta(days=days), f"submission_id = {row.pk}")
    moved("governance_revision", "submitted_at", timedelta(days=days + 1), f"submission_id = {row.pk}")


def test_elapsed_time_by_track_as_median_and_ninth_decile(people: dict[str, Person]) -> None:
    hours = (1, 2, 3, 40)
    for at, each in enumerate(hours):
        row = approved(people, f"1.{at}", system=f"s-{at}")
        moved("governance_revision", "submitted_at", timedelta(hours=each), f"submission_id = {row.pk}")
    making.in_review(Track.YELLOW, version="2.0")  # not decided: not counted
    found = {row.track: row for row in elapsed(making.call(people["pia"]), days=30)}
    yellow = found["yellow"]
    assert yellow.count == 4 and yellow.median is not None and yellow.p90 is not None
    assert abs(yellow.median - timedelta(hours=2.5)) < timedelta(minutes=1)
    assert abs(yellow.p90 - timedelta(hours=3 + 0.7 * 37)) < timedelta(minutes=1)
    assert (found["red"].count, found["red"].median) == (0, None)
    assert sum(row.count for row in elapsed(making.call(making.person("gus", at=making.unit("shop"))))) == 0
    with pytest.raises(InvalidInput):
        elapsed(making.call(people["pia"]), days=31)


def test_versions_without_an_incident_are_counted_once_the_time_has_passed(people: dict[str, Person]) -> None:
    safe, failed, young = (approved(people, f"1.{at}", system=f"s-{at}") for at in range(3))
    for row, days in ((safe, 40), (failed, 40), (young, 10)):
        aged(row, days)
    new = NewIncident("other", "high", "It stopped answering", "It stopped answering for everybody at noon.")
    for row, day in ((failed, 35), (safe, 5)):
        began = timezone.now() - timedelta(days=day)
        open_incident(
            caller=making.call(people["pia"]), submission_id=row.pk, new=NewIncident(**{**vars(new), "began_at": began})
        )
    tracks, rows = released(making.call(people["pia"]), days=90, after=30)
    yellow = next(row for row in tracks if row.track == "yellow")
    assert (yellow.approved, yellow.safe, yellow.share) == (2, 1, 0.5), "the young one is not counted; day 35 lies after the 30"
    by_number = {row.submission: row for row in rows}
    assert by_number[failed.number].incident and not by_number[safe.number].incident
    assert "way back: first version" in by_number[safe.number].mitigations
    assert next(row for row in tracks if row.track == "green").share is None


def test_waiting_stands_beside_failing_by_track_and_rule_in_each_currency(people: dict[str, Person]) -> None:
    row = approved(people, "1.0")
    moved("governance_revision", "submitted_at", timedelta(days=2), f"submission_id = {row.pk}")
    waiting = making.in_review(Track.RED, version="2.0", system="other")
    dana = making.call(people["dana"])
    declare_value(caller=dana, submission_id=row.pk, per_day=Decimal("1"), currency="EUR", why="A first guess of mine.")
    declare_value(caller=dana, submission_id=row.pk, per_day=Decimal("500"), currency="EUR", why="Margin of the pilot branch.")
    open_incident(
        caller=making.call(people["pia"]),
        submission_id=row.pk,
        new=NewIncident("cost", "low", "Bill doubled", "The bill doubled since Monday.", "", Decimal("900.10"), "USD"),
    )
    found = costs(making.call(people["pia"]))
    delay = {cost.name: cost for cost in found.delay_by_track}
    assert delay["yellow"].amounts == (("EUR", Decimal("1000.00")),), "the latest declaration counts"
    assert (delay["red"].amounts, delay["red"].undeclared) == ((), 1)
    assert [(c.name, c.count, c.amounts) for c in found.failure_by_track] == [("yellow", 1, (("USD", Decimal("900.10")),))]
    assert {cost.name for cost in found.delay_by_rule} == {"TR-020", "TR-030"}
    assert [cost.name for cost in found.failure_by_rule] == ["TR-030"]
    assert (waiting.number, "other 2.0") in found.undeclared


def test_who_declares_a_value_and_what_it_has_to_say(people: dict[str, Person]) -> None:
    row = making.in_review(Track.YELLOW)
    with pytest.raises(Forbidden):
        declare_value(
            caller=making.call(people["amir"]), submission_id=row.pk, per_day=Decimal(1), currency="EUR", why="I think so too."
        )
    for wrong in ({"per_day": Decimal(-1)}, {"per_day": None}, {"currency": "Euro"}, {"why": "guess"}):
        given = {"per_day": Decimal(1), "currency": "EUR", "why": "Margin of the pilot branch.", **wrong}
        with pytest.raises(InvalidInput):
            declare_value(caller=making.call(people["dana"]), submission_id=row.pk, **given)


def test_an_approval_past_its_age_is_due_for_a_re_review(people: dict[str, Person]) -> None:
    old, soon, replaced = (
        approved(people, "1.0"),
        approved(people, "1.0", system="other"),
        approved(people, "1.0", system="third"),
    )
    approved(people, "2.0", system="third")
    for row, days in ((old, 91), (soon, 80), (replaced, 91)):
        moved("reviews_permit", "expires_at", timedelta(days=days), f"submission_id = {row.pk}")
    Deployment.objects.create(
        unit=old.unit, system="credit-default", version_name="1.0", version=old.version, environment="production",
        permit=Permit.objects.get(submission=old), reported_by=people["pia"],
    )  # fmt: skip
    assert expire_due() == 1
    assert Submission.objects.get(pk=old.pk).state == "expired"
    assert Notification.objects.filter(kind="permit_ended", person=people["dana"], title__startswith="Re-review due").count() == 1
    rows = re_reviews(making.call(people["dana"]))
    assert [(row.submission, row.lapsed, row.live) for row in rows] == [(old.number, True, True), (soon.number, False, False)]
    again = making.draft(Track.YELLOW, version="1.1")
    assert re_reviews(making.call(people["dana"]), only="mine")[0].under_way == again.number
    assert re_reviews(making.call(people["amir"]), only="mine") == ()


def test_the_pages(people: dict[str, Person]) -> None:
    row = approved(people, "1.0")
    aged(row, 40)
    client = Client()
    client.force_login(people["dana"], backend="django.contrib.auth.backends.ModelBackend")
    text = client.get("/outcomes?days=90&after=30").content.decode()
    assert "24.0 h" in text and "TR-030" in text and "way back: first version" in text
    assert client.get("/outcomes?days=7&after=x").status_code == 200
    form = {"per_day": "1200.50", "currency": "eur", "why": "Margin of the pilot branch."}
    assert client.post(f"/submissions/{row.number}/value", {**form, "per_day": "much"}).status_code == 422
    assert client.post(f"/submissions/{row.number}/value", form).status_code == 302
    assert "1200.50 EUR" in client.get("/outcomes").content.decode(), "one day waited"
    assert "1200.50 EUR" in client.get(f"/submissions/{row.number}/value").content.decode()
    assert "Nothing is due" in client.get("/re-reviews").content.decode()
    assert not Incident.objects.exists() and making.person("pru", Role.PRODUCT)
