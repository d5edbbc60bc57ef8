"""What stands between a queued run and a worker, and how long runs of a collector usually take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max
from django.db.models.functions import Now

from gates.models import WorkerSeen
from governance.selectors.broker import broker_answers

SILENT_AFTER = timedelta(seconds=60)
LAST_RUNS = 10
LANES = ("gates", "gates.heavy")

# Runs that are claimed before this one as long as nothing is overdue: the order of gates/services/claiming.py.
_AHEAD = """
SELECT mine.id, (SELECT count(DISTINCT other.submission_id) FROM gates_gaterun other
    WHERE other.status = 'queued' AND other.heavy = mine.heavy AND other.submission_id <> mine.submission_id
      AND other.not_before <= statement_timestamp()
      AND (other.priority, other.due_at, other.id) < (mine.priority, mine.due_at, mine.id))
FROM gates_gaterun mine WHERE mine.id = ANY(%s)
"""
_NOW = """
SELECT heavy, collector, started_at, count(*) OVER (PARTITION BY heavy) FROM gates_gaterun
WHERE status = 'running' AND lease_until > statement_timestamp() AND submission_id <> %s ORDER BY started_at LIMIT 40
"""
_TIMES = """
SELECT wanted.name, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY last.seconds), max(last.seconds)
FROM unnest(%s::text[]) AS wanted(name), LATERAL (
    SELECT seconds FROM gates_gaterun WHERE collector = wanted.name AND status = 'done' AND carried_from_id IS NULL
        AND seconds IS NOT NULL ORDER BY finished_at DESC LIMIT %s) AS last
GROUP BY wanted.name
"""


@dataclass(frozen=True)
class Lane:
    """One of the two queues: who takes from it, and what of other submissions runs there now."""

    queue: str
    workers: int = 0
    last_seen: datetime | None = None
    silent: str = ""
    running: int = 0
    running_now: tuple[tuple[str, datetime], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            "workers": self.workers,
            "last_seen": self.last_seen.isoformat() if self.last_seen else None,
            "running": self.running,
        }


@dataclass(frozen=True)
class Times:
    """How long the latest runs of a collector took, in seconds. `known`: how many of them there were, ten at most."""

    known: int
    median: float
    slowest: float

    @property
    def says(self) -> str:
        """What to expect, without promising more than is known."""
        if self.known < 3:
            return "Too few runs so far to say how long it takes."
        return f"Usually {_seconds(self.median)}; the slowest of the last {self.known} took {_seconds(self.slowest)}."

    def to_json(self) -> dict[str, Any]:
        return {"known": self.known, "median_seconds": round(self.median, 3), "slowest_seconds": round(self.slowest, 3)}


@dataclass(frozen=True)
class Queueing:
    """Lanes by queue, submissions ahead by run id, run times by collector."""

    lanes: Mapping[str, Lane] = field(default_factory=dict)
    ahead: Mapping[int, int] = field(default_factory=dict)
    times: Mapping[str, Times] = field(default_factory=dict)


def silent_lanes() -> dict[str, Lane]:
    """Both lanes with their workers of the last minute, by the database clock. One query."""
    rows = WorkerSeen.objects.filter(seen_at__gt=Now() - SILENT_AFTER).values("queue")
    seen = {row["queue"]: row for row in rows.annotate(workers=Count("name"), last=Max("seen_at"))}
    since = f"no worker seen for {int(SILENT_AFTER.total_seconds())} s"
    if not seen and not broker_answers():
        since += ", and the broker does not answer"
    elif seen:
        since += " that takes checks of this kind; those there are busy with others"
    words = f"{since}. Nothing is lost: it starts when one is free. If this stays, an administrator runs `manage.py doctor`."
    return {
        queue: Lane(queue, row["workers"], row["last"]) if (row := seen.get(queue)) else Lane(queue, silent=words)
        for queue in LANES
    }


def queueing(submission_id: int, waiting: Iterable[tuple[int, bool]], collectors: Iterable[str]) -> Queueing:
    """Everything about the queue that a page says. `waiting`: id and heaviness of queued runs. Four queries at most.

    Light runs of one submission are taken together, so the place of one of them is the place of all.
    """
    lanes = silent_lanes()
    queued = sorted(waiting)
    times = run_times(collectors)
    if not queued:
        return Queueing(lanes, {}, times)
    light = [run for run, heavy in queued if not heavy]
    asked = [*light[:1], *(run for run, heavy in queued if heavy)]
    with connection.cursor() as cursor:
        cursor.execute(_AHEAD, [asked])
        ahead = dict(cursor.fetchall())
        cursor.execute(_NOW, [submission_id])
        rows = cursor.fetchall()
    ahead |= dict.fromkeys(light, ahead[light[0]]) if light else {}
    for heavy, queue in ((False, "gates"), (True, "gates.heavy")):
        now = [(name, since, total) for is_heavy, name, since, total in rows if is_heavy is heavy]
        lane = lanes[queue]
        lanes[queue] = Lane(
            queue,
            lane.workers,
            lane.last_seen,
            lane.silent,
            now[0][2] if now else 0,
            tuple((name, since) for name, since, _ in now[:3]),
        )
    return Queueing(lanes, ahead, times)


def run_times(collectors: Iterable[str]) -> dict[str, Times]:
    """Median and slowest of the last ten finished runs of each collector, whatever the submission. One query."""
    names = sorted(set(collectors))
    if not names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_TIMES, [names, LAST_RUNS])
        return {name: Times(known, median, slowest) for name, known, median, slowest in cursor.fetchall()}


def _seconds(value: float) -> str:
    if value < 1:
        return "less than a second"
    if value < 90:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min"
