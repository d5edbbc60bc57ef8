"""Working time: edges of the day, the weekend, and spelling."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.duetime import Calendar, due_at, moment_of, share_used, working_time_between, working_time_of

FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "allowance", "due"),
    [
        (FRIDAY.replace(hour=10), "3h", FRIDAY.replace(hour=13)),
        (FRIDAY.replace(hour=14), "3h", FRIDAY.replace(hour=17)),  # exactly at closing is still that day
        (FRIDAY.replace(hour=14, second=1), "3h", FRIDAY + timedelta(days=3, hours=9, seconds=1)),
        (FRIDAY.replace(hour=16), "3h", FRIDAY + timedelta(days=3, hours=11)),
        (FRIDAY.replace(hour=16), "3d", FRIDAY + timedelta(days=5, hours=16)),
        (FRIDAY.replace(hour=17), "1h", FRIDAY + timedelta(days=3, hours=10)),
        (FRIDAY.replace(hour=3), "1h", FRIDAY.replace(hour=10)),
        (FRIDAY + timedelta(days=1, hours=12), "1d", FRIDAY + timedelta(days=3, hours=17)),
        (datetime(2026, 11, 20, 18, tzinfo=timezone(timedelta(hours=5))), "1h", FRIDAY.replace(hour=14)),
    ],
)
def test_due(start: datetime, allowance: str, due: datetime) -> None:
    assert due_at(start, allowance) == due


@pytest.mark.parametrize("wrong", ["", "3", "h", "3w", "-3h", "0h", "0d", "3.5h", "three days"])
def test_an_allowance_that_cannot_be_read_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="such as 3h or 3d"):
        working_time_of(wrong)


def test_share_used_says_how_late() -> None:
    start = FRIDAY.replace(hour=10)
    due = due_at(start, "3h")
    assert share_used(start, due, start) == 0
    assert share_used(start, due, FRIDAY.replace(hour=12)) == pytest.approx(2 / 3)
    assert share_used(start, due, due) == 1
    assert share_used(start, due, FRIDAY + timedelta(days=3, hours=11)) == 3
    assert share_used(start, due, FRIDAY + timedelta(days=2)) == pytest.approx(7 / 3)
    assert share_used(due, due, due) == 1


moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds UTC)


@given(moments, st.integers(1, 200), st.sampled_from(["h", "d"]))
def test_due_is_always_in_working_hours_and_takes_exactly_the_allowance(start: datetime, number: int, unit: str) -> None:
    allowance = f"{number}{unit}"
    due = due_at(start, allowance)
    assert due > start
    assert due.weekday() < 5
    assert 9 <= due.hour <= 17
    assert working_time_between(start, due) == working_time_of(allowance)


BERLIN = Calendar(
    zone="Europe/Berlin", opens=time(8), closes=time(18), days=frozenset({0, 1, 2, 3}), holidays=frozenset({date(2026, 11, 23)})
)


@pytest.mark.parametrize(
    ("start", "allowance", "due"),
    [
        # Thursday 17:00 in Berlin is 16:00 UTC: an hour is left, Friday is free here, Monday is a holiday
        (datetime(2026, 11, 19, 16, tzinfo=UTC), "3h", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        (datetime(2026, 11, 17, 7, tzinfo=UTC), "1d", datetime(2026, 11, 17, 17, tzinfo=UTC)),  # a day of ten hours
        # the clocks go back on Sunday, 25 October: Thursday is UTC+2, Monday UTC+1
        (datetime(2026, 10, 22, 15, tzinfo=UTC), "2h", datetime(2026, 10, 26, 8, tzinfo=UTC)),
    ],
)
def test_a_unit_has_its_own_days_hours_zone_and_holidays(start: datetime, allowance: str, due: datetime) -> None:
    assert due_at(start, allowance, BERLIN) == due
    assert Calendar.from_json(BERLIN.to_json()) == BERLIN


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"opens": "17:00", "closes": "09:00"}, "begin before it ends"),
        ({"days": []}, "at least one working day"),
        ({"days": [9]}, "at least one working day"),
        ({"holidays": ["tomorrow"]}, "Invalid isoformat"),
        ({"opens": 9}, "cannot be read"),
    ],
)
def test_a_calendar_in_which_nothing_could_come_due_is_refused(stored: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Calendar.from_json(stored)


@given(moments, st.floats(0, 1))
def test_the_moment_of_a_share_is_when_that_share_is_used(start: datetime, share: float) -> None:
    due = due_at(start, "3d", BERLIN)
    at = moment_of(share, start, due, BERLIN)
    assert share_used(start, due, at, BERLIN) == pytest.approx(share, abs=1e-6)
