"""Past decisions in batches, as a back-test reads them: the columns it needs and how each submission turned out.

Facts are taken out of the stored snapshots once and kept as columns (`FactColumn`), so that the next back-test that reads them is
fast. Memory is bounded by the batch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from governance.domain.vocabulary import Track, strictest
from governance.policy import Pack
from governance.policy.backtesting import Past, reads_under
from governance.policy.envelopes import Envelope

BATCH = 4_000
HITS = ""

_BATCH = """
SELECT s.id, d.id, d.policy_id, to_char(d.at AT TIME ZONE 'UTC', 'IYYY"-W"IW'), d.envelope::text, s.state = 'revoked',
  EXISTS (SELECT 1 FROM reviews_deployment y WHERE y.version_id = s.version_id AND y.environment = s.environment
          AND y.state = 'rolled_back'),
  EXISTS (SELECT 1 FROM reviews_incident i WHERE i.submission_id = s.id)
FROM governance_submission s JOIN LATERAL (
  SELECT id, policy_id, at, final, envelope FROM governance_trackdecision t WHERE t.submission_id = s.id ORDER BY id DESC LIMIT 1
) d ON true
JOIN governance_policypack p ON p.id = d.policy_id
WHERE s.id > %(after)s AND p.name = %(name)s AND d.final AND d.at >= %(since)s
ORDER BY s.id LIMIT %(batch)s
"""
_COUNT = """
SELECT count(*) FROM governance_submission s JOIN LATERAL (
  SELECT policy_id, at, final FROM governance_trackdecision t WHERE t.submission_id = s.id ORDER BY id DESC LIMIT 1
) d ON true JOIN governance_policypack p ON p.id = d.policy_id WHERE p.name = %(name)s AND d.final AND d.at >= %(since)s
"""
_POLICIES = """
SELECT DISTINCT p.id FROM governance_policypack p
WHERE p.name = %(name)s AND EXISTS (SELECT 1 FROM governance_trackdecision t WHERE t.policy_id = p.id)
"""
_READ = "SELECT decision, name, statements FROM governance_factcolumn WHERE decision = ANY(%(ids)s) AND name = ANY(%(names)s)"
_TAKE_OUT = """
INSERT INTO governance_factcolumn (name, decision, statements)
SELECT n.name, d.id, COALESCE((
    SELECT jsonb_agg(jsonb_build_array(f -> 'value', f -> 'assurance', f -> 'low', f -> 'high'))
    FROM jsonb_array_elements(d.facts) f WHERE f ->> 'name' = n.name), '[]'::jsonb)::text
FROM governance_trackdecision d CROSS JOIN unnest(%(names)s::text[]) n(name)
WHERE d.id = ANY(%(ids)s) AND n.name <> ''
UNION ALL
SELECT '', d.id, jsonb_build_array(COALESCE((
    SELECT jsonb_object_agg(r ->> 'rule', r ->> 'track') FROM jsonb_array_elements(d.assessment -> 'reasons') r), '{}'::jsonb),
    d.pending)::text
FROM governance_trackdecision d WHERE d.id = ANY(%(ids)s)
ON CONFLICT (name, decision) DO NOTHING
"""


def policies_judging(name: str) -> list[int]:
    """Ids of the versions of a pack by which something was judged."""
    with connection.cursor() as cursor:
        cursor.execute(_POLICIES, {"name": name})
        return [pk for (pk,) in cursor.fetchall()]


def past_count(name: str, since: datetime | None) -> int:
    """How many submissions a back-test of the pack judges."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"name": name, "since": _since(since)})
        row = cursor.fetchone()
    return int(row[0]) if row is not None else 0


def past_batches(name: str, facts: Collection[str], after_pack: Pack, since: datetime | None = None) -> Iterator[list[Past]]:
    """The last final decision of every submission judged by the pack, oldest first, as `after_pack` is going to judge them."""
    names = [HITS, *sorted(facts)]
    after = 0
    while rows := _rows(_BATCH, {"after": after, "name": name, "since": _since(since), "batch": BATCH}):
        after = rows[-1][0]
        envelopes = {row[1]: Envelope.from_json(json.loads(row[4])) for row in rows if row[4] is not None}
        columns = _columns([row[1] for row in rows if row[1] not in envelopes], names)
        if envelopes:
            more = frozenset().union(*(reads_under(envelope, after_pack) for envelope in envelopes.values()))
            columns |= _columns(list(envelopes), [HITS, *sorted(more | frozenset(facts))])
        yield [_past(row, columns[row[1]], envelopes.get(row[1])) for row in rows]


def _columns(ids: list[int], names: list[str]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {pk: {} for pk in ids}
    for last in (False, True):
        for decision, name, statements in _rows(_READ, {"ids": ids, "names": names}):
            found[decision][name] = statements
        missing = [pk for pk, columns in found.items() if len(columns) < len(names)]
        if not missing or last:
            break
        with connection.cursor() as cursor:
            cursor.execute(_TAKE_OUT, {"ids": missing, "names": names})
    return found


@lru_cache(maxsize=4_096)
def _hits(text: str) -> tuple[dict[str, Track], Track, frozenset[str]]:
    """The hits of a decision, the strictest of them, and what was pending: few different ones, met again and again."""
    hits, pending = json.loads(text)
    tracks = {rule: Track(track) for rule, track in hits.items()}
    return tracks, strictest(*tracks.values()), frozenset(pending)


def _past(row: tuple[Any, ...], columns: Mapping[str, str], envelope: Envelope | None) -> Past:
    submission, decision, policy, week, _, revoked, rolled_back, incident = row
    text = columns.get(HITS, "[{}, []]")
    tracks, track, pending = _hits(text)
    bad = "revoked" if revoked else "an incident" if incident else "rolled back" if rolled_back else ""
    return Past(submission, decision, policy, track, tracks, pending, columns, week, bad, text, envelope)


def _rows(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, dict(values))
        return list(cursor.fetchall())


def _since(since: datetime | None) -> datetime | str:
    return since if since is not None else "-infinity"
