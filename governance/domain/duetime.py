"""Working time: when something is due, and how much of its time is used.

Working hours are Monday to Friday, 09:00 to 17:00 UTC; a working day is eight of them. Public holidays are not known here, so a
case due across one is due a day early rather than a day late. Pure: the clock is passed in.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

START, END = time(9), time(17)
DAY = timedelta(hours=8)
_ALLOWANCE = re.compile(r"(\d{1,4})\s*(h|d)")


def working_time_of(allowance: str) -> timedelta:
    """The working time that `3h` (hours) or `3d` (working days) allows. Raises ValueError for any other spelling."""
    found = _ALLOWANCE.fullmatch(allowance.strip().lower())
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{allowance!r} is not a working time. Write hours or working days, such as 3h or 3d.")
    return int(found[1]) * (timedelta(hours=1) if found[2] == "h" else DAY)


def due_at(start: datetime, allowance: str) -> datetime:
    """When `allowance` of working time, counted from `start`, is used up. In UTC; `start` must carry its time zone.

    Three working days from Friday 16:00 is Wednesday 16:00; three hours from Friday 16:00 is Monday 11:00.
    """
    left, now = working_time_of(allowance), _to_working_hours(start.astimezone(UTC))
    while left > (today := _end_of(now) - now):
        left -= today
        now = _to_working_hours(_end_of(now))
    return now + left


def working_time_between(start: datetime, end: datetime) -> timedelta:
    """Working time from `start` to `end`; zero when `end` is not later. Both must carry their time zone."""
    now, last, used = start.astimezone(UTC), end.astimezone(UTC), timedelta()
    while (now := _to_working_hours(now)) < last:
        until = min(_end_of(now), last)
        used += until - now
        now = _end_of(now)
    return used


def share_used(start: datetime, due: datetime, now: datetime) -> float:
    """How much of the working time between `start` and `due` is used at `now`: 0 at the start, 1 when due, more when overdue."""
    whole = working_time_between(start, due)
    if not whole:
        return 0.0 if now < due else 1.0
    return working_time_between(start, now) / whole


def _to_working_hours(moment: datetime) -> datetime:
    """The moment itself within working hours, else the next opening."""
    if moment.weekday() < 5 and START <= moment.time() < END:
        return moment
    day = moment.date() if moment.time() < START else moment.date() + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return datetime.combine(day, START, UTC)


def _end_of(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), END, UTC)
