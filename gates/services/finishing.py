"""Handing in results: accepted from the current attempt only; measurements, charts, facts and audit event in one transaction."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models import F
from django.db.models.functions import Now

from gates.collecting import Collected
from gates.models import Chart, GateRun, Measurement
from gates.services.claiming import Claim
from governance.domain.canonical import digest
from governance.domain.errors import Unavailable
from governance.domain.vocabulary import RunStatus
from governance.models import Submission
from governance.selectors.access import SYSTEM
from governance.services.work import Work, unit_of_work

log = logging.getLogger(__name__)

SETTLE = "reviews.settle"
PATIENCE = 60.0  # seconds a finished measurement waits for a database that is away


@dataclass(frozen=True)
class Result:
    """What one attempt brought: `collected`, or `failure` (a sentence for people; counts as a failed attempt).

    `pictures`: chart key -> (light SVG, dark SVG). `log` holds technical detail that may quote the file; it is not shown.
    """

    claim: Claim
    collected: Collected | None = None
    failure: str = ""
    log: str = ""
    pictures: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    seconds: float | None = None
    versions: Mapping[str, Any] = field(default_factory=dict)


def finish(results: Sequence[Result]) -> list[int]:
    """Store results of runs of one submission. Returns the ids accepted; those of an older attempt are discarded.

    Waits out a database that is away for a while: minutes of measuring must not be lost to a restart of PostgreSQL. A result
    that the database refuses becomes a failed attempt and does not touch its neighbours.
    """
    try:
        return _patiently(lambda: _finish(results))
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError as exc:
        if len(results) > 1:
            return [accepted for result in results for accepted in finish([result])]
        if results[0].collected is None:
            raise
        log.exception("run %s: the result cannot be stored", results[0].claim.id)
        return finish([Result(results[0].claim, failure="The result could not be stored.", log=str(exc))])


def stop_exhausted() -> list[int]:
    """End runs whose last attempt vanished with its worker: nobody may take them again, so they are errors. Returns their ids."""
    spent = GateRun.objects.filter(status=RunStatus.RUNNING, lease_until__lt=Now(), attempt__gte=F("max_attempts"))
    stopped = []
    for run in spent.order_by("id")[:500]:
        claim = Claim(run.pk, run.submission_id, run.revision, run.collector, run.attempt, run.max_attempts, {})
        where = run.worker or "an unknown host"
        why = f"The worker stopped without a result in each of {run.max_attempts} attempts, the last time on {where}."
        stopped += finish([Result(claim, failure=why)])
    return stopped


def finished(submission_id: int, revision: int) -> bool:
    """Whether no run of that revision is queued or running."""
    return not GateRun.objects.filter(
        submission_id=submission_id, revision=revision, status__in=[RunStatus.QUEUED, RunStatus.RUNNING]
    ).exists()


def _finish(results: Sequence[Result]) -> list[int]:
    accepted: list[int] = []
    first = results[0].claim
    with unit_of_work(SYSTEM) as work:
        # submission before run, as everywhere: two finishing workers and a withdrawal then never wait for each other in a circle
        submission = (
            Submission.objects.select_for_update(of=("self",), no_key=True)
            .only("unit_id", "revision")
            .get(pk=first.submission_id)
        )
        measurements: list[Measurement] = []
        charts: list[Chart] = []
        changes = [(result, *_change(result)) for result in sorted(results, key=lambda each: each.claim.id)]
        held = _store([{"id": r.claim.id, "attempt": r.claim.attempt, **change} for r, change, _ in changes])
        for result, _, event in changes:
            if result.claim.id not in held:
                log.info(
                    "run %s: result of attempt %s discarded, it is no longer the current one",
                    result.claim.id,
                    result.claim.attempt,
                )
                continue
            accepted.append(result.claim.id)
            if event["status"] == RunStatus.DONE and result.collected is not None:
                measurements += _measurements(result.claim, result.collected)
                charts += _charts(result)
            _note(work, result.claim, submission.unit_id, event)
        Measurement.objects.bulk_create(measurements, batch_size=2_000)
        Chart.objects.bulk_create(charts)
        if accepted and first.revision == submission.revision and finished(first.submission_id, first.revision):
            work.enqueue(SETTLE, first.submission_id)
    return accepted


# Locked in the order of their ids, as `keep` does: two statements never wait for each other in a circle. Null leaves as it was.
_STORE = """
UPDATE gates_gaterun SET status = new.status, error = new.error, seconds = new.seconds, versions = new.versions,
    lease_until = NULL,
    finished_at = CASE WHEN new.delay IS NULL THEN statement_timestamp() ELSE finished_at END,
    dispatched_at = CASE WHEN new.delay IS NULL THEN dispatched_at END,
    not_before = COALESCE(statement_timestamp() + make_interval(secs => new.delay), not_before),
    not_measured = COALESCE(new.not_measured, gates_gaterun.not_measured),
    not_applicable = COALESCE(new.not_applicable, gates_gaterun.not_applicable),
    notes = COALESCE(new.notes, gates_gaterun.notes), facts = COALESCE(new.facts, gates_gaterun.facts),
    results_digest = COALESCE(new.results_digest, gates_gaterun.results_digest)
