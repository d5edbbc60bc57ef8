"""How conflicts about a rule or a gate were decided: shown to the next one who meets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from governance.domain.decision_track import ReasonView
from governance.models import TrackDecision
from governance.selectors.conflicts import precedents_of


def with_precedents(reasons: Iterable[ReasonView], pack: str, decision: TrackDecision | None = None) -> tuple[ReasonView, ...]:
    """Reasons with the latest precedent of their rule.

    `decision`: as loaded with its precedents, which costs nothing more; without one they are asked for.
    """
    rows = tuple(reasons)
    known: dict[str, tuple[int, str]] = {}
    for told in _told(rows, pack, decision):
        known.setdefault(told["about"], (told["conflict_id"], told["handling"]))
    return tuple(
        replace(row, precedent=f"/conflicts/{known[row.rule][0]}", precedent_says=known[row.rule][1])
        if row.rule in known
        else row
        for row in rows
    )


def _told(rows: Iterable[ReasonView], pack: str, decision: TrackDecision | None) -> Iterable[Mapping[str, Any]]:
    if decision is not None:
        loaded: list[Mapping[str, Any]] = getattr(decision, "precedent_rows", None) or []
        return loaded
    found = precedents_of(pack, {row.rule for row in rows})
    return [{"about": f.conflict.about, "conflict_id": f.conflict_id, "handling": f.handling} for f in found]
