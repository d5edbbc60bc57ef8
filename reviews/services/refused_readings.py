"""Counting readings that were refused: how often nothing was written, or somebody else's words, tells of signing unread."""

from __future__ import annotations

from collections.abc import Iterable

from governance.domain.errors import FieldError
from governance.selectors.access import Caller
from governance.services.work import unit_of_work
from reviews.models import RefusedReading
from reviews.services.locking import locked

_PART = "/readings/"


def note_refused(*, caller: Caller, submission_id: int, errors: Iterable[FieldError]) -> int:
    """Record which gates' readings a refused decision had wrong, in a transaction of its own. Gives how many."""
    wrong = [(e.pointer.removeprefix(_PART), e.code) for e in errors if e.pointer.startswith(_PART)]
    if not wrong or caller.person is None:
        return 0
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        RefusedReading.objects.bulk_create(
            RefusedReading(
                submission=submission,
                unit_id=submission.unit_id,
                by=caller.person,
                role=submission.turn,
                gate=gate[:10],
                why="copied" if code == "copied" else "missing",
            )
            for gate, code in wrong
        )
        copied = sum(code == "copied" for _, code in wrong)
        work.note("decision.readings_refused", submission, {"copied": copied, "missing": len(wrong) - copied})
    return len(wrong)
