"""The working time of a unit: set by its administrator or on the server, with its audit event."""

from __future__ import annotations

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
from tests.reviews import making

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
