"""Columns of a submission in which personal data was found, and what data stewards said about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gates.models import Measurement
from governance.domain.errors import Conflict, DomainError, Forbidden, SegregationOfDuties
from governance.domain.vocabulary import OPEN_STATES, ColumnMarkKind, Role, RunStatus, State
from governance.models import ColumnMark, Contributor, Submission
from governance.selectors.access import Caller

MAY_MARK = (Role.PRIVACY, Role.ANALYST)


@dataclass(frozen=True)
class MarkView:
    """A mark as people read it."""

    mark: str
    label: str
    reason: str
    by: str
    at: datetime
    submission: str


@dataclass(frozen=True)
class ColumnView:
    """One column: what it was found as, by what and how surely, and the marks on it, the latest first.

    `found` is False for a column that an earlier mark took out: nothing is measured about it any more. `stands`: the latest mark
    holds for what was found now.
    """

    column: str
    kind: str
    detector: str = ""
    confidence: float | None = None
    share: float | None = None
    shape: str = ""
    file: str = ""
    found: bool = True
    marks: tuple[MarkView, ...] = ()
    stands: bool = False


def columns_of(submission: Submission) -> tuple[ColumnView, ...]:
    """What the current revision's check found, and what earlier marks took out. Two queries."""
    rows = Measurement.objects.filter(
        submission=submission,
        run__revision=submission.revision,
        run__collector="personal_data",
        run__status=RunStatus.DONE,
        metric="personal_data.column",
    ).order_by("run_id", "id")
    found: dict[str, tuple[str, float | None, Mapping[str, Any]]] = {
        row.group.removeprefix("column="): (row.text, row.value, row.detail) for row in rows
    }
    marks: dict[str, list[ColumnMark]] = {}
    for mark in ColumnMark.objects.filter(system_id=submission.system_id).select_related("by").order_by("-id")[:1_000]:
        marks.setdefault(mark.column, []).append(mark)
    views = [_view(column, kind, value, detail, marks.get(column, [])) for column, (kind, value, detail) in found.items()]
    gone = [
        ColumnView(column, said[0].kind, found=False, marks=_marks(said)) for column, said in marks.items() if column not in found
    ]
    return (*sorted(views, key=lambda row: row.column), *sorted(gone, key=lambda row: row.column))


def _view(column: str, kind: str, value: float | None, detail: Mapping[str, Any], said: list[ColumnMark]) -> ColumnView:
    return ColumnView(
        column,
        kind,
        str(detail.get("detector") or ""),
        value,
        detail.get("share"),
        str(detail.get("shape") or ""),
        str(detail.get("file") or ""),
        marks=_marks(said),
        stands=bool(said) and said[0].kind == kind,
    )


def _marks(rows: list[ColumnMark]) -> tuple[MarkView, ...]:
    return tuple(
        MarkView(row.mark, ColumnMarkKind(row.mark).label, row.reason, row.by.name, row.at, f"S-{row.submission_id}")
        for row in rows
    )


def marking_refusal(submission: Submission, caller: Caller) -> DomainError | None:
    """Why the caller may not say anything about columns of this submission, or None when they may."""
    if caller.person is None or caller.token is not None:
        return Forbidden("Columns are judged by people who are signed in, not by tokens.", code="people_only")
    if not caller.roles_in(submission.unit_id) & set(MAY_MARK):
        return Forbidden(f"Only the {' or '.join(role.label for role in MAY_MARK)} can do this.", code="role_needed")
    if caller.person.pk == submission.submitter_id:
        return SegregationOfDuties("You submitted this version, so somebody else judges its columns.")
    worked = Contributor.objects.filter(submission=submission, person=caller.person).values_list("why", flat=True).first()
    if worked is not None:
        return SegregationOfDuties(f"You {worked}, so somebody else judges its columns.")
    if State(submission.state) not in OPEN_STATES - {State.DRAFT}:
        return Conflict("This case is closed. Columns are judged while a case is open; marks hold for later versions too.")
    return None
