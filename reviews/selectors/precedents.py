"""How conflicts about a rule or a gate were decided: shown to the next one who meets it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from governance.domain.decision import ReasonView
from governance.models import ConflictRuling
from governance.selectors.conflicts import precedents_of


def with_precedents(reasons: Iterable[ReasonView], pack: str) -> tuple[ReasonView, ...]:
    """Reasons with the latest precedent of their rule. One query; none where there is no reason."""
    rows = tuple(reasons)
    known: dict[str, ConflictRuling] = {}
    for ruling in precedents_of(pack, {row.rule for row in rows}):
        known.setdefault(ruling.conflict.about, ruling)
    return tuple(
        replace(row, precedent=f"/conflicts/{known[row.rule].conflict_id}", precedent_says=known[row.rule].handling)
        if row.rule in known
        else row
        for row in rows
    )
