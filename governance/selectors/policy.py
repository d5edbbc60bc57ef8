"""Packs in force, compiled once per process: a pack is content-addressed, so its digest is a safe cache key."""

from __future__ import annotations

from functools import lru_cache

from django.db.models.functions import Now

from governance.domain.errors import Conflict
from governance.models import PolicyPack
from governance.policy import Pack, load_pack


def pack_in_force(kind: str) -> tuple[PolicyPack, Pack]:
    """The newest pack of that kind whose effective date has come. Raises `Conflict` when none is loaded."""
    row = (
        PolicyPack.objects.defer("source", "questionnaire")
        .filter(kind=kind, active_from__lte=Now())
        .order_by("-active_from", "-id")
        .first()
    )
    if row is None:
        raise Conflict(
            f"No policy pack is in force for {kind}. An administrator loads one with `manage.py policy load`.", code="no_policy"
        )
    return row, pack_of(row)


def pack_of(row: PolicyPack) -> Pack:
    """The compiled pack of a stored row."""
    return _compiled(row.pk, row.digest)


@lru_cache(maxsize=32)
def _compiled(pk: int, digest: str) -> Pack:
    source, questionnaire = PolicyPack.objects.values_list("source", "questionnaire").get(pk=pk, digest=digest)
    return load_pack(source, questionnaire or None)
