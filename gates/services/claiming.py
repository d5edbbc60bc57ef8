"""Taking runs and keeping them: conditional updates timed by the database clock.

    claim   queued, or running past its lease, and attempts left, and due   ->  running, attempt + 1, lease
    keep    still running under this attempt                                ->  lease renewed

Whoever holds the current attempt may finish the run; an older attempt finds nothing to update and is discarded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

# The one condition under which a run may be taken; used by the claim (twice, so that a concurrent one is seen) and by the relay.
CLAIMABLE = """attempt < max_attempts AND not_before <= statement_timestamp()
    AND (status = 'queued' OR (status = 'running' AND lease_until < statement_timestamp()))"""

# `= ANY(ARRAY(…))` and not `IN (…)`: a join may run the inner query once per row, each time past the rows already locked.
_CLAIM = f"""
UPDATE gates_gaterun SET status = 'running', attempt = attempt + 1, worker = %(worker)s, started_at = statement_timestamp(),
    lease_until = statement_timestamp() + make_interval(secs => %(lease)s)
WHERE {CLAIMABLE} AND id = ANY(ARRAY(
    SELECT id FROM gates_gaterun WHERE {{which}} AND {CLAIMABLE} ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING id, submission_id, revision, collector, attempt, max_attempts, inputs
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


def _claim(which: str, limit: int, worker: str, **values: int) -> list[Claim]:
    parameters: dict[str, Any] = {**values, "limit": limit, "worker": worker[:120], "lease": settings.GATE_LEASE_SECONDS}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(which=which), parameters)
        return [_read(row) for row in sorted(cursor.fetchall())]


def _read(row: Sequence[Any]) -> Claim:
    id_, submission_id, revision, collector, attempt, max_attempts, inputs = row
    # a plain cursor gives JSON as text
    read = json.loads(inputs) if isinstance(inputs, str) else inputs
    return Claim(id_, submission_id, revision, collector, attempt, max_attempts, read)
