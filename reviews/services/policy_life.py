"""A draft becomes a version: proposed by its author, ruled on by a risk officer who did not write it, in force from a day on."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from governance.domain.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    InvalidInput,
    ReauthenticationNeeded,
    SegregationOfDuties,
)
from governance.domain.freshness import fresh
from governance.domain.vocabulary import Role
from governance.models import PolicyDraft, PolicyPack, PolicyRuling, Unit
from governance.selectors.access import Caller
from governance.selectors.policy_drafts import draft_view
from governance.services.pack_checks import refuse_unfit
from governance.services.policy_drafts import locked_draft, require_author
from governance.services.work import Work, unit_of_work
from reviews.selectors.notices import Notice
from reviews.services.fences import fences
from reviews.services.telling import holders, tell_unit

STRICTER_TASK = "reviews.keep_stricter"


def propose(*, caller: Caller, draft_id: int) -> PolicyPack:
    """Freeze a draft as a version that waits for its ruling. Raises `Conflict` that says what is still missing."""
    require_author(caller)
    with fences(), unit_of_work(caller) as work:
        draft = locked_draft(draft_id)
        if draft.state != PolicyDraft.OPEN:
            raise Conflict("This draft does not wait to be proposed.", code="frozen")
        view = draft_view(draft_id)
        if view.missing:
            raise Conflict(view.missing[0], code="not_ready")
        assert view.pack is not None
        pack = view.pack
        refuse_unfit(pack)
        if PolicyPack.objects.filter(name=pack.name, version=pack.version).exclude(digest=pack.digest).exists():
            raise Conflict(f"There is a version {pack.version} already. Raise “version” in the text.", code="version_taken")
        row = PolicyPack.objects.filter(digest=pack.digest).first() or PolicyPack.objects.create(
            name=pack.name,
            kind=pack.kind,
            version=pack.version,
            digest=pack.digest,
            source=draft.source,
            questionnaire=draft.questionnaire,
        )
        if row.active_from is not None:
            raise Conflict(f"Exactly this text is version {row.version} already.", code="known")
        draft.state, draft.pack = PolicyDraft.PROPOSED, row
        draft.save(update_fields=["state", "pack"])
        work.note("policy.proposed", row, {"pack": row.name, "version": row.version, "digest": row.digest, "draft": draft.pk})
        _tell(work, draft, row, "waits for a second person", "Read what it changes and what it would have changed.")
    return row


def ruling_refusal(draft: PolicyDraft, caller: Caller) -> DomainError | None:
    """Why this caller may not rule on a proposed version; None when they may."""
    if draft.state != PolicyDraft.PROPOSED:
        return Conflict("This version does not wait for a ruling.", code="not_proposed")
    person = caller.person
    if person is None or caller.token is not None:
        return Forbidden("Policy is ruled on by people. Sign in.", code="person_needed")
    if Role.RISK_OFFICER not in caller.roles.get(None, frozenset()):
        return Forbidden("Only a risk officer of all units rules on a policy.", code="role_needed")
    if person.pk in draft.hands:
        return SegregationOfDuties("You wrote this version, so somebody else approves it.")
    return None


def rule(
    *, caller: Caller, draft_id: int, approve: bool, why: str, proved_at: datetime | None, active_from: datetime | None = None
) -> PolicyRuling:
    """Approve a proposed version from a time on (None: now), or return it to its author, with why.

    Raises `Forbidden`, `SegregationOfDuties`, `ReauthenticationNeeded`, `InvalidInput`, `Conflict`.
    """
    with fences(), unit_of_work(caller) as work:
        draft = locked_draft(draft_id)
        if (refused := ruling_refusal(draft, caller)) is not None:
            raise refused
        if not fresh(proved_at, timezone.now()):
            raise ReauthenticationNeeded("A ruling on a policy needs a fresh sign-in. Confirm it is you, then send it again.")
        if not why.strip():
            raise InvalidInput(
                "Say why.", errors=(FieldError("/why", "missing", "What you looked at and why it is right, or what is not."),)
            )
        starts = max(active_from, timezone.now()) if active_from is not None else timezone.now()
        if approve and starts > timezone.now() + timedelta(days=366):
            raise InvalidInput("That is more than a year away.", errors=(FieldError("/active_from", "far", "A nearer day."),))
        assert draft.pack is not None and caller.person is not None and proved_at is not None
        pack = draft.pack
        ruling = PolicyRuling.objects.create(
            draft=draft,
            pack=pack,
            decision=PolicyRuling.APPROVE if approve else PolicyRuling.RETURN,
            why=why.strip(),
            by=caller.person,
            reauthenticated_at=proved_at,
            active_from=starts if approve else None,
        )
        said = {"pack": pack.name, "version": pack.version, "digest": pack.digest, "draft": draft.pk, "ruling": ruling.pk}
        if approve:
            pack.active_from = starts
            pack.save(update_fields=["active_from"])
            draft.state = PolicyDraft.APPROVED
            work.note("policy.activated", pack, {**said, "active_from": starts.isoformat()})
            _tell(work, draft, pack, f"was approved, in force from {starts:%d %B %Y, %H:%M} UTC", why.strip())
            work.enqueue(STRICTER_TASK)
        else:
            draft.state = PolicyDraft.OPEN
            work.note("policy.returned", pack, said)
            _tell(work, draft, pack, "was returned to its author", why.strip())
        draft.changed_at = timezone.now()
        draft.save(update_fields=["state", "changed_at"])
    return ruling


def _tell(work: Work, draft: PolicyDraft, pack: PolicyPack, what: str, says: str) -> None:
    """Everybody who answers for the policy, once for each unit they answer for: the first one that names them."""
    told: set[int] = set()
    for unit_id in Unit.objects.order_by("pk").values_list("pk", flat=True):
        people = {pk: reason for pk, reason in holders(unit_id, Role.POLICY_AUTHOR, Role.RISK_OFFICER).items() if pk not in told}
        told |= set(people)
        if people:
            tell_unit(
                work,
                unit_id,
                Notice.POLICY,
                people,
                key=f"{draft.pk}:{pack.pk}:{draft.state}:{len(what)}",
                title=f"{pack.name} {pack.version} {what}",
                says=says,
                path=f"/policies/drafts/{draft.pk}",
            )
