"""How far the runs of a submission are, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from gates import registry
from gates.models import GateRun, WorkerSeen
from governance.domain.errors import NotFound
from governance.domain.vocabulary import RunStatus
from governance.models import Submission
from governance.selectors.access import Caller, visible

SILENT_AFTER = timedelta(seconds=60)
_UNFINISHED = (RunStatus.QUEUED.value, RunStatus.RUNNING.value)


@dataclass(frozen=True)
class RunProgress:
    """One run as people follow it. `badge`: key of its word among the verdict badges; `says`: one sentence, with the way out."""

    id: int
    collector: str
    title: str
    status: str
    badge: str
    says: str
    since: datetime | None
    attempt: int
    max_attempts: int
    seconds: float | None
    heavy: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "collector": self.collector,
            "title": self.title,
            "status": self.status,
            "says": self.says,
            "since": self.since.isoformat() if self.since else None,
            "attempt": self.attempt,
            "max_attempts": self.max_attempts,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Progress:
    """All runs of a submission's current revision. `worker_missing`: runs wait and nobody is there to take them."""

    submission: int
    revision: int
    runs: tuple[RunProgress, ...]
    worker_missing: str = ""

    @property
    def total(self) -> int:
        return len(self.runs)

    @property
    def done(self) -> int:
        return sum(run.status not in _UNFINISHED for run in self.runs)

    @property
    def finished(self) -> bool:
        return self.done == self.total

    @property
    def says(self) -> str:
        if not self.runs:
            return "No checks were needed."
        if self.finished:
            return f"All {self.total} checks finished." if self.total > 1 else "The check finished."
        return f"{self.done} of {self.total} checks finished."

    def to_json(self) -> dict[str, Any]:
        return {
            "submission": f"S-{self.submission}",
            "revision": self.revision,
            "finished": self.finished,
            "done": self.done,
            "total": self.total,
            "says": self.says,
            "worker_missing": self.worker_missing,
            "runs": [run.to_json() for run in self.runs],
        }


def progress(submission: Submission) -> Progress:
    """The runs of the current revision with their words. Two queries while something waits, else one."""
    rows = list(
        GateRun.objects.filter(submission=submission, revision=submission.revision)
        .defer("inputs", "facts", "notes", "versions")
        .order_by("heavy", "id")
    )
    silent = _silent_queues() if any(row.status in _UNFINISHED for row in rows) else {}
    runs = tuple(_progress_of(row, silent) for row in rows)
    waiting = {_queue(row) for row in rows if row.status == RunStatus.QUEUED}
    missing = next((silent[queue] for queue in sorted(waiting) if queue in silent), "")
    return Progress(submission.pk, submission.revision, runs, missing)


def workers_seen() -> dict[str, datetime]:
    """Queue -> when a worker last took something from it."""
    return {row["queue"]: row["last"] for row in WorkerSeen.objects.values("queue").annotate(last=Max("seen_at"))}


def _silent_queues() -> dict[str, str]:
    """Queue -> words, for each queue without a sign of life in the last minute, by the database clock."""
    fresh = set(WorkerSeen.objects.filter(seen_at__gt=Now() - SILENT_AFTER).values_list("queue", flat=True))
    since = f"no worker seen for {int(SILENT_AFTER.total_seconds())} s"
    if fresh:
        since += " that takes checks of this kind; those there are busy with others"
    words = f"{since}. Nothing is lost: it starts when one is free. If this stays, an administrator runs `manage.py doctor`."
    return {queue: words for queue in ("gates", "gates.heavy") if queue not in fresh}


def _queue(row: GateRun) -> str:
    return "gates.heavy" if row.heavy else "gates"


def _progress_of(row: GateRun, silent: Mapping[str, str]) -> RunProgress:
    known = registry.collectors().get(row.collector)
    badge, says, since = _words(row, silent)
    return RunProgress(
        id=row.pk,
        collector=row.collector,
        title=known.title if known else row.collector,
        status=row.status,
        badge=badge,
        says=says,
        since=since,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        seconds=row.seconds,
        heavy=row.heavy,
    )


def _words(row: GateRun, silent: Mapping[str, str]) -> tuple[str, str, datetime | None]:
    if row.status == RunStatus.QUEUED:
        return "queued", _why_queued(row, silent.get(_queue(row), "")), row.queued_at
    if row.status == RunStatus.RUNNING:
        again = f" (attempt {row.attempt} of {row.max_attempts})" if row.attempt > 1 else ""
        return "running", f"Running since {_clock(row.started_at)}{again}.", row.started_at
    if row.status == RunStatus.ERROR:
        return "error", row.error, row.finished_at
    if row.status == RunStatus.CANCELLED:
        return "cancelled", "Cancelled: a newer revision or a withdrawal made it unnecessary.", row.finished_at
    if row.not_measured:
        return "not_assessed", row.not_measured, row.finished_at
    if row.not_applicable:
        return "not_applicable", row.not_applicable, row.finished_at
    carried = " Carried over: nothing it looks at has changed." if row.carried_from_id else ""
    took = f"Measured in {row.seconds:.1f} s." if row.seconds is not None else "Measured."
    return "measured", took + carried, row.finished_at


def _why_queued(row: GateRun, silent: str) -> str:
    since = f"Queued since {_clock(row.queued_at)}"
    if silent:
        return f"{since}, {silent}"
    if row.error and row.not_before > timezone.now():
        return f"{since}; attempt {row.attempt} failed ({row.error}), tried again at {_clock(row.not_before)}."
    if row.error:
        return f"{since}; attempt {row.attempt} failed ({row.error}), about to be tried again."
    return f"{since}, waiting for a free worker."


def _clock(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%H:%M:%S") if moment else "just now"


def submission_for(caller: Caller, submission_id: int) -> Submission:
    """The submission, when the caller may see it; else `NotFound`."""
    row = visible(Submission.objects.filter(pk=submission_id), caller).first()
    if row is None:
        raise NotFound(f"There is no submission S-{submission_id}, or it belongs to a business unit you cannot see.")
    return row
