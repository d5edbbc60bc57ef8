"""Packs in force, compiled once per process: a pack is content-addressed, so its digest is a safe cache key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.db.models.functions import Now

from governance.domain.errors import Conflict, FieldError, InvalidInput
from governance.domain.vocabulary import Kind
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


@dataclass(frozen=True)
class InstalledKind:
    """A kind people can hand in: a pack for it is in force. `judged_like`: the kind whose gates judge it."""

    kind: Kind
    title: str
    judged_like: Kind


def installed_kinds() -> list[InstalledKind]:
    """The kinds whose packs are in force: those shipped first, then the others by name. One query, plus one a new pack."""
    rows = (
        PolicyPack.objects.defer("source", "questionnaire")
        .filter(active_from__lte=Now())
        .order_by("kind", "-active_from", "-id")
        .distinct("kind")
    )
    shipped = [Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE]
    found = [InstalledKind(pack.kind, pack.title, pack.gate_kind) for pack in map(pack_of, rows)]
    return sorted(found, key=lambda each: (shipped.index(each.kind) if each.kind in shipped else len(shipped), each.kind))


def require_kind(kind: str) -> None:
    """Refuse to take in a kind that no pack in force judges, naming those there are. Raises `InvalidInput`, at /kind."""
    there = [each.kind.value for each in installed_kinds()]
    if there and kind not in there:
        says = f"Expected one of {', '.join(there)}. A further kind comes with its policy pack (`manage.py policy load`)."
        raise InvalidInput(f"No policy pack is in force for {kind}. {says}", errors=(FieldError("/kind", "no_policy", says),))


def pack_of(row: PolicyPack) -> Pack:
    """The compiled pack of a stored row."""
    return _compiled(row.pk, row.digest)


@lru_cache(maxsize=32)
def _compiled(pk: int, digest: str) -> Pack:
    source, questionnaire = PolicyPack.objects.values_list("source", "questionnaire").get(pk=pk, digest=digest)
    return load_pack(source, questionnaire or None)
