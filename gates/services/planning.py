"""Planning the runs of a revision: creating the rows in the submit transaction *is* the request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from gates import registry
from gates.models import GateRun
from gates.registry import Collector
from gates.services.finishing import SETTLE
from gates.services.inputs import Surroundings, frozen_inputs, input_digest, surroundings
from gates.services.relaying import HEAVY, LIGHT
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Kind, RunStatus, Track
from governance.models import Revision, Submission
from governance.policy import Assessment, Pack
from governance.selectors.plugins import pin_problem
from governance.services.work import Work

# The smaller number goes first. Red has the longest way to go through people's hands.
PRIORITY = {Track.RED: 0, Track.YELLOW: 3, Track.GREEN: 6}
# A run not taken by then is overdue and gets turns of its own, whatever its track (see claiming.py).
TAKEN_WITHIN = {Track.RED: timedelta(minutes=1), Track.YELLOW: timedelta(minutes=5), Track.GREEN: timedelta(minutes=15)}

# Two dozen rows of thirty columns: as one document they cost a quarter of what they cost as parameters of an INSERT.
_INSERT = """
INSERT INTO gates_gaterun (submission_id, revision, priority, due_at, dispatched_at, dispatches, queued_at, not_before,
    finished_at, collector, edition, heavy, inputs, input_digest, status, attempt, max_attempts, started_at, seconds, worker,
    not_measured, not_applicable, error, notes, facts, versions, results_digest, doing, current, carried_from_id)
SELECT %(submission)s, %(revision)s, %(priority)s, statement_timestamp() + make_interval(secs => %(within)s),
    statement_timestamp(), 0, statement_timestamp(), statement_timestamp(),
    CASE WHEN status = 'queued' THEN NULL ELSE statement_timestamp() END, collector, edition, heavy, inputs, input_digest,
    status, attempt, max_attempts, started_at, seconds, worker, not_measured, not_applicable, '', notes, facts, versions,
    results_digest, '', true, carried_from_id
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row (collector text, edition text, heavy boolean, inputs jsonb, input_digest text,
    status text, attempt int, max_attempts int, started_at timestamptz, seconds float8, worker text, not_measured text,
    not_applicable text, notes jsonb, facts jsonb, versions jsonb, results_digest text, carried_from_id bigint)
