"""Runs whose collector no running worker has: said while they wait, ended as not assessed when none has come for long.

That happens while web servers and workers run different versions, or a plug-in is installed for one of them only. Counted is only
while some worker is there on the run's queue and says which collectors it has: with none at all the pages say that none is seen,
and the run waits. Runs of an older Guiderail may be finished by its workers while they last, and the other way round.
"""

from __future__ import annotations

import itertools

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from gates.models import GateRun
from gates.selectors.queueing import SILENT_AFTER
from gates.selectors.runs import unknown_words
from gates.services.finishing import SETTLE, finished
from governance.domain.vocabulary import RunStatus
from governance.models import Submission
from governance.selectors.access import SYSTEM
from governance.services.work import unit_of_work

# Each row only when its mark changes; a run somebody measures at the moment is known.
_MARK = """
WITH alive AS MATERIALIZED (
    SELECT queue, knows FROM gates_workerseen
    WHERE seen_at > statement_timestamp() - make_interval(secs => %(silent)s) AND knows <> '[]'::jsonb),
waiting AS (
    SELECT edition, collector, heavy, array_agg(id) AS ids FROM gates_gaterun
    WHERE status = 'queued' OR (status = 'running' AND lease_until < statement_timestamp())
    GROUP BY edition, collector, heavy),
judged AS (
    SELECT unnest(ids) AS id, EXISTS (SELECT 1 FROM alive WHERE queue = lane) AND NOT EXISTS (
        SELECT 1 FROM alive WHERE queue = lane AND CASE WHEN edition <> '' THEN jsonb_exists(knows, edition)
            ELSE EXISTS (SELECT 1 FROM jsonb_array_elements_text(knows) AS has WHERE split_part(has, ' ', 1) = collector) END
        ) AS unknown
    FROM waiting, LATERAL (SELECT CASE WHEN heavy THEN 'gates.heavy' ELSE 'gates' END AS lane) AS of)
UPDATE gates_gaterun SET unknown_since = CASE WHEN judged.unknown THEN statement_timestamp() END
FROM (SELECT run.id, judged.unknown FROM gates_gaterun run JOIN judged ON judged.id = run.id
      WHERE judged.unknown <> (run.unknown_since IS NOT NULL) ORDER BY run.id FOR UPDATE OF run SKIP LOCKED) AS judged
WHERE gates_gaterun.id = judged.id
    AND (status = 'queued' OR (status = 'running' AND lease_until < statement_timestamp()))
RETURNING gates_gaterun.unknown_since
"""


def mark_unknown() -> int:
    """Mark waiting runs that no worker seen lately knows, and take the mark from those that one knows again.

    Returns how many were marked now.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK, {"silent": SILENT_AFTER.total_seconds()})
        return sum(since is not None for (since,) in cursor.fetchall())


def end_unknown() -> list[int]:
    """End what was marked for `GATE_UNKNOWN_SECONDS`: an error whose gates are not assessed, without an attempt spent.

    It can be run again once such a worker is there. Returns the ids.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT submission_id, id FROM gates_gaterun WHERE status IN ('queued', 'running') "
            "AND unknown_since < statement_timestamp() - make_interval(secs => %s) ORDER BY submission_id, id LIMIT 500",
            [settings.GATE_UNKNOWN_SECONDS],
        )
        due = cursor.fetchall()
    ended: list[int] = []
    for submission_id, rows in itertools.groupby(due, key=lambda row: row[0]):
        ended += _end(submission_id, [run for _, run in rows])
    return ended


def _end(submission_id: int, ids: list[int]) -> list[int]:
    ended = []
    with unit_of_work(SYSTEM) as work:
        # submission before run, as everywhere
        submission = Submission.objects.select_for_update(of=("self",), no_key=True).get(pk=submission_id)
        # taken, cancelled or known again meanwhile: not ours any more
        idle = Q(status=RunStatus.QUEUED) | Q(status=RunStatus.RUNNING, lease_until__lt=Now())
        waiting = GateRun.objects.filter(idle, pk__in=ids, unknown_since__isnull=False)
        for run in waiting.order_by("id").select_for_update():
            said = f"{unknown_words(run)} None came within {_words(settings.GATE_UNKNOWN_SECONDS)}; it can be run again then."
            GateRun.objects.filter(pk=run.pk).update(
                status=RunStatus.ERROR, error=said, finished_at=Now(), lease_until=None, doing=""
            )
            about = {"submission": submission_id, "collector": run.collector, "revision": run.revision, "edition": run.edition}
            event = {**about, "attempt": run.attempt, "status": RunStatus.ERROR.value, "unknown": True}
            work.note("gate_run.finished", f"gaterun:{run.pk}", event, unit=submission.unit_id)
            ended.append(run.pk)
        if ended and finished(submission_id, submission.revision):
            work.enqueue(SETTLE, submission_id)
    return ended


def _words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"
