"""What people may do with runs: run again what stopped with an error."""

from __future__ import annotations

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from gates.models import GateRun
from gates.services.planning import cancel_unfinished, wake
from governance.domain.errors import Conflict
from governance.domain.vocabulary import RunStatus
from governance.models import Submission
from governance.services.work import Work

__all__ = ["cancel_unfinished", "run_again"]


def run_again(work: Work, *, submission: Submission) -> list[GateRun]:
    """Queue the current revision's runs that ended in an error or were cancelled, with as many attempts again.

    For the transaction that moves the submission back into checks (the row is locked by the caller). The attempt number goes on
    growing, so a late answer from before is still recognised as old. Raises `Conflict` when nothing stopped.
    """
    stopped = GateRun.objects.filter(
        submission=submission, revision=submission.revision, status__in=[RunStatus.ERROR, RunStatus.CANCELLED]
    )
    ids = list(stopped.order_by("id").select_for_update().values_list("pk", flat=True))
    if not ids:
        raise Conflict("No check of this revision stopped with an error: there is nothing to run again.", code="nothing_to_run")
    GateRun.objects.filter(pk__in=ids).update(
        status=RunStatus.QUEUED,
        max_attempts=F("attempt") + settings.GATE_MAX_ATTEMPTS,
        not_before=Now(),
        queued_at=Now(),
        dispatched_at=Now(),
        dispatches=0,
        finished_at=None,
        lease_until=None,
    )
    runs = list(GateRun.objects.filter(pk__in=ids).defer("inputs").order_by("id"))
    work.note("gate_runs.queued_again", submission, {"revision": submission.revision, "runs": ids})
    wake(work, submission, runs)
    return runs
