"""The audit trail as pages: reading it, and proving it."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from governance.domain.errors import Forbidden
from governance.domain.vocabulary import Role
from governance.models import AuditEvent, Person
from governance.selectors.access import Caller
from governance.selectors.audit import verify
from governance.services.checkpoints import exported_checkpoints, key_id_of, public_bytes, signed_text, signing_key
from governance.ui.drafts import caller_of

PAGE = 50
READERS = (Role.AUDITOR, Role.ADMIN, Role.RISK_OFFICER, Role.ANALYST)


@require_GET
def trail(request: HttpRequest) -> HttpResponse:
    """Events of the caller's units, newest first; `?before=` goes on, `?object=` narrows."""
    return render(request, "governance/audit.html", _page(request))


@require_POST
def verify_now(request: HttpRequest) -> HttpResponse:
    """Recompute the whole trail and say what was found."""
    context = _page(request)
    key = signing_key().public_key()
    found = verify(checkpoints=exported_checkpoints(), keys={key_id_of(key): public_bytes(key)}, signed_text=signed_text)
    return render(request, "governance/audit.html", {**context, "verification": found})


def _page(request: HttpRequest) -> dict[str, object]:
    caller = caller_of(request)
    _refuse(caller)
    rows = AuditEvent.objects.order_by("-seq")
    if not caller.sees_all_units:
        rows = rows.filter(unit__in=caller.units)
    about = request.GET.get("object", "")[:80]
    if about:
        rows = rows.filter(object=about)
    before = request.GET.get("before", "")
    if before.isdigit():
        rows = rows.filter(seq__lt=int(before))
    events = list(rows[: PAGE + 1])
    names = _names(events[:PAGE])
    shown = [
        {"event": event, "actor": names.get(event.actor.split("/")[0], event.actor), "data": json.loads(event.payload)["data"]}
        for event in events[:PAGE]
    ]
    return {"events": shown, "older": events[PAGE - 1].seq if len(events) > PAGE else None, "about": about}


def _names(events: list[AuditEvent]) -> dict[str, str]:
    """The people behind the references, looked up when shown: events hold no names."""
    ids = {int(e.actor.split("/")[0].removeprefix("person:")) for e in events if e.actor.startswith("person:")}
    return {person.reference: person.name for person in Person.objects.filter(pk__in=ids)}


def _refuse(caller: Caller) -> None:
    if not caller.any_roles & set(READERS):
        raise Forbidden(f"The audit trail is read by the {', '.join(role.label for role in READERS)}.", code="role_needed")
