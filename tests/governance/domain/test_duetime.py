"""Working time: edges of the day, the weekend, and spelling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.duetime import due_at, share_used, working_time_between, working_time_of

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