FROM jsonb_to_recordset(%(rows)s::jsonb) AS new(id bigint, attempt int, status text, error text, seconds float8, versions jsonb,
        delay float8, not_measured text, not_applicable text, notes jsonb, facts jsonb, results_digest text),
    (SELECT id FROM gates_gaterun WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE) AS held
WHERE gates_gaterun.id = new.id AND held.id = new.id AND gates_gaterun.attempt = new.attempt AND gates_gaterun.status = 'running'
RETURNING gates_gaterun.id
"""


def _store(rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Write what became of runs, each if it is still running under that attempt: one statement. Returns the ids that were."""
    with connection.cursor() as cursor:
        cursor.execute(_STORE, {"rows": json.dumps(rows), "ids": [row["id"] for row in rows]})
        return {row[0] for row in cursor.fetchall()}


def _change(result: Result) -> tuple[dict[str, Any], dict[str, Any]]:
    """The new column values of a run (`delay`: seconds until it is tried again) and what its audit event says."""
    claim, collected = result.claim, result.collected
    failure = result.failure or (_unfit(result) if collected is not None else "The collector gave no result.")
    common: dict[str, Any] = {"seconds": result.seconds, "versions": dict(result.versions)}
    event: dict[str, Any] = {"collector": claim.collector, "revision": claim.revision, "attempt": claim.attempt}
    if failure:
        if result.log:
            log.warning("run %s (%s), attempt %s: %s", claim.id, claim.collector, claim.attempt, result.log)
        if claim.attempt < claim.max_attempts:
            delay = settings.GATE_RETRY_SECONDS * 2 ** (claim.attempt - 1)
            again = {"status": RunStatus.QUEUED, "error": failure, "delay": delay}
            return {**common, **again}, {**event, "status": RunStatus.QUEUED.value, "failure": True}
        text = f"{failure} Attempt {claim.attempt} of {claim.max_attempts}; it is not tried again by itself."
        return {**common, "status": RunStatus.ERROR, "error": text}, {
            **event,
            "status": RunStatus.ERROR.value,
            "failure": True,
        }
    assert collected is not None
    found = digest(_canonical(collected))
    done = {
        "status": RunStatus.DONE,
        "error": "",
        "not_measured": collected.not_measured,
        "not_applicable": collected.not_applicable,
        "notes": list(collected.notes),
        "facts": [asdict(fact) for fact in collected.facts],
        "results_digest": found,
    }
    said = {"results_digest": found, "measures": len(collected.measures), "not_measured": bool(collected.not_measured)}
    return {**common, **done}, {**event, "status": RunStatus.DONE.value, **said}


def _unfit(result: Result) -> str:
    """Why a result cannot be stored, or "": the same number twice, names too long for a row, a number JSON cannot carry."""
    collected = result.collected
    assert collected is not None
    names = [(row.metric, row.group) for row in collected.measures]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        return f"The collector measured {' '.join(twice).strip()} twice."
    if any(len(row.metric) > 120 or len(row.group) > 300 for row in collected.measures):
        return "A measurement has a metric name over 120 characters or a group over 300."
    keys = [picture.key for picture in collected.pictures]
    if len(set(keys)) != len(keys):
        return "The collector drew two charts under one key."
    try:
        digest(_canonical(collected))
    except ValueError as exc:
        return f"The result holds what JSON cannot carry: {exc}."
    return ""


def _canonical(collected: Collected) -> dict[str, Any]:
    """What the results digest covers: every number and sentence; pictures are drawn from them."""
    return {
        "measures": [_plain(asdict(row)) for row in collected.measures],
        "facts": [_plain(asdict(fact)) for fact in collected.facts],
        "notes": list(collected.notes),
        "not_measured": collected.not_measured,
        "not_applicable": collected.not_applicable,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _measurements(claim: Claim, collected: Collected) -> list[Measurement]:
    return [Measurement(run_id=claim.id, submission_id=claim.submission_id, **_plain(asdict(row))) for row in collected.measures]


def _charts(result: Result) -> Iterable[Chart]:
    assert result.collected is not None
    for picture in result.collected.pictures:
        light, dark = result.pictures.get(picture.key, ("", ""))
        yield Chart(
            run_id=result.claim.id,
            submission_id=result.claim.submission_id,
            key=picture.key[:120],
            title=picture.title[:200],
            description=picture.description,
            svg_light=light,
            svg_dark=dark,
            columns=list(picture.columns),
            rows=[list(cells) for cells in picture.rows],
        )


def _note(work: Work, claim: Claim, unit_id: int, event: dict[str, Any]) -> None:
    action = "gate_run.failed" if event["status"] == RunStatus.QUEUED.value else "gate_run.finished"
    work.note(action, f"gaterun:{claim.id}", {"submission": claim.submission_id, **event}, unit=unit_id)


def _patiently(write: Callable[[], list[int]]) -> list[int]:
    """Repeat a write while the database is away. Repeating is harmless: what was committed finds nothing left to update."""
    until, pause = time.monotonic() + PATIENCE, 0.25
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError, Unavailable):
            if time.monotonic() > until:
                raise
            log.warning("the database is away; trying again in %.1f s", pause)
            connection.close()
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
