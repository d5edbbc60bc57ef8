"""Taking runs and keeping them: conditional updates timed by the database clock.

    claim   queued, or running past its lease, and attempts left, and due   ->  running, attempt + 1, lease
    keep    still running under this attempt                                ->  lease renewed

Whoever holds the current attempt may finish the run; an older attempt finds nothing to update and is discarded.

A worker takes only what it knows: runs planned with a collector of a name, version and plug-in that it has itself. So while two
versions of Guiderail run side by side no attempt is spent by the one that cannot measure it (`unknown.py` says what then becomes
of a run that nobody knows).

Which run comes next is decided here, when a worker is free, and not by the order of messages: red before yellow before green,
within a track by when the run was due. Every fourth claim of a process goes to what is longest overdue, whatever its track: so
no flood of green keeps a red one waiting, and no flood of red keeps a green one waiting for ever.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from gates import registry
from gates.collecting import Doing

# The one condition under which a run may be taken; used by the claim (twice, so that a concurrent one is seen) and by the relay.
CLAIMABLE = """attempt < max_attempts AND not_before <= statement_timestamp()
    AND (status = 'queued' OR (status = 'running' AND lease_until < statement_timestamp()))"""

# What this worker can measure. Runs from before editions were kept go by the collector's name.
_KNOWN = "(edition = ANY(%(editions)s) OR (edition = '' AND collector = ANY(%(names)s)))"

# The order of turns. Selectors count with the first one how many runs are ahead.
BY_TRACK = "priority, due_at, id"
_BY_DUE = """(CASE WHEN due_at <= statement_timestamp() THEN due_at ELSE 'infinity' END), priority, due_at, id"""
_turns = itertools.count(1)
OVERDUE_EVERY = 4

# `= ANY(ARRAY(…))` and not `IN (…)`: a join may run the inner query once per row, each time past the rows already locked.
_CLAIM = f"""
UPDATE gates_gaterun SET status = 'running', attempt = attempt + 1, worker = %(worker)s, started_at = statement_timestamp(),
    doing = '', steps_done = NULL, steps_total = NULL,
    lease_until = statement_timestamp() + make_interval(secs => %(lease)s), unknown_since = NULL
