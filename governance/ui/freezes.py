"""Freeze windows as pages: what holds and what comes, one with its exceptions, proposing, ruling, and asking to pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from governance.domain.errors import DomainError, ErrorKind, InvalidInput, NotFound, ReauthenticationNeeded
from governance.domain.vocabulary import Role
from governance.models import FreezeException, Submission, Unit
from governance.selectors.access import Caller, visible
from governance.selectors.freezes import (
    asking_refusal,
    find_freeze,
    freeze_of,
    freezes,
    in_words,
    may_pass_roles,
    passing_refusal,
    proposing_refusal,
    ruling_refusal,
    state_of,
)
from governance.selectors.policy import installed_kinds
from governance.services.freezes import NewFreeze, ask_to_pass, propose_freeze, rule_on_exception, rule_on_freeze
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.freshness import authenticated_at, confirm_address

MOST = 100
EVERY = "every"


@require_GET
def freeze_list(request: HttpRequest) -> HttpResponse:
    """Freezes of the reader's units, the latest first."""
    caller = caller_of(request)
    rows = [{"row": row, "state": state_of(row), "role": Role(row.pass_role).label} for row in freezes(caller)[:MOST]]
    context = {"rows": rows, "may_propose": any(proposing_refusal(caller, unit) is None for unit in _places(caller))}
    return render(request, "governance/freezes.html", context)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Propose a freeze."""
    caller = caller_of(request)
    allowed = [unit for unit in _places(caller) if proposing_refusal(caller, unit) is None]
    if not allowed:
        refused = proposing_refusal(caller, caller.home_unit)
        raise refused if refused is not None else NotFound("You belong to no business unit yet.")
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        try:
            row = propose_freeze(caller=caller, new=_asked(request))
        except DomainError as exc:
            if exc.kind is ErrorKind.FORBIDDEN:
                raise
            problem, errors = exc.detail, {e.pointer.removeprefix("/"): e.detail for e in exc.errors}
        else:
            messages.success(request, "Proposed. Nothing stops until somebody else has approved it.")
            return redirect("freeze", row.pk)
    context = {"fields": _fields(request, allowed, errors), "problem": problem}
    return render(request, "governance/freeze_new.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
def freeze(request: HttpRequest, pk: int) -> HttpResponse:
    """One freeze: its terms, who allowed it, its exceptions; ruling on it and on them."""
    caller = caller_of(request)
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        try:
            _rule(request, caller, pk)
        except ReauthenticationNeeded:
            return redirect(confirm_address(request.path))
        except DomainError as exc:
            if exc.kind in (ErrorKind.FORBIDDEN, ErrorKind.MISSING):
                raise
            problem, errors = exc.detail, {e.pointer.removeprefix("/"): e.detail for e in exc.errors}
        else:
            messages.success(request, "Recorded under your name.")
            return redirect("freeze", pk)
    row = find_freeze(caller, pk)
    asked = row.exceptions.select_related("submission__system", "submission__version", "asked_by", "ruling__by", "freeze")
    refused = ruling_refusal(caller, row)
    context: dict[str, Any] = {
        "row": row,
        "state": state_of(row),
        "told": in_words(row),
        "ruling": getattr(row, "ruling", None),
        "refused": refused.detail if refused is not None and state_of(row) == "proposed" else "",
        "may_rule": refused is None,
        "exceptions": [_exception(caller, each) for each in visible(asked, caller, "submission__unit_id")[:MOST]],
        "problem": problem,
        "why_field": FieldView(
            name="why",
            label="What did you look at, and why is it right?",
            kind="textarea",
            rows=2,
            value=request.POST.get("why", ""),
            error=errors.get("why", ""),
        ),
    }
    return render(request, "governance/freeze.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
def to_pass(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask that a submission may be released during the freeze it meets."""
    caller = caller_of(request)
    row = visible(Submission.objects.select_related("system", "version", "unit"), caller).filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such submission in your business unit.")
    if (refused := asking_refusal(caller, row)) is not None:
        raise refused
    problem = ""
    if request.method == "POST":
        try:
            asked = ask_to_pass(caller=caller, submission_id=pk, why=request.POST.get("why", ""))
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, "Asked. It passes once it is approved; until then the freeze holds.")
            return redirect("freeze", asked.freeze_id)
    frozen = freeze_of(row)
    why = FieldView(
        name="why",
        label="Why can it not wait?",
        kind="textarea",
        rows=3,
        hint=f"It may pass for {frozen.pass_with}" if frozen is not None else "",
        value=request.POST.get("why", ""),
        error=problem,
    )
    context = {"row": row, "told": in_words(frozen) if frozen is not None else None, "why": why, "problem": problem}
    return render(request, "governance/freeze_pass.html", context, status=422 if problem else 200)


