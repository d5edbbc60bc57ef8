"""The row lock every decision starts with."""

from __future__ import annotations

from governance.domain.errors import NotFound
from governance.models import Submission
from governance.selectors.access import Caller, visible


def locked(caller: Caller, submission_id: int) -> Submission:
    """The submission, locked until the end of the transaction. Raises `NotFound` for one outside the caller's units too."""
    rows = Submission.objects.select_for_update(of=("self",)).select_related(
        "system", "system__owner", "version", "submitter", "unit"
    )
    submission = visible(rows, caller).filter(pk=submission_id).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{submission_id} in your business unit.")
    return submission