WHERE {CLAIMABLE} AND id = ANY(ARRAY(
    SELECT id FROM gates_gaterun WHERE {{which}} AND {CLAIMABLE} AND {_KNOWN} ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING id, submission_id, revision, collector, attempt, max_attempts, inputs
"""

# The best light run, and with it what its submission has to measure in the same child. One on its last attempt goes alone.
_WITH_IT = """submission_id = (SELECT submission_id FROM best) AND NOT heavy AND
    CASE WHEN (SELECT last FROM best) THEN id = (SELECT id FROM best) ELSE attempt < max_attempts - 1 END"""
_NEXT = f"""
WITH best AS (SELECT id, submission_id, attempt >= max_attempts - 1 AS last FROM gates_gaterun
    WHERE status IN ('queued', 'running') AND {{lane}} AND {CLAIMABLE} AND {_KNOWN}
    ORDER BY {{order}} LIMIT 1 FOR UPDATE SKIP LOCKED)
""" + _CLAIM.lstrip()
_ROOM = """(SELECT count(*) FROM gates_gaterun held WHERE held.heavy AND held.status = 'running' AND held.worker = %(worker)s
    AND held.lease_until > statement_timestamp()) < %(most)s"""

_DOING = """
UPDATE gates_gaterun SET doing = %s, steps_done = %s, steps_total = %s WHERE id = %s AND attempt = %s AND status = 'running'
"""

_KEEP = """
UPDATE gates_gaterun SET lease_until = statement_timestamp() + make_interval(secs => %(lease)s)
FROM (SELECT run.id FROM gates_gaterun run JOIN unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS mine(id, attempt)
      ON run.id = mine.id AND run.attempt = mine.attempt AND run.status = 'running' ORDER BY run.id FOR UPDATE OF run) AS held
WHERE gates_gaterun.id = held.id
RETURNING gates_gaterun.id
"""


@dataclass(frozen=True)
class Claim:
    """One run this process holds under one attempt."""

    id: int
    submission_id: int
    revision: int
    collector: str
    attempt: int
    max_attempts: int
    inputs: dict[str, Any]


def claim_light(submission_id: int, *, worker: str) -> list[Claim]:
    """Take every light run of a submission that is due.

    A run on its last attempt is taken alone: should it take the worker down with it, no neighbour loses its own last attempt.
    """
    which = "submission_id = %(submission)s AND NOT heavy"
    together = _claim(f"{which} AND attempt < max_attempts - 1", 1_000, worker, submission=submission_id)
    return together or _claim(which, 1, worker, submission=submission_id)


def claim_heavy(run_id: int, *, worker: str) -> list[Claim]:
    """Take one heavy run if it is due: a list of one, or nothing."""
    return _claim("id = %(run)s AND heavy", 1, worker, run=run_id)


def claim_next_light(*, worker: str) -> list[Claim]:
    """Take the light run whose turn it is, with every other light run of its submission that is due. Nothing when none is."""
    return _claim_next(_WITH_IT, "NOT heavy", 1_000, worker)


def claim_next_heavy(*, worker: str, most: int | None = None) -> list[Claim]:
    """Take the heavy run whose turn it is: a list of one, or nothing.

    `most`: how many heavy ones a worker may hold at a time, so that slots remain for light ones; None for as many as it likes.
    """
    chosen = "id = (SELECT id FROM best)"
    if most is None:
        return _claim_next(chosen, "heavy", 1, worker)
    with transaction.atomic(), connection.cursor() as cursor:
        # two slots of one worker count one after the other; the count has to be a statement of its own to see the other's claim
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('heavy runs of ' || %s, 0))", [worker[:120]])
        return _claim_next(chosen, f"heavy AND {_ROOM}", 1, worker, most=most)


def note_doing(claim: Claim, doing: Doing) -> bool:
    """Write down what a running collector is doing. False when the run is not held any more: cancelled, or taken over."""
    with connection.cursor() as cursor:
        cursor.execute(_DOING, [doing.says[:200], doing.done, doing.total, claim.id, claim.attempt])
        return bool(cursor.rowcount == 1)


def keep(claims: Iterable[Claim]) -> set[int]:
    """Renew the leases. Returns the ids still held; results of the others will be discarded."""
    held = sorted(claims, key=lambda claim: claim.id)
    values: dict[str, Any] = {
        "ids": [c.id for c in held],
        "attempts": [c.attempt for c in held],
        "lease": settings.GATE_LEASE_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, values)
        return {row[0] for row in cursor.fetchall()}


def _claim_next(which: str, lane: str, limit: int, worker: str, **values: int) -> list[Claim]:
    order = _BY_DUE if next(_turns) % OVERDUE_EVERY == 0 else BY_TRACK
    return _run(_NEXT.format(which=which, lane=lane, order=order), limit, worker, values)


def _claim(which: str, limit: int, worker: str, **values: int) -> list[Claim]:
    return _run(_CLAIM.format(which=which), limit, worker, values)


def _run(statement: str, limit: int, worker: str, values: dict[str, int]) -> list[Claim]:
    parameters: dict[str, Any] = {
        **values,
        "limit": limit,
        "worker": worker[:120],
        "lease": settings.GATE_LEASE_SECONDS,
        "editions": list(registry.editions()),
        "names": list(registry.collectors()),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [_read(row) for row in sorted(cursor.fetchall())]


def _read(row: Sequence[Any]) -> Claim:
    id_, submission_id, revision, collector, attempt, max_attempts, inputs = row
    # a plain cursor gives JSON as text
    read = json.loads(inputs) if isinstance(inputs, str) else inputs
    return Claim(id_, submission_id, revision, collector, attempt, max_attempts, read)
