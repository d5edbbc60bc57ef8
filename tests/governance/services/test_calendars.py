"""The working time of a unit: set by its administrator or on the server, with its audit event."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from governance.domain.duetime import Calendar
from governance.domain.errors import Forbidden, ReauthenticationNeeded
from governance.domain.vocabulary import Role
from governance.models import AuditEvent, Unit
from governance.selectors.access import caller_for
from governance.services.calendars import set_calendar
from governance.ui.calendars import effects
from tests.reviews import making
from tests.reviews.test_waiver_pages import proved

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_administrator_of_the_unit_sets_it_after_a_fresh_sign_in() -> None:
    unit, calendar = making.unit(), Calendar(zone="Asia/Tokyo")
    adm, amir = making.person("adm", Role.ADMIN), making.person("amir", Role.ANALYST)
    with pytest.raises(Forbidden):
        set_calendar(caller=caller_for(amir), unit=unit.slug, calendar=calendar, proved_at=timezone.now())
    with pytest.raises(ReauthenticationNeeded):
        set_calendar(caller=caller_for(adm), unit=unit.slug, calendar=calendar)
    assert Unit.objects.get().calendar == {}
    set_calendar(caller=caller_for(adm), unit=unit.slug, calendar=calendar, proved_at=timezone.now())
    assert Calendar.from_json(Unit.objects.get().calendar) == calendar
    assert AuditEvent.objects.filter(action="unit.calendar_set", actor=adm.reference).count() == 1


def test_the_command_shows_sets_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    making.unit()
    call_command("calendar", "lending")
    assert "09:00 to 17:00 (UTC)" in capsys.readouterr().out
    days = tmp_path / "days.txt"
    days.write_text("2026-12-25\n\n2026-12-26\n")
    call_command("calendar", "lending", "--zone", "Europe/Berlin", "--days", "mon", "tue", "--holidays", str(days))
    assert "Monday, Tuesday, 09:00 to 17:00 (Europe/Berlin), 2 holidays" in capsys.readouterr().out
    for wrong in (["--zone", "Mars/Olympus"], ["--opens", "19:00"], ["--holidays", str(tmp_path / "none")]):
        with pytest.raises(CommandError):
            call_command("calendar", "lending", *wrong)
    with pytest.raises(CommandError):
        call_command("calendar", "nowhere")


def test_the_page_shows_what_it_means_before_it_counts() -> None:
    making.policy()
    unit, adm = making.unit(), making.person("adm", Role.ADMIN)
    elsewhere = making.unit("shop")
    client = proved(adm)
    where = "/administration/units/lending/calendar"
    form = {"zone": "Asia/Tokyo", "opens": "08:30", "closes": "17:00", "days": ["0", "1"], "holidays": "2026-12-25\n2026-12-28\n"}
    shown = client.get(where).content.decode()
    assert "09:00 to 17:00 (UTC)" in shown and "3h of working time" in shown and "Show what it would mean" in shown
    tried = client.post(where, {**form, "do": "try"})
    assert tried.status_code == 200 and "(Asia/Tokyo)" in tried.content.decode()
    assert Unit.objects.get(pk=unit.pk).calendar == {}, "tried, not set"
    assert client.post(where, {**form, "do": "set"}).status_code == 302
    assert "Monday, Tuesday, 08:30 to 17:00 (Asia/Tokyo), 2 holidays" in client.get(where).content.decode()
    assert AuditEvent.objects.filter(action="unit.calendar_set", actor=adm.reference).count() == 1
    for wrong, says in (
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"closes": "08:00"}, "begin before it ends"),
        ({"days": []}, "Working days"),
        ({"holidays": "Christmas"}, "is no date"),
    ):
        answer = client.post(where, {**form, **wrong, "do": "set"})
        assert answer.status_code == 422 and says in answer.content.decode(), wrong
    assert client.get(f"/administration/units/{elsewhere.slug}/calendar").status_code == 404
    assert AuditEvent.objects.filter(action="unit.calendar_set").count() == 1


def test_the_effect_is_what_the_steps_are_given() -> None:
    making.policy()
    friday = datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert [row["due"] for row in effects(Calendar(), None, friday)] == [
        "Mon 23 Nov 2026, 11:00 (UTC)",
        "Wed 25 Nov 2026, 16:00 (UTC)",
    ]
