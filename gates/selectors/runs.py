"""How far the runs of a submission are, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from gates import registry
from gates.models import GateRun
from gates.selectors.control import Standing, again_refusal, cancel_refusal, standing
from gates.selectors.queueing import Lane, Queueing, Times, queueing, silent_lanes
from governance.domain.canonical import digest
from governance.domain.errors import NotFound
from governance.domain.vocabulary import RunStatus
from governance.models import Submission
from governance.selectors.access import Caller, visible

_UNFINISHED = (RunStatus.QUEUED.value, RunStatus.RUNNING.value)


@dataclass(frozen=True)
class RunProgress:
    """One run as people follow it. `badge`: key of its word among the verdict badges; `says`: one sentence, with the way out.

    `doing`: what the collector says it is doing, with counts, while it runs; `expects`: how long it usually takes; `can`: what
    the caller may do with it (cancel, again); `ahead`: how many submissions are taken before it.
    """

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
    doing: str = ""
    steps_done: int | None = None
    steps_total: int | None = None
    ahead: int | None = None
    times: Times | None = None
    expects: str = ""
    can: tuple[str, ...] = ()

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
            "doing": self.doing,
            "steps_done": self.steps_done,
            "steps_total": self.steps_total,
            "ahead": self.ahead,
            "times": self.times.to_json() if self.times else None,
            "expects": self.expects,
            "actions": list(self.can),
        }


@dataclass(frozen=True)
class Progress:
    """All runs of a submission's current revision. `worker_missing`: runs wait and nobody is there to take them."""

    submission: int
    revision: int
    runs: tuple[RunProgress, ...]
    worker_missing: str = ""
    lanes: tuple[Lane, ...] = field(default=())

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
            "lanes": [lane.to_json() for lane in self.lanes],
            "runs": [run.to_json() for run in self.runs],
        }

    @property
    def seen(self) -> str:
        """Changes when anything a reader sees changed: a page that has it already need not be drawn again."""
        return digest({**self.to_json(), "lanes": [lane.running for lane in self.lanes]})[7:23]


def progress(submission: Submission, caller: Caller | None = None) -> Progress:
    """The runs of the current revision with their words. Two queries while something waits, else one.

    With a caller, as their page shows it: what they may do, what is ahead in the queue, how long it usually takes; up to nine.
    """
    rows = list(
        GateRun.objects.filter(submission=submission, revision=submission.revision, current=True)
        .defer("inputs", "facts", "notes", "versions")
        .order_by("heavy", "id")
    )
    at = standing(caller, submission) if caller is not None else None
    queue = Queueing()
    if unfinished := [row for row in rows if row.status in _UNFINISHED]:
        queued = [(row.pk, row.heavy) for row in unfinished if row.status == RunStatus.QUEUED]
        if caller is None:
            queue = Queueing(silent_lanes())
        else:
            queue = queueing(submission.pk, queued, [row.collector for row in unfinished])
    busy = {row.worker: row for row in rows if row.status == RunStatus.RUNNING and row.doing and not row.heavy}
    runs = tuple(_progress_of(row, queue, busy, at) for row in rows)
    waiting = {_queue(row) for row in rows if row.status == RunStatus.QUEUED}
    missing = next((queue.lanes[name].silent for name in sorted(waiting) if queue.lanes[name].silent), "")
    return Progress(submission.pk, submission.revision, runs, missing, tuple(queue.lanes[name] for name in sorted(waiting)))


def _queue(row: GateRun) -> str:
    return "gates.heavy" if row.heavy else "gates"


def _title(name: str) -> str:
    known = registry.collectors().get(name)
    return known.title if known else name


def _progress_of(row: GateRun, queue: Queueing, busy: Mapping[str, GateRun], at: Standing | None) -> RunProgress:
    ahead = queue.ahead.get(row.pk)
    badge, says, since = _words(row, queue, busy)
    times = queue.times.get(row.collector)
    running = row.status == RunStatus.RUNNING
    return RunProgress(
        id=row.pk,
        collector=row.collector,
        title=_title(row.collector),
        status=row.status,
        badge=badge,
        says=says,
        since=since,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        seconds=row.seconds,
        heavy=row.heavy,
        doing=doing_words(row) if running else "",
        steps_done=row.steps_done if running else None,
        steps_total=row.steps_total if running else None,
        ahead=ahead,
        times=times,
        expects=_expects(row, times),
        can=_can(at, row),
    )


def _can(at: Standing | None, row: GateRun) -> tuple[str, ...]:
    if at is None:
        return ()
    asked = (("cancel", cancel_refusal(at, row)), ("again", again_refusal(at, row)))
    return tuple(name for name, refused in asked if refused is None)


