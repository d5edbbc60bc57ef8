"""Loading policy packs from files: content-addressed, never changed, one in force per kind.

The first pack of a kind comes into force at once; a later one is a draft that needs a second person, like any other change.
"""

from __future__ import annotations

from pathlib import Path

from django.db.models.functions import Now

from governance.models import PolicyDraft, PolicyPack
from governance.policy import load_pack
from governance.selectors.access import Caller
from governance.services.pack_checks import refuse_unfit
from governance.services.policy_drafts import import_draft
from governance.services.work import unit_of_work

PACKS = Path(__file__).resolve().parent.parent / "packs"


def load_pack_file(*, caller: Caller, path: Path) -> tuple[PolicyPack, bool]:
    """Load the first pack of a kind on the server and put it in force at once. Returns the row and whether it is new.

    The database refuses a second one: see `install_pack_file`.
    Raises `PackError` for an invalid one, and `Conflict` when a plug-in it pins is not the one installed, or an
    example of a condition does not come out as written.
    """
    source, questionnaire = _texts(path)
    pack = load_pack(source, questionnaire or None)
    known = PolicyPack.objects.filter(digest=pack.digest).first()
    if known is not None:
        return known, False
    refuse_unfit(pack)
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


def install_pack_file(*, caller: Caller, path: Path) -> PolicyPack | PolicyDraft:
    """The first pack of a kind is put in force; a newer one becomes a draft. Known text gives its version, or its draft."""
    source, questionnaire = _texts(path)
    pack = load_pack(source, questionnaire or None)
    known = PolicyPack.objects.filter(digest=pack.digest).first()
    if known is not None:
        return known
    if not PolicyPack.objects.filter(kind=pack.kind, active_from__isnull=False).exists():
        return load_pack_file(caller=caller, path=path)[0]
    draft = PolicyDraft.objects.filter(name=pack.name, source=source, questionnaire=questionnaire).first()
    return draft or import_draft(
        caller=caller,
        source=source,
        questionnaire=questionnaire,
        why=f"{path.name} holds version {pack.version}, which is not the one in force.",
        origin=path.name,
    )


def load_shipped_packs(*, caller: Caller) -> list[PolicyPack | PolicyDraft]:
    """Install every pack shipped with the product: what an organisation changed is never overwritten by an update."""
    return [install_pack_file(caller=caller, path=path) for path in sorted(PACKS.glob("*.yaml"))]


def _texts(path: Path) -> tuple[str, str]:
    questionnaire = path.parent / "questionnaires" / path.name
    return path.read_text(encoding="utf-8"), questionnaire.read_text(encoding="utf-8") if questionnaire.exists() else ""
