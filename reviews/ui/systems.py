"""One system as a page, with what stands around it after a release; and the teams that depend on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import InvalidInput, NotFound
from governance.models import Person, Submission, System
from governance.selectors.access import Caller, visible
from governance.selectors.champions import champion_of
from governance.ui.drafts import caller_of
from governance.ui.fields import ErrorItem, FieldView, Option
from reviews.selectors.downstream import acknowledging_refusal, find_note, managing_refusal, teams_of
from reviews.selectors.findings import of_system
from reviews.selectors.incidents import incidents
from reviews.selectors.monitoring import events
from reviews.selectors.risk import system_risk
from reviews.selectors.scorecard import scorecard
from reviews.services.downstream import acknowledge, add_team, remove_team
from reviews.services.telling import may_see

MOST = 5


@require_GET
def system(request: HttpRequest, pk: int) -> HttpResponse:
    """One system: what is in force, every submission, and what is open after its releases."""
    caller = caller_of(request)
    found = _found(caller, pk)
    submissions = Submission.objects.filter(system=found).select_related("version", "submitter").order_by("-id")[:100]
    context = {
        "system": found,
        "champion": champion_of(system_id=found.pk, environment="production"),
        "submissions": submissions,
        "card": scorecard(found),
        "teams": teams_of(found),
        "risk": system_risk(caller, found.pk),
        "findings": of_system(caller, found.pk, most=MOST),
        "incidents": [row for row in incidents(caller, system=found.slug, size=MOST)[0] if row.state != "closed"],
        "reports": events(caller, system=found.slug, size=MOST)[0],
    }
    return render(request, "reviews/system.html", context)


@require_http_methods(["GET", "POST"])
def downstream(request: HttpRequest, pk: int) -> HttpResponse:
    """The teams that depend on a system: add one, take one away."""
    caller = caller_of(request)
    found, errors = _found(caller, pk), dict[str, str]()
    refused = managing_refusal(found, caller)
    if request.method == "POST":
        if refused is not None:
            raise refused
        contact = request.POST.get("contact", "")
        try:
            add_team(
                caller=caller,
                system_id=pk,
                name=request.POST.get("name", "").replace("\x00", ""),
                uses=request.POST.get("uses", "").replace("\x00", ""),
                contact=int(contact) if contact.isascii() and contact.isdigit() and len(contact) < 16 else 0,
            )
        except InvalidInput as exc:
            errors = {error.pointer.strip("/"): error.detail for error in exc.errors}
        else:
            messages.success(request, "Added. The team is told of every change from now on.")
            return redirect("downstream", pk)
    fields = _fields(request, found, errors)
    context = {
        "system": found,
        "teams": teams_of(found),
        "fields": fields,
        "why_not": "" if refused is None else refused.detail,
        "errors": [ErrorItem(f"#{field.html_id}", field.error) for field in fields if field.error],
    }
    return render(request, "reviews/downstream.html", context, status=422 if errors else 200)


@require_POST
def downstream_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """A team depends on the system no longer."""
    row = remove_team(caller=caller_of(request), team_id=pk)
    messages.success(request, f"{row.name} is told no more.")
    return redirect("downstream", row.system_id)


@require_http_methods(["GET", "POST"])
def change_note(request: HttpRequest, pk: int) -> HttpResponse:
    """What a team was told of one change; its contact takes note."""
    caller = caller_of(request)
    row = find_note(caller=caller, note_id=pk)
    if request.method == "POST":
        acknowledge(caller=caller, note_id=pk, comment=request.POST.get("comment", "").replace("\x00", ""))
        messages.success(request, "Noted under your name.")
        return redirect("change_note", pk)
    refused = acknowledging_refusal(row, caller)
    field = FieldView(
        name="comment", label="What does your team have to do?", kind="textarea", rows=3, optional=True, maxlength="500"
    )
    context = {"n": row, "field": field, "why_not": "" if refused is None else refused.detail}
    return render(request, "reviews/change_note.html", context)


def _found(caller: Caller, pk: int) -> System:
    found = visible(System.objects.select_related("unit", "owner"), caller).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such system in your business unit.")
    return found


def _fields(request: HttpRequest, found: System, errors: dict[str, str]) -> list[FieldView]:
    people = Person.objects.filter(may_see(found.unit_id), is_active=True).order_by("first_name", "username")[:300]
    given: dict[str, Any] = {name: {"value": request.POST.get(name, ""), "error": errors.get(name, "")} for name in _NAMES}
    return [
        FieldView(name="name", label="Which team?", maxlength="120", **given["name"]),
        FieldView(
            name="uses",
            label="What does it do with the decisions?",
            hint="Such as: the collections queue is ordered by the score.",
            maxlength="300",
            **given["uses"],
        ),
        FieldView(
            name="contact",
            label="Who takes note for it?",
            kind="select",
            hint="Somebody who can see this system.",
            options=[Option("", "Choose…"), *(Option(str(row.pk), row.name) for row in people)],
            **given["contact"],
        ),
    ]


_NAMES = ("name", "uses", "contact")
