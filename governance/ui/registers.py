"""The registers as pages: entries, one entry with its history, proposals, and deciding about them. One set of pages for all."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from governance.domain.errors import DomainError, Forbidden, InvalidInput
from governance.domain.register_fields import Field
from governance.domain.registers import REGISTERS, Register, register_named
from governance.selectors.access import Caller
from governance.selectors.evidence import MAX_SOURCE_BYTES
from governance.selectors.registers import (
    Entry,
    change,
    change_lines,
    changes,
    entries,
    entry,
    lines_of,
    may_decide,
    may_propose,
    values_of,
)
from governance.services import registers as service
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option

MOST_SHOWN = 300
YES_NO = (Option("true", "Yes"), Option("false", "No"))


@require_GET
def overview(request: HttpRequest, register: str = "sources") -> HttpResponse:
    """Every entry of one register in the caller's units, and the proposals that wait for somebody."""
    caller, chosen = caller_of(request), register_named(register)
    waiting = list(changes(caller, chosen).filter(ruling__isnull=True)[:100])
    rows = entries(caller, chosen)[:MOST_SHOWN]
    context = {
        "register": chosen,
        "registers": list(REGISTERS.values()),
        "labels": [field.label for name in chosen.columns for field in chosen.fields if field.name == name],
        "entries": [{"row": row, "lines": lines_of(chosen, row, chosen.columns)} for row in rows],
        "waiting": [{"change": row, "refused": may_decide(caller, row)} for row in waiting],
        "refused": may_propose(caller, caller.home_unit or 0),
    }
    return render(request, "governance/registers.html", context)


@require_GET
def one(request: HttpRequest, register: str, pk: int) -> HttpResponse:
    """One entry: what is known, who proposed and who decided each change."""
    caller, chosen = caller_of(request), register_named(register)
    row = entry(caller, chosen, pk)
    history = changes(caller, chosen).filter(unit_id=row.unit_id, name=row.name)[:100]
    context = {
        "register": chosen,
        "entry": row,
        "lines": lines_of(chosen, row),
        "history": history,
        "refused": may_propose(caller, row.unit_id),
    }
    return render(request, "governance/register_entry.html", context)


