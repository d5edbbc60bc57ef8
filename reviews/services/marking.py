"""What a data steward says about a column with personal data: recorded with reason, counted from the next revision on."""

from __future__ import annotations

from dataclasses import dataclass

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import ColumnMarkKind
from governance.models import ColumnMark
from governance.selectors.access import Caller
from governance.services.work import unit_of_work
from reviews.selectors.columns import columns_of, marking_refusal
from reviews.services.decision_input import says_something
from reviews.services.fences import fences
from reviews.services.locking import locked

LEAST_REASON = 10


@dataclass(frozen=True)
class NewMark:
    """One column, what it is, and why."""

    column: str
    mark: str
    reason: str


def mark_column(*, caller: Caller, submission_id: int, new: NewMark) -> ColumnMark:
    """Record the mark on a found column. Refused to whoever handed the version in or worked on it; `InvalidInput` names fields.

    The checks of this revision stand as they were measured: the mark is read when the next revision, or the next version of the
    system, is checked.
    """
    with fences(), unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        if (refused := marking_refusal(submission, caller)) is not None:
            raise refused
        known = {row.column: row for row in columns_of(submission)}
        errors = []
        if new.column not in known:
            errors.append(FieldError("/column", "unknown", "Choose one of the columns in which personal data was found."))
        if new.mark not in {kind.value for kind in ColumnMarkKind}:
            words = ", ".join(kind.value for kind in ColumnMarkKind)
            errors.append(FieldError("/mark", "unknown", f"Say what it is: {words}."))
        if not says_something(new.reason, LEAST_REASON):
            errors.append(FieldError("/reason", "too_short", "Say why, in a sentence that others can check later."))
        if errors:
            raise InvalidInput("The mark is not recorded yet.", errors=tuple(errors))
        assert caller.person is not None
        column = known[new.column]
        mark = ColumnMark.objects.create(
            system=submission.system,
            submission=submission,
            column=new.column,
            kind=column.kind,
            mark=new.mark,
            reason=new.reason.strip()[:500],
            by=caller.person,
        )
        work.note(
            "personal_data.column_marked",
            submission,
            {
                "column": new.column,
                "found_as": column.kind,
                "mark": new.mark,
                "reason": mark.reason,
                "revision": submission.revision,
            },
        )
        return mark
