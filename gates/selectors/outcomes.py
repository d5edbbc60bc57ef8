"""What the gates said about a revision, latest round, and the charts that belong to it."""

from __future__ import annotations

from django.db.models import Max

from gates.models import Chart, GateOutcome
from governance.domain.errors import NotFound
from governance.selectors.access import Caller, visible


def outcomes_of(submission_id: int, revision: int) -> list[GateOutcome]:
    """The outcomes of the revision's latest round, in the order of the pack. One query."""
    rows = GateOutcome.objects.filter(submission_id=submission_id, revision=revision).order_by("id")
    latest: dict[int, list[GateOutcome]] = {}
    for row in rows:
        latest.setdefault(row.round, []).append(row)
    return latest[max(latest)] if latest else []


def last_round(submission_id: int, revision: int) -> int:
    """How often the revision was judged."""
    rows = GateOutcome.objects.filter(submission_id=submission_id, revision=revision)
    return int(rows.aggregate(last=Max("round"))["last"] or 0)


def charts_of(submission_id: int, revision: int) -> list[Chart]:
    """Charts of a revision without the pictures themselves, which a page fetches one by one. One query."""
    rows = Chart.objects.filter(submission_id=submission_id, run__revision=revision, run__current=True).select_related("run")
    return list(rows.defer("svg_light", "svg_dark", "run__inputs", "run__facts", "run__notes").order_by("run__collector", "id"))


def chart(caller: Caller, chart_id: int) -> Chart:
    """One chart of a submission the caller may see, else `NotFound`."""
    row = visible(Chart.objects.filter(pk=chart_id), caller, "submission__unit_id").first()
    if row is None:
        raise NotFound("There is no such chart, or it belongs to a business unit you cannot see.")
    return row