@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, register: str, pk: int | None = None) -> HttpResponse:
    """Propose an entry, or a change of one."""
    caller, chosen = caller_of(request), register_named(register)
    row = entry(caller, chosen, pk) if pk is not None else None
    _refuse(may_propose(caller, _unit(caller, row)))
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        given = {field.name: request.POST.get(field.name, "") for field in chosen.fields if field.name in request.POST}
        try:
            made = service.propose(
                caller=caller,
                unit_id=_unit(caller, row),
                name=row.name if row is not None else request.POST.get("name", ""),
                values=given,
                why=request.POST.get("why", ""),
                register=chosen.key,
            )
        except DomainError as exc:
            problem, errors = exc.detail, {each.pointer.strip("/"): each.detail for each in exc.errors}
        else:
            if made is None:
                messages.info(request, "Everything is registered so already.")
                return redirect("register", chosen.key)
            messages.success(request, "Proposed. It counts once a second person has approved it.")
            return redirect("register_change", made.pk)
    fields = _form(request, chosen, row, errors)
    context = {"register": chosen, "entry": row, "fields": fields, "problem": problem}
    return render(request, "governance/register_form.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
def take_in(request: HttpRequest, register: str) -> HttpResponse:
    """Propose every entry of a file: CSV, for sources a Feast registry dump or OpenLineage events as well."""
    caller, chosen, problem = caller_of(request), register_named(register), ""
    _refuse(may_propose(caller, _unit(caller, None)))
    if request.method == "POST":
        upload = request.FILES.get("file")
        try:
            if upload is None or (upload.size or 0) > MAX_SOURCE_BYTES:
                raise InvalidInput(f"Choose a file of up to {MAX_SOURCE_BYTES // 1024**2} MiB.")
            made = service.propose_file(
                caller=caller,
                unit_id=_unit(caller, None),
                file=upload.name or "file",
                data=bytes(upload.read()),
                why=request.POST.get("why", ""),
                register=chosen.key,
            )
        except DomainError as exc:
            problem = exc.detail
        else:
            words = f"{len(made)} entries are proposed" if made else "Everything in the file is registered so already"
            messages.success(request, f"{words}. They count once a second person has approved them." if made else f"{words}.")
            return redirect("register", chosen.key)
    fields = [FieldView(name="file", label="File", kind="file", hint=chosen.file_hint), _why(request, {})]
    context = {"register": chosen, "fields": fields, "problem": problem}
    return render(request, "governance/register_import.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
def proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """What is proposed, beside what stands there now; a second person decides."""
    caller = caller_of(request)
    row = change(caller, pk)
    register, problem = register_named(row.register), ""
    if request.method == "POST":
        _refuse(may_decide(caller, row))
        try:
            approved = request.POST.get("decision") == "approve"
            service.decide(caller=caller, change_id=row.pk, approved=approved, reason=request.POST.get("reason", ""))
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, "Approved. Rules and gates read it from now on." if approved else "Refused.")
            return redirect("register_change", pk)
        row = change(caller, pk)
    current = entries(caller, register).filter(unit_id=row.unit_id, name=row.name).first()
    reason = FieldView(
        name="reason",
        label="Why",
        kind="textarea",
        rows=2,
        value=request.POST.get("reason", ""),
        error=problem,
        hint=register.looks_at,
    )
    context = {
        "register": register,
        "change": row,
        "lines": change_lines(register, row, current),
        "entry": current,
        "refused": may_decide(caller, row),
        "reason": reason,
        "problem": problem,
    }
    return render(request, "governance/register_change.html", context, status=422 if problem else 200)


def _refuse(why: str) -> None:
    if why:
        raise Forbidden(why, code="role_needed")


def _unit(caller: Caller, row: Entry | None) -> int:
    if row is not None:
        return row.unit_id
    if caller.home_unit is None:
        raise InvalidInput("You belong to no business unit yet. Ask an administrator to add you to one.")
    return caller.home_unit


def _form(request: HttpRequest, register: Register, row: Entry | None, errors: dict[str, str]) -> list[FieldView]:
    values = values_of(register, row) or {"approved": True}
    fields = [] if row is not None else [_name(request, register, errors)]
    fields += [_field(field, request.POST.get(field.name, values.get(field.name)), errors) for field in register.fields]
    return [*fields, _why(request, errors)]


def _name(request: HttpRequest, register: Register, errors: dict[str, str]) -> FieldView:
    given = request.POST.get("name", "")
    return FieldView(name="name", label="Name", hint=register.name_hint, value=given, error=errors.get("name", ""))


def _why(request: HttpRequest, errors: dict[str, str]) -> FieldView:
    return FieldView(
        name="why",
        label="Why",
        kind="textarea",
        rows=2,
        hint="What it is needed for. Whoever decides reads this first.",
        value=request.POST.get("why", ""),
        error=errors.get("why", ""),
    )


def _field(field: Field, value: Any, errors: dict[str, str]) -> FieldView:
    kinds = {"list": "textarea", "yes_no": "yes_no", "date": "date", "choice": "select"}
    options = [Option("", "not registered"), *(Option(each, each.replace("_", " ")) for each in field.choices)]
    text = "\n".join(value) if isinstance(value, list) else "" if value is None else value
    return FieldView(
        name=field.name,
        label=field.label,
        kind=kinds.get(field.kind, "text"),
        options=options if field.kind == "choice" else YES_NO if field.kind == "yes_no" else (),
        value=text,
        hint=field.hint,
        error=errors.get(field.name, ""),
        rows=3,
        optional=field.kind != "yes_no",
    )
