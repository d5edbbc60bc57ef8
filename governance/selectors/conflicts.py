"""Conflicts about rules, and the precedents their decisions became."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from governance.domain.errors import NotFound
from governance.domain.vocabulary import Role
from governance.models import ConflictRuling, RuleConflict
from governance.selectors.access import Caller, visible


def precedents_of(pack: str, about: Collection[str]) -> tuple[ConflictRuling, ...]:
    """Decisions about these rules or gates, the latest first. They hold in every unit; who asked stays in its own."""
    if not about:
        return ()
    rows = ConflictRuling.objects.select_related("conflict").filter(conflict__pack=pack, conflict__about__in=list(about))
    return tuple(rows.order_by("-id")[:50])


def rulings(*, pack: str = "", about: str = "") -> QuerySet[ConflictRuling]:
    """Precedents of a pack or of one rule, the latest first."""
    rows = ConflictRuling.objects.select_related("conflict")
    if pack:
        rows = rows.filter(conflict__pack=pack)
    if about:
        rows = rows.filter(conflict__about=about)
    return rows.order_by("-id")


def told_with(pack: str, reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reasons as JSON, with the latest precedent of their rule. One query; none where there is no reason."""
    known: dict[str, ConflictRuling] = {}
    for ruling in precedents_of(pack, {row["rule"] for row in reasons}):
        known.setdefault(ruling.conflict.about, ruling)
    return [
        {**row, "precedent": f"/conflicts/{known[row['rule']].conflict_id}", "precedent_says": known[row["rule"]].handling}
        if row["rule"] in known
        else row
        for row in reasons
    ]


def conflicts(caller: Caller) -> QuerySet[RuleConflict]:
    """Conflicts the caller may see, the latest first."""
    rows = visible(RuleConflict.objects.select_related("asked_by", "unit", "ruling", "ruling__by", "submission"), caller)
    return rows.order_by("-id")


def find_conflict(caller: Caller, pk: int) -> tuple[RuleConflict, bool]:
    """One conflict, and whether the caller sees more than its decision. Raises `NotFound`, outside its unit while it is open."""
    row = (
        RuleConflict.objects.select_related("asked_by", "unit", "ruling", "ruling__by", "ruling__draft", "submission")
        .filter(pk=pk)
        .first()
    )
    inside = row is not None and (caller.sees_all_units or row.unit_id in caller.units)
    if row is None or not (inside or hasattr(row, "ruling")):
        raise NotFound("There is no such conflict in your business unit.")
    return row, inside


def may_decide(row: RuleConflict, caller: Caller) -> bool:
    """Whether the caller may decide it: a policy author there, who did not open it."""
    person = caller.person
    waits = not hasattr(row, "ruling") and caller.token is None
    return waits and person is not None and person.pk != row.asked_by_id and Role.POLICY_AUTHOR in caller.roles_in(row.unit_id)