def _rule(request: HttpRequest, caller: Caller, pk: int) -> None:
    do, proved, exception = request.POST.get("do", ""), authenticated_at(request), request.POST.get("exception", "")
    why = request.POST.get(f"why-{exception}" if exception else "why", "")
    if do not in ("approve", "refuse") or (exception and not exception.isdecimal()):
        raise InvalidInput("That button is not known here. Reload the page.")
    if exception:
        asked = FreezeException.objects.filter(pk=int(exception[:18]), freeze_id=pk).values_list("pk", flat=True).first()
        rule_on_exception(caller=caller, exception_id=asked or 0, approve=do == "approve", why=why, proved_at=proved)
    else:
        rule_on_freeze(caller=caller, freeze_id=pk, approve=do == "approve", why=why, proved_at=proved)


def _exception(caller: Caller, asked: FreezeException) -> dict[str, Any]:
    refused = passing_refusal(caller, asked)
    waits = not hasattr(asked, "ruling")
    return {
        "row": asked,
        "ruling": getattr(asked, "ruling", None),
        "may_rule": refused is None,
        "refused": refused.detail if refused is not None and waits else "",
        "why": FieldView(name=f"why-{asked.pk}", label="Why may it pass, or not?", kind="textarea", rows=2),
    }


def _places(caller: Caller) -> list[int | None]:
    return [*sorted(caller.units), None]


def _asked(request: HttpRequest) -> NewFreeze:
    given = request.POST
    unit = given.get("unit", "")
    return NewFreeze(
        unit_id=int(unit[:18]) if unit.isdecimal() else None,
        title=given.get("title", ""),
        why=given.get("why", ""),
        starts_at=_moment(given.get("starts_at", "")),
        ends_at=_moment(given.get("ends_at", "")),
        pass_role=given.get("pass_role", ""),
        pass_with=given.get("pass_with", ""),
        kind="" if given.get("kind", EVERY) == EVERY else given["kind"][:20],
        environment=given.get("environment", ""),
    )


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _fields(request: HttpRequest, allowed: list[int | None], errors: dict[str, str]) -> list[FieldView]:
    names = dict(Unit.objects.filter(pk__in=[unit for unit in allowed if unit is not None]).values_list("pk", "name"))
    units = [Option(EVERY, "every business unit") if unit is None else Option(str(unit), names[unit]) for unit in allowed]
    kinds = [Option(EVERY, "every kind"), *(Option(str(each.kind), each.kind.words) for each in installed_kinds())]
    roles = [Option(role.value, role.label) for role in may_pass_roles()]

    def field(name: str, label: str, kind: str = "text", **more: Any) -> FieldView:
        return FieldView(name=name, label=label, kind=kind, value=request.POST.get(name, ""), error=errors.get(name, ""), **more)

    add: Callable[..., FieldView] = field
    return [
        add("title", "Name", hint="Short, such as “end of year”."),
        add("why", "Why", "textarea", rows=2, hint="Everybody whom it stops reads this."),
        add("unit", "Where", "select", options=units),
        add("kind", "For what", "select", options=kinds),
        add("environment", "Environment", hint="Such as production. Empty: every one.", optional=True),
        add("starts_at", "From (UTC)", "datetime-local"),
        add("ends_at", "Until (UTC)", "datetime-local", hint="At most 62 days later."),
        add("pass_role", "Who may let a single case pass", "select", options=roles),
        add("pass_with", "What for", hint="Such as: a fix for a live incident, with the incident's number."),
    ]
