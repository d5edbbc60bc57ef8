"""Loading policy packs from files: content-addressed, never changed, one in force per kind."""

from __future__ import annotations

from pathlib import Path

from django.db.models.functions import Now

from governance.domain.errors import Conflict
from governance.models import PolicyPack
from governance.policy import load_pack
from governance.selectors.access import Caller
from governance.selectors.plugins import pack_problems
from governance.services.work import unit_of_work

PACKS = Path(__file__).resolve().parent.parent / "packs"


def load_pack_file(*, caller: Caller, path: Path) -> tuple[PolicyPack, bool]:
    """Load a pack and put it in force at once. Returns the row and whether it is new.

    Raises `PackError` for an invalid one, and `Conflict` when a plug-in it pins is not the one installed.
    """
    source = path.read_text(encoding="utf-8")
    questionnaire_file = path.parent / "questionnaires" / path.name
    questionnaire = questionnaire_file.read_text(encoding="utf-8") if questionnaire_file.exists() else ""
    pack = load_pack(source, questionnaire or None)
    known = PolicyPack.objects.filter(digest=pack.digest).first()
    if known is not None:
        return known, False
    if problems := pack_problems(pack):
        raise Conflict(" ".join(problems), code="plugin_differs")
    with unit_of_work(caller) as work:
        row = PolicyPack.objects.create(
            name=pack.name,
            kind=pack.kind,
            version=pack.version,
            digest=pack.digest,
            source=source,
            questionnaire=questionnaire,
            active_from=Now(),
        )
        work.note("policy.activated", row, {"pack": pack.name, "version": pack.version, "digest": pack.digest})
    return row, True


def load_shipped_packs(*, caller: Caller) -> list[PolicyPack]:
    """Load every pack shipped with the product."""
    return [load_pack_file(caller=caller, path=path)[0] for path in sorted(PACKS.glob("*.yaml"))]
