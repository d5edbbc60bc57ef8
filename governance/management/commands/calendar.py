"""`manage.py calendar UNIT`: show or set the working days, hours, time zone and holidays of a business unit."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.domain.duetime import WEEKDAYS, Calendar
from governance.domain.errors import DomainError
from governance.models import Unit
from governance.selectors.access import SYSTEM
from governance.services.calendars import set_calendar


class Command(BaseCommand):
    help = "Show the working time of a business unit, or set it: review steps fall due in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("unit", help="short name of the unit")
        parser.add_argument("--zone", help="such as Europe/Berlin")
        parser.add_argument("--opens", help="such as 08:30")
        parser.add_argument("--closes", help="such as 17:00")
        parser.add_argument("--days", nargs="+", choices=[day[:3].lower() for day in WEEKDAYS], help="working days")
        parser.add_argument("--holidays", type=Path, help="a file with one date (2026-12-25) a line; replaces those there are")

    def handle(self, *args: Any, **options: Any) -> None:
        row = Unit.objects.filter(slug=options["unit"]).first()
        if row is None:
            raise CommandError(f"There is no business unit {options['unit']!r}.")
        given = {name: options[name] for name in ("zone", "opens", "closes") if options[name]}
        if options["days"]:
            given["days"] = [[name[:3].lower() for name in WEEKDAYS].index(day) for day in options["days"]]
        try:
            if options["holidays"]:
                lines = options["holidays"].read_text(encoding="utf-8").splitlines()
                given["holidays"] = [line.strip() for line in lines if line.strip()]
            calendar = Calendar.from_json({**row.calendar, **given})
            if given:
                set_calendar(caller=SYSTEM, unit=row.slug, calendar=calendar)
        except (ValueError, OSError) as exc:
            raise CommandError(str(exc)) from exc
        except DomainError as exc:
            raise CommandError(exc.detail) from exc
        self.stdout.write(f"{row.name} works {calendar.says}.")
