"""The working time of a business unit as a page: set it, and see what it means for a case handed in now."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from governance.domain.duetime import WEEKDAYS, Calendar, due_at
from governance.domain.errors import DomainError, NotFound
from governance.domain.vocabulary import Track
from governance.models import Unit
from governance.selectors import administration as selected
from governance.selectors.access import Caller
from governance.selectors.policy import installed_kinds, pack_in_force
from governance.services.calendars import set_calendar
from governance.ui.administration import fresh_administrator
from governance.ui.drafts import caller_of
from governance.ui.freshness import authenticated_at


class CalendarForm(forms.Form):
    zone = forms.CharField(max_length=60, label="Time zone", help_text="Such as Europe/Berlin, America/New_York or UTC.")
    opens = forms.TimeField(label="Work begins", help_text="Such as 08:30.", widget=forms.TimeInput(format="%H:%M"))
    closes = forms.TimeField(label="Work ends", help_text="Such as 17:00.", widget=forms.TimeInput(format="%H:%M"))
    days = forms.TypedMultipleChoiceField(
        label="Working days",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        choices=[(at, day) for at, day in enumerate(WEEKDAYS)],
    )
    holidays = forms.CharField(
        required=False,
        label="Holidays",
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="One date a line, such as 2026-12-25. Nothing falls due on them.",
    )

    def clean_zone(self) -> str:
        zone = str(self.cleaned_data["zone"]).strip()
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError):
            raise forms.ValidationError("That is no time zone. Write it as in Europe/Berlin.") from None
        return zone

    def clean_holidays(self) -> frozenset[date]:
        found = set()
        for line in str(self.cleaned_data["holidays"]).split():
            try:
                found.add(date.fromisoformat(line))
            except ValueError:
                raise forms.ValidationError(f"“{line[:30]}” is no date. Write year, month and day, as in 2026-12-25.") from None
        return frozenset(found)

    def calendar(self) -> Calendar | None:
        """The calendar as given; None, with the reason above the form, where nobody would ever work."""
        given = self.cleaned_data
        try:
            return Calendar(given["zone"], given["opens"], given["closes"], frozenset(given["days"]), given["holidays"])
        except ValueError as exc:
            self.add_error(None, str(exc))
            return None


@require_http_methods(["GET", "POST"])
@fresh_administrator
@never_cache
def calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """Show, try and set the working time of a unit the caller administers."""
    caller = caller_of(request)
    unit = _unit(caller, slug)
    present = Calendar.from_json(unit.calendar)
    form = CalendarForm(request.POST) if request.method == "POST" else CalendarForm(initial=_initial(present))
    tried: Calendar | None = None
    if request.method == "POST" and form.is_valid():
        tried = form.calendar()
        if tried is not None and request.POST.get("do") == "set":
            try:
                set_calendar(caller=caller, unit=unit.slug, calendar=tried, proved_at=authenticated_at(request))
            except DomainError as exc:
                form.add_error(None, exc.detail)
            else:
                messages.success(request, f"{unit.name} works {tried.says} from now on.")
                return redirect("administration_calendar", unit.slug)
    context = {"unit": unit, "present": present, "tried": tried, "form": form, "effects": effects(present, tried, timezone.now())}
    return render(request, "governance/administration_calendar.html", context, status=422 if form.errors else 200)


def effects(present: Calendar, tried: Calendar | None, now: datetime) -> list[dict[str, Any]]:
    """When a case handed in now would be due on each track, by the calendar that counts and by the one that is tried."""
    found = []
    for kind in installed_kinds():
        pack = pack_in_force(kind.kind)[1]
        for track in (Track.YELLOW, Track.RED):
            allowance = pack.document.tracks[track].due
            if allowance is None:
                continue
            found.append(
                {
                    "kind": pack.document.title,
                    "track": track,
                    "allowance": allowance,
                    "due": _there(due_at(now, allowance, present), present),
                    "tried": _there(due_at(now, allowance, tried), tried) if tried is not None else "",
                }
            )
    return found


def _there(moment: datetime, where: Calendar) -> str:
    """A moment as the people of the unit read it on their clocks."""
    return f"{moment.astimezone(ZoneInfo(where.zone)):%a %d %b %Y, %H:%M} ({where.zone})"


def _unit(caller: Caller, slug: str) -> Unit:
    unit = selected.units(caller).filter(slug=slug).first()
    if unit is None:
        raise NotFound("There is no such business unit, or none you administer.")
    return unit


def _initial(present: Calendar) -> dict[str, Any]:
    return {
        "zone": present.zone,
        "opens": _clock(present.opens),
        "closes": _clock(present.closes),
        "days": [str(day) for day in sorted(present.days)],
        "holidays": "\n".join(sorted(day.isoformat() for day in present.holidays)),
    }


def _clock(moment: time) -> str:
    return f"{moment:%H:%M}"
