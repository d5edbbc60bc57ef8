"""The working time of a business unit. Set on the server or by its administrator; an audit event says so."""

from __future__ import annotations

from datetime import datetime

from governance.domain.duetime import Calendar
from governance.domain.errors import NotFound
from governance.models import Unit
from governance.selectors.access import Caller
from governance.services.administration import require_administrator
from governance.services.work import unit_of_work


def set_calendar(*, caller: Caller, unit: str, calendar: Calendar, proved_at: datetime | None = None) -> Unit:
    """Set when the unit works. What is due already keeps its time; what comes next is counted by the new calendar.

    Raises `NotFound`, and `Forbidden` or `ReauthenticationNeeded` for whoever does not administer the unit.
    """
    with unit_of_work(caller) as work:
        row = Unit.objects.select_for_update().filter(slug=unit).first()
        if row is None:
            raise NotFound(f"There is no business unit {unit!r}.")
        require_administrator(caller, row.pk, proved_at)
        before, row.calendar = row.calendar, calendar.to_json()
        row.save(update_fields=["calendar"])
        work.note("unit.calendar_set", row, {"before": before, "after": row.calendar}, unit=row.pk)
    return row