def _expects(row: GateRun, times: Times | None) -> str:
    if times is None:
        return ""
    so_far = (timezone.now() - row.started_at).total_seconds() if row.status == RunStatus.RUNNING and row.started_at else 0.0
    if times.known >= 3 and so_far > max(times.slowest, 1.0):
        return f"It takes longer than each of the last {times.known} did."
    return times.says


def doing_words(row: GateRun) -> str:
    """What a collector does, with its counts in words: "explaining 400 of 1,000 rows", "reading 1.2 million rows"."""
    if row.steps_done is None:
        return row.doing.replace("{} ", "", 1)
    counts = _count(row.steps_done) + (f" of {_count(row.steps_total)}" if row.steps_total is not None else "")
    return row.doing.replace("{}", counts, 1) if "{}" in row.doing else f"{row.doing}, {counts}" if row.doing else ""


def _count(number: int) -> str:
    return f"{number / 1_000_000:.1f} million" if number >= 1_000_000 else f"{number:,}"


def _words(row: GateRun, queue: Queueing, busy: Mapping[str, GateRun]) -> tuple[str, str, datetime | None]:
    if row.status == RunStatus.QUEUED:
        return "queued", _why_queued(row, queue), row.queued_at
    if row.status == RunStatus.RUNNING:
        again = f" (attempt {row.attempt} of {row.max_attempts})" if row.attempt > 1 else ""
        first = busy.get(row.worker)
        if not row.doing and first is not None and not row.heavy:
            words = f"Taken at {_clock(row.started_at)}{again}; the same worker does “{_title(first.collector)}” first."
            return "running", words, row.started_at
        doing = f": {words}" if (words := doing_words(row)) else ""
        return "running", f"Running since {_clock(row.started_at)}{again}{doing}.", row.started_at
    if row.status == RunStatus.ERROR:
        return "error", row.error, row.finished_at
    if row.status == RunStatus.CANCELLED:
        return "cancelled", row.error or "Cancelled: a newer revision or a withdrawal made it unnecessary.", row.finished_at
    if row.not_measured:
        return "not_assessed", row.not_measured, row.finished_at
    if row.not_applicable:
        return "not_applicable", row.not_applicable, row.finished_at
    carried = " Carried over: nothing it looks at has changed." if row.carried_from_id else ""
    took = f"Measured in {row.seconds:.1f} s." if row.seconds is not None else "Measured."
    return "measured", took + carried, row.finished_at


def _why_queued(row: GateRun, queue: Queueing) -> str:
    since = f"Queued since {_clock(row.queued_at)}"
    lane = queue.lanes[_queue(row)]
    if lane.silent:
        return f"{since}, {lane.silent}"
    if row.unknown_since is not None:
        until = row.unknown_since + timedelta(seconds=settings.GATE_UNKNOWN_SECONDS)
        return f"{since}. {unknown_words(row)} Without one it counts as not assessed from {_clock(until)} on."
    if row.error and row.not_before > timezone.now():
        return f"{since}; attempt {row.attempt} failed ({row.error}), tried again at {_clock(row.not_before)}."
    if row.error:
        return f"{since}; attempt {row.attempt} failed ({row.error}), about to be tried again."
    ahead = queue.ahead.get(row.pk, 0)
    before = f"; {ahead:,} other submission{'' if ahead == 1 else 's'} come{'s' if ahead == 1 else ''} first" if ahead else ""
    return f"{since}{before}, waiting for a free worker.{_busy_with(lane)}"


def unknown_words(row: GateRun) -> str:
    """What a person reads when workers are there and none of them has the collector a run was planned with."""
    name, _, edition = row.edition.partition(" ")
    which = f"“{name or row.collector}”" + (f", version {edition}" if edition else "")
    return f"No running worker has the collector {which}; start a worker of the version that has it."


def _busy_with(lane: Lane) -> str:
    """What keeps the workers, without saying of whom: other units' submissions are not named."""
    if not lane.running_now:
        return ""
    named = "; ".join(f"“{_title(name)}” since {_clock(since)}" for name, since in lane.running_now)
    more = lane.running - len(lane.running_now)
    workers = f"{lane.workers} worker{'s' if lane.workers != 1 else ''} seen"
    return f" {workers}; running now: {named}{f' and {more} more' if more > 0 else ''}."


def _clock(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%H:%M:%S") if moment else "just now"


def submission_for(caller: Caller, submission_id: int) -> Submission:
    """The submission, when the caller may see it; else `NotFound`."""
    row = visible(Submission.objects.filter(pk=submission_id), caller).first()
    if row is None:
        raise NotFound(f"There is no submission S-{submission_id}, or it belongs to a business unit you cannot see.")
    return row
