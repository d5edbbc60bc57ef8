"""What there is around a system in an environment, asked in one statement, so that only what exists is read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from governance.domain.vocabulary import State
from governance.prefill.register_entries import RegisterEntries, SourceRow
from governance.selectors.builds import DECISIONS
from governance.selectors.champions import MEMORY, WAS_APPROVED


@dataclass(frozen=True)
class Registers:
    """What the organisation has approved, as derivations need it."""

    sources: frozenset[str]
    features: frozenset[str]
    approvals: dict[str, str]
    entries: RegisterEntries = field(default_factory=RegisterEntries)


@dataclass(frozen=True)
class Seen:
    """`in_force`: there is a champion; `green_chain`: versions were approved; `was_there`: or at least revoked;
    `same_build`: this build was judged lately; `frozen`: some freeze holds in the unit and environment now."""

    in_force: bool
    green_chain: bool
    was_there: bool
    same_build: bool
    registers: Registers
    frozen: bool = False


_SEEN = f"""
SELECT
  (SELECT array_agg(DISTINCT s.state) FROM governance_submission s WHERE s.system_id = %(system)s
   AND s.environment = %(environment)s AND s.state = ANY(%(past)s) AND s.id IS DISTINCT FROM %(before)s),
  EXISTS (SELECT 1 FROM governance_submission s WHERE s.id = %(before)s AND s.state = ANY(%(approved)s)),
  EXISTS (SELECT 1 FROM ({DECISIONS}) found WHERE unit_id = %(unit)s AND at > statement_timestamp() - %(memory)s),
  (SELECT json_agg(json_build_array(name, CASE WHEN is_feature_store THEN features END, approved, quality_rule, region,
     access_class, holds_personal_data))::text FROM governance_datasource WHERE unit_id = %(unit)s),
  (SELECT json_agg(json_build_array(reference, sources))::text
   FROM governance_dataapproval WHERE unit_id = %(unit)s AND expires_on >= %(today)s),
  (SELECT json_agg(json_build_array(register, name, values))::text FROM governance_registerentry WHERE unit_id = %(unit)s),
  EXISTS (SELECT 1 FROM governance_freezewindow f JOIN governance_freezeruling r ON r.freeze_id = f.id AND r.approve
   WHERE (f.unit_id IS NULL OR f.unit_id = %(unit)s) AND f.environment IN ('', %(environment)s)
   AND f.starts_at <= statement_timestamp() AND f.ends_at > statement_timestamp())
"""


def seen_around(*, unit_id: int, system_id: int | None, environment: str, version_id: int | None = None, before: int = 0) -> Seen:
    """Ask. `before`: the submission all this is around. One query."""
    wanted: dict[str, Any] = {
        "unit": unit_id,
        "system": system_id,
        "environment": environment,
        "version": version_id,
        "before": before,
        "past": [state.value for state in (*WAS_APPROVED, State.REVOKED)],
        "approved": [state.value for state in WAS_APPROVED],
        "memory": MEMORY,
        "today": timezone.now().date(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, wanted)
        states, itself, same_build, sources, approvals, entries, frozen = cursor.fetchone()
    past = frozenset(states or ())
    held = json.loads(sources or "[]")
    approved = [row for row in held if row[2]]
    registers = Registers(
        frozenset(row[0] for row in approved),
        frozenset(feature for row in approved for feature in row[1] or ()),
        {source: reference for reference, names in json.loads(approvals or "[]") for source in names},
        _entries(held, json.loads(entries or "[]"), str(wanted["today"])),
    )
    chain = itself or bool(past & {*WAS_APPROVED})
    return Seen(State.APPROVED in past, chain, bool(past), same_build, registers, frozen)


def _entries(sources: list[list[Any]], others: list[list[Any]], today: str) -> RegisterEntries:
    found: dict[str, dict[str, Any]] = {"architectures": {}, "vendors": {}, "regions": {}}
    for register, name, values in others:
        found.setdefault(register, {})[name] = values
    return RegisterEntries(
        {name: SourceRow(*more) for name, _, _, *more in sources},
        found["architectures"],
        found["vendors"],
        found["regions"],
        today,
    )