RETURNING collector, id
"""
_OF_EACH = (
    "collector",
    "edition",
    "heavy",
    "inputs",
    "input_digest",
    "status",
    "attempt",
    "max_attempts",
    "started_at",
    "seconds",
    "worker",
    "not_measured",
    "not_applicable",
    "notes",
    "facts",
    "versions",
    "results_digest",
    "carried_from_id",
)

_COPY_MEASUREMENTS = """
INSERT INTO gates_measurement (run_id, submission_id, metric, "group", value, low, high, n, text, reason, detail)
SELECT new.id, new.submission_id, metric, "group", value, low, high, n, text, reason, detail
FROM gates_measurement old JOIN gates_gaterun new ON new.carried_from_id = old.run_id WHERE new.id = ANY(%s) ORDER BY old.id
"""
_COPY_CHARTS = """
INSERT INTO gates_chart (run_id, submission_id, key, title, description, svg_light, svg_dark, columns, rows)
SELECT new.id, new.submission_id, key, title, description, svg_light, svg_dark, columns, rows
FROM gates_chart old JOIN gates_gaterun new ON new.carried_from_id = old.run_id WHERE new.id = ANY(%s) ORDER BY old.id
"""


def plan_runs(
    work: Work, *, submission: Submission, revision: Revision, pack: Pack, assessment: Assessment, facts: FactSet
) -> list[GateRun]:
    """Create the revision's runs, inside the transaction that submits it (the submission row is locked by the caller).

    One run per collector that a gate of the kind needs on the provisional track or a stricter one, as measurements may raise it.
    What an earlier revision measured on the same inputs is carried over; a missing required file needs no worker to be noticed.
    Unfinished runs of earlier revisions are cancelled. Nothing left to run: the submission settles at once.
    """
    if revision.number > 1:
        cancel_unfinished(work, submission, before=revision.number)
    wanted = needed_collectors(pack, pack.gate_kind, assessment.track)
    around = surroundings(
        submission=submission,
        revision=revision,
        settings=pack.settings,
        facts=facts,
        conditions=pack.document.cel_conditions,
    )
    earlier = _earlier(submission, revision.number)
    runs = [_row(collector, around, submission, revision.number, assessment.track, earlier) for collector in wanted]
    _insert(runs, submission, revision.number, assessment.track)
    _copy_results([run.pk for run in runs if run.carried_from_id is not None])
    work.note(
        "gate_runs.planned",
        submission,
        {
            "revision": revision.number,
            "runs": [
                {
                    "id": run.pk,
                    "collector": run.collector,
                    "input_digest": run.input_digest,
                    "status": str(run.status),
                    "carried_from": run.carried_from_id,
                }
                for run in runs
            ],
        },
    )
    wake(work, submission, runs)
    return runs


def wake(work: Work, submission: Submission, runs: Sequence[GateRun]) -> None:
    """Messages for the queued runs: one for all light ones, one per heavy one. When none is queued the submission settles."""
    queued = [run for run in runs if run.status == RunStatus.QUEUED]
    for run in queued:
        if run.heavy:
            work.enqueue(HEAVY, run.pk, priority=run.priority)
        else:
            work.enqueue(LIGHT, submission.pk, priority=run.priority)
    if not queued:
        work.enqueue(SETTLE, submission.pk)


def needed_collectors(pack: Pack, kind: Kind, track: Track) -> list[Collector]:
    """Collectors that gates for this kind read on this track or a stricter one, and those the rules wait for, by name."""
    known = registry.gates()
    codes = [
        use.gate
        for use in pack.gates
        if use.gate in known
        and kind in known[use.gate].kinds
        and any(each.rank >= track.rank for each in use.tracks)
        and not pin_problem(use.gate, use.plugin, known[use.gate].plugin)
    ]
    names = {*registry.collectors_of(codes), *(name for name in pack.measured if name in registry.collectors())}
    return [registry.collector(name) for name in sorted(names)]


def cancel_unfinished(work: Work, submission: Submission, *, before: int | None = None) -> list[int]:
    """Cancel what is queued or running, of revisions before a number or of all. A running child stops at its next beat."""
    rows = GateRun.objects.filter(submission=submission, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    if before is not None:
        rows = rows.filter(revision__lt=before)
    ids = list(rows.order_by("id").select_for_update().values_list("pk", flat=True))
    if ids:
        GateRun.objects.filter(pk__in=ids).update(status=RunStatus.CANCELLED, finished_at=Now(), lease_until=None)
        work.note("gate_runs.cancelled", submission, {"runs": ids})
    return ids


def _insert(runs: Sequence[GateRun], submission: Submission, revision: int, track: Track) -> None:
    """Write new rows and give each its id. Times are the database's: what is not queued ended now."""
    rows = [{name: getattr(run, name) for name in _OF_EACH} for run in runs]
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "submission": submission.pk,
                "revision": revision,
                "priority": PRIORITY[track],
                "within": TAKEN_WITHIN[track].total_seconds(),
                "rows": json.dumps(rows, default=datetime.isoformat),
            },
        )
        ids = dict(cursor.fetchall())
    for run in runs:
        run.pk = ids[run.collector]


def _row(
    collector: Collector,
    around: Surroundings,
    submission: Submission,
    revision: int,
    track: Track,
    earlier: dict[tuple[str, str], GateRun],
) -> GateRun:
    inputs = frozen_inputs(collector, around)
    if collector.plugin is not None:  # the worker measures with the same files or not at all
        inputs["plugin"] = collector.plugin.to_json()
    run = GateRun(
        submission=submission,
        revision=revision,
        collector=collector.name,
        edition=collector.edition,
        heavy=collector.heavy,
        priority=PRIORITY[track],
        inputs=inputs,
        input_digest=input_digest(collector, inputs, settings=around.settings_with(collector.uses_registers)[1]),
        max_attempts=settings.GATE_MAX_ATTEMPTS,
    )
    same = earlier.get((run.collector, run.input_digest))
    missing = [role for role in collector.requires if role not in inputs["evidence"]]
    if same is not None:
        _carry(run, same)
    elif missing:
        run.status, run.not_measured = RunStatus.DONE, missing_words(missing)
    return run


def missing_words(roles: Iterable[str]) -> str:
    """What a person reads when a required file is not there."""
    names = " and ".join(f"“{role}”" for role in roles)
    return f"No file was handed in as {names}. Add it under Evidence (or with POST /api/v1/evidence) and submit again."


def _carry(run: GateRun, same: GateRun) -> None:
    run.carried_from, run.status = same, RunStatus.DONE
    run.attempt, run.max_attempts = same.attempt, same.max_attempts
    for name in (
        "started_at",
        "seconds",
        "worker",
        "not_measured",
        "not_applicable",
        "notes",
        "facts",
        "versions",
        "results_digest",
    ):
        setattr(run, name, getattr(same, name))


def _earlier(submission: Submission, revision: int) -> dict[tuple[str, str], GateRun]:
    if revision == 1:
        return {}
    rows = (
        GateRun.objects.filter(submission=submission, revision__lt=revision, status=RunStatus.DONE, current=True)
        .defer("inputs")
        .order_by("id")
    )
    return {(run.collector, run.input_digest): run for run in rows}


def _copy_results(ids: list[int]) -> None:
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_COPY_MEASUREMENTS, [ids])
        cursor.execute(_COPY_CHARTS, [ids])
