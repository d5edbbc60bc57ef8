"""Telling people of freezes: who has to rule, whom it stops, and what became of an exception."""

from __future__ import annotations

from governance.domain.vocabulary import Role
from governance.models import FreezeException, FreezeWindow, Unit
from governance.selectors.access import SYSTEM
from governance.selectors.freezes import DECIDERS, in_words
from governance.services.work import unit_of_work
from reviews.selectors.notices import Notice
from reviews.services.telling import holders, tell, tell_unit

STOPPED = (Role.SUBMITTER, Role.PLATFORM_ENGINEER, Role.PRODUCT)


def tell_freeze(freeze_id: int) -> None:
    """Of a proposal: those who rule on it. Of a ruling: who proposed it, and of an approval those whose releases it stops."""
    with unit_of_work(SYSTEM) as work:
        row = FreezeWindow.objects.select_related("ruling", "proposed_by").get(pk=freeze_id)
        ruling = getattr(row, "ruling", None)
        proposer = {row.proposed_by_id: "You proposed it."}
        if ruling is None:
            title, says = f"{row.number} “{row.title}” waits for a second person", row.why
        elif ruling.approve:
            title = f"Nothing new is released from {row.starts_at:%d %B %Y, %H:%M} to {row.ends_at:%d %B %Y, %H:%M} UTC"
            told = in_words(row)
            says = f"{row.title}: {row.why} What cannot wait goes by an exception: {told.passes}"
        else:
            title, says = f"{row.number} “{row.title}” was refused", ruling.why
        seen: set[int] = set()
        for unit_id in [row.unit_id] if row.unit_id is not None else Unit.objects.order_by("pk").values_list("pk", flat=True):
            assert unit_id is not None
            if ruling is None:
                people = {pk: why for pk, why in holders(unit_id, *DECIDERS).items() if pk != row.proposed_by_id}
            else:
                people = proposer | (holders(unit_id, *STOPPED) if ruling.approve else {})
            people = {pk: why for pk, why in people.items() if pk not in seen}
            seen |= set(people)
            if people:
                key = f"freeze:{row.pk}:{'asked' if ruling is None else 'ruled'}"
                tell_unit(work, unit_id, Notice.POLICY, people, key=key, title=title, says=says, path=f"/freezes/{row.pk}")


def tell_exception(exception_id: int) -> None:
    """Of a request: those who may let the case pass. Of a ruling: who asked."""
    with unit_of_work(SYSTEM) as work:
        rows = FreezeException.objects.select_related("freeze", "ruling", "submission__system", "submission__version")
        asked = rows.get(pk=exception_id)
        about, ruling = asked.submission, getattr(asked, "ruling", None)
        name, path = f"{about.system.slug} {about.version.version}", f"/freezes/{asked.freeze_id}"
        if ruling is None:
            role = Role(asked.freeze.pass_role)
            people = {pk: why for pk, why in holders(about.unit_id, role).items() if pk != asked.asked_by_id}
            title = f"May {name} pass {asked.freeze.number}?"
            tell(work, about, Notice.YOUR_TURN, people, key=f"pass:{asked.pk}", title=title, says=asked.why, path=path)
        else:
            became = "may pass" if ruling.approve else "waits for the end of"
            title = f"{name} {became} {asked.freeze.number}"
            mine = {asked.asked_by_id: "You asked for it."}
            tell(work, about, Notice.DECIDED, mine, key=f"passed:{asked.pk}", title=title, says=ruling.why, path=path)
