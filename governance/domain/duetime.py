"""Working time: when something is due, and how much of its time is used.

Every business unit has a calendar: working days, hours, time zone and holidays. Without one it is Monday to Friday, 09:00 to
17:00 UTC, and no holidays. A working day is as long as the calendar says. Pure: the clock is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

START, END = time(9), time(17)
_ALLOWANCE = re.compile(r"(\d{1,4})\s*(h|d)")
_MOST_HOLIDAYS = 500
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Calendar:
    """When a unit works. `days`: 0 is Monday. Raises ValueError for one in which nobody ever works."""

    zone: str = "UTC"
    opens: time = START
    closes: time = END
    days: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.days or not self.days <= set(range(7)):
            raise ValueError("A calendar needs at least one working day of the week.")
        if self.opens >= self.closes:
            raise ValueError("Work has to begin before it ends.")
        if len(self.holidays) > _MOST_HOLIDAYS:
            raise ValueError(f"At most {_MOST_HOLIDAYS} holidays fit into a calendar.")
        try:
            ZoneInfo(self.zone)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{self.zone!r} is no time zone. Write it as in Europe/Berlin.") from None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calendar:
        """The calendar as it is stored; what is left out is as in the usual one. Raises ValueError for anything unreadable."""
        try:
            return cls(
                zone=str(data.get("zone", "UTC")),
                opens=time.fromisoformat(data["opens"]) if "opens" in data else START,
                closes=time.fromisoformat(data["closes"]) if "closes" in data else END,
                days=frozenset(int(day) for day in data["days"]) if "days" in data else frozenset(range(5)),
                holidays=frozenset(date.fromisoformat(day) for day in data.get("holidays", ())),
            )
        except (TypeError, AttributeError) as exc:
            raise ValueError(f"The calendar cannot be read: {exc}.") from exc

    def to_json(self) -> dict[str, Any]:
        return {
            "zone": self.zone,
            "opens": f"{self.opens:%H:%M}",
            "closes": f"{self.closes:%H:%M}",
            "days": sorted(self.days),
            "holidays": sorted(day.isoformat() for day in self.holidays),
        }

    @property
    def day(self) -> timedelta:
        """How long a working day is."""
        return datetime.combine(date.min, self.closes) - datetime.combine(date.min, self.opens)

    @property
    def says(self) -> str:
        """In words, for the people whose time it counts."""
        days = ", ".join(WEEKDAYS[day] for day in sorted(self.days))
        free = f", {len(self.holidays)} holidays" if self.holidays else ""
        return f"{days}, {self.opens:%H:%M} to {self.closes:%H:%M} ({self.zone}){free}"


STANDARD = Calendar()


def working_time_of(allowance: str, calendar: Calendar = STANDARD) -> timedelta:
    """The working time that `3h` (hours) or `3d` (working days) allows. Raises ValueError for any other spelling."""
    found = _ALLOWANCE.fullmatch(allowance.strip().lower())
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{allowance!r} is not a working time. Write hours or working days, such as 3h or 3d.")
    return int(found[1]) * (timedelta(hours=1) if found[2] == "h" else calendar.day)


def due_at(start: datetime, allowance: str, calendar: Calendar = STANDARD) -> datetime:
    """When `allowance` of working time, counted from `start`, is used up. In UTC; `start` must carry its time zone.

    Three working days from Friday 16:00 is Wednesday 16:00; three hours from Friday 16:00 is Monday 11:00.
    """
    return later(start, working_time_of(allowance, calendar), calendar)


def later(start: datetime, left: timedelta, calendar: Calendar = STANDARD) -> datetime:
    """The moment at which `left` of working time has passed since `start`, in UTC."""
    for begin, end in _hours(start, calendar):
        if left <= end - begin:
            return begin + left
        left -= end - begin
    raise AssertionError("working hours never end")


def working_time_between(start: datetime, end: datetime, calendar: Calendar = STANDARD) -> timedelta:
    """Working time from `start` to `end`; zero when `end` is not later. Both must carry their time zone."""
    used = timedelta()
    for begin, close in _hours(start, calendar):
        if begin >= end:
            return used
        used += min(close, end) - begin
    return used


def share_used(start: datetime, due: datetime, now: datetime, calendar: Calendar = STANDARD) -> float:
    """How much of the working time between `start` and `due` is used at `now`: 0 at the start, 1 when due, more when overdue."""
    whole = working_time_between(start, due, calendar)
    if not whole:
        return 0.0 if now < due else 1.0
    return working_time_between(start, now, calendar) / whole


def moment_of(share: float, start: datetime, due: datetime, calendar: Calendar = STANDARD) -> datetime:
    """When that share of the working time between `start` and `due` is used: 0.8 is when people are reminded."""
    return later(start, working_time_between(start, due, calendar) * share, calendar)


def _hours(start: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The working hours from `start` on, day by day, in UTC."""
    zone, moment = ZoneInfo(calendar.zone), start.astimezone(UTC)
    day = moment.astimezone(zone).date()
    while True:
        if day.weekday() in calendar.days and day not in calendar.holidays:
            begin, end = (datetime.combine(day, at, zone).astimezone(UTC) for at in (calendar.opens, calendar.closes))
            if moment < end:
                yield max(begin, moment), end
        day += timedelta(days=1)
