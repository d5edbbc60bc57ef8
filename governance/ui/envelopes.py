"""Change envelopes as pages: those of the reader's units, one with what was used of it, and proposing one."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from governance.domain.errors import DomainError, ErrorKind, InvalidInput, NotFound, ReauthenticationNeeded
from governance.domain.vocabulary import Role
from governance.models import ChangeEnvelope, System
from governance.policy.envelopes import Bound
from governance.selectors.access import visible
from governance.selectors.policy import pack_in_force
from governance.services.envelopes import (
    NewEnvelope,
    coverable,
    end_envelope,
    find_envelope,
    parse_bounds,
    propose_envelope,
    proposing_refusal,
    rule_on_envelope,
    ruling_refusal,
)
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.freshness import authenticated_at, confirm_address

USUAL = "performance.relative_change from -1 % to 2 % total 5 %\nrollout.flip_rate from 0 to 0.02"


@require_GET
def envelope_list(request: HttpRequest) -> HttpResponse:
    """Every envelope of the reader's units, and the systems one could be proposed for."""
    caller = caller_of(request)
    rows = visible(ChangeEnvelope.objects.select_related("system", "proposed_by", "ruling", "ruling__by"), caller)[:200]
    systems = visible(System.objects.order_by("slug"), caller)
    mine = systems if Role.POLICY_AUTHOR in caller.any_roles else systems.filter(owner=caller.person)
    return render(request, "governance/envelopes.html", {"rows": rows, "systems": mine[:200]})


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose an envelope for a system."""
    caller = caller_of(request)
    system = visible(System.objects.select_related("unit"), caller).filter(pk=pk).first()
    if system is None:
        raise NotFound("There is no such system in your business unit.")
    if (refused := proposing_refusal(system, caller)) is not None:
        raise refused
    pack = pack_in_force(system.kind)[1]
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        try:
            row = propose_envelope(caller=caller, new=_asked(request, pk))
        except DomainError as exc:
            if exc.kind is ErrorKind.FORBIDDEN:
                raise
            problem, errors = exc.detail, {e.pointer.removeprefix("/"): e.detail for e in exc.errors}
        else:
            messages.success(request, "Proposed. A risk officer who did not work on the system rules on it.")
            return redirect("envelope", row.pk)
    titles = {rule.id: rule.title for rule in pack.rules}
    context = {
        "system": system,
        "problem": problem,
        "fields": _fields(request, errors, [(c, titles[c]) for c in coverable(pack)]),
    }
    return render(request, "governance/envelope_new.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
def envelope(request: HttpRequest, pk: int) -> HttpResponse:
    """One envelope: its terms, who allowed it, what was used; ruling on it and ending it."""
    caller = caller_of(request)
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        do = request.POST.get("do", "")
        try:
            if do == "end":
                end_envelope(caller=caller, envelope_id=pk, why=request.POST.get("ended_why", ""))
            elif do in ("approve", "refuse"):
                rule_on_envelope(
                    caller=caller,
                    envelope_id=pk,
                    approve=do == "approve",
                    why=request.POST.get("why", ""),
                    proved_at=authenticated_at(request),
                )
            else:
                raise InvalidInput("That button is not known here. Reload the page.")
        except ReauthenticationNeeded:
            return redirect(confirm_address(request.path))
        except DomainError as exc:
            if exc.kind in (ErrorKind.FORBIDDEN, ErrorKind.MISSING):
                raise
            problem, errors = exc.detail, {e.pointer.removeprefix("/"): e.detail for e in exc.errors}
        else:
            messages.success(request, "Recorded under your name.")
            return redirect("envelope", pk)
    row = find_envelope(caller, pk)
    uses = list(row.uses.select_related("submission", "submission__version"))
    ruling = getattr(row, "ruling", None)
    roles = caller.roles_in(row.unit_id)
    open_still = row.state in (ChangeEnvelope.PROPOSED, ChangeEnvelope.APPROVED)
    person = caller.person
    context: dict[str, Any] = {
        "row": row,
        "bounds": [Bound(**bound) for bound in row.bounds],
        "uses": uses,
        "used": len({use.submission_id for use in uses if use.inside}),
        "looks": len({(use.submission_id, use.revision) for use in uses}),
        "ruling": ruling,
        "problem": problem,
        "may_rule": row.state == ChangeEnvelope.PROPOSED and ruling_refusal(row, caller) is None,
        "may_end": open_still
        and person is not None
        and bool(roles & {Role.POLICY_AUTHOR, Role.RISK_OFFICER} or person.pk == row.system.owner_id),
        "why_field": FieldView(
            name="why",
            label="What did you look at, and why is it bearable?",
            kind="textarea",
            rows=3,
            error=errors.get("why", ""),
        ),
        "end_field": FieldView(name="ended_why", label="Why does it end?", error=errors.get("ended_why", "")),
    }
    return render(request, "governance/envelope.html", context, status=422 if problem else 200)


def _asked(request: HttpRequest, system_id: int) -> NewEnvelope:
    given = request.POST
    return NewEnvelope(
        system_id=system_id,
        environment=given.get("environment", ""),
        title=given.get("title", "")[:120],
        why=given.get("why", ""),
        track=given.get("track", ""),
        rules=given.getlist("rules"),
        bounds=parse_bounds(given.get("bounds", "")),
        until=_day(given.get("until", "")),
        most_uses=_whole(given.get("most_uses", "")),
        most_looks=_whole(given.get("most_looks", "")),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _whole(text: str) -> int:
    return int(text) if text.strip().isdigit() and len(text) < 7 else 0


def _fields(request: HttpRequest, errors: dict[str, str], rules: list[tuple[str, str]]) -> list[FieldView]:
    def field(name: str, label: str, usual: str = "", **more: Any) -> FieldView:
        return FieldView(name=name, label=label, value=request.POST.get(name, usual), error=errors.get(name, ""), **more)

    return [
        field("title", "What is it called?", hint="Such as: daily retrains."),
        field("environment", "Where does it hold?", "production"),
        field("why", "Why do these changes need no new review?", kind="textarea", rows=3),
        FieldView(
            name="rules",
            label="Which rules does it cover?",
            kind="checkboxes",
            value=request.POST.getlist("rules"),
            options=[Option(code, f"{code}: {title}") for code, title in rules],
            hint="Only what the use is. New features, sources or architectures, and what nobody knows, are never covered.",
            error=errors.get("rules", ""),
        ),
        field(
            "track",
            "Which track do changes inside it take?",
            kind="radio",
            options=[Option("yellow", "Yellow: a platform engineer looks"), Option("green", "Green: the policy approves")],
        ),
        field(
            "bounds",
            "Within which bounds?",
            USUAL,
            kind="textarea",
            rows=5,
            hint="One a line. “total”: what steps may add up to.",
        ),
        field("until", "Until which day?", kind="date", hint="At most six months."),
        field("most_uses", "How many versions may use it?", "30", inputmode="numeric"),
        field(
            "most_looks",
            "How often may the test set be looked at?",
            "40",
            inputmode="numeric",
            hint="Every measured revision is a look.",
        ),
    ]
