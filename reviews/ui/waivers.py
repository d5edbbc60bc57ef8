"""Waivers as pages: the register, one waiver with what the reader can do, and asking for one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.decision import DecisionView
from governance.domain.errors import DomainError, InvalidInput
from governance.models import Contributor, Person, Submission, Unit
from governance.selectors.access import Caller, visible
from governance.selectors.policy import installed_kinds, pack_in_force
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.freshness import authenticated_at, confirm_address, is_fresh
from reviews.models import WaiverAudit, WaiverSignature
from reviews.selectors.decision_view import decision_view
from reviews.selectors.dossier import material_of
from reviews.selectors.waiver_register import SCOPES, find_waiver, precedents, register
from reviews.selectors.waiving import (
    PARTS,
    Terms,
    audit_refusal,
    ending_refusal,
    request_refusal,
    signing_part,
    signing_refusal,
    terms_of,
)
from reviews.services.telling import may_see
from reviews.services.waiving import (
    NewWaiver,
    end_waiver,
    meaning_of,
    record_audit,
    refuse_waiver,
    request_waiver,
    sign_waiver,
)
from reviews.ui.paging import address, page_links

Errors = dict[str, str]
ENDS = {"withdrawn": "Take the request back", "revoked": "Revoke it at once", "closed": "Close it, after its audit"}


@require_GET
def waivers(request: HttpRequest) -> HttpResponse:
    """The register. What the address asks for and cannot be is said and left out."""
    caller, given = caller_of(request), {name: request.GET.get(name, "").strip() for name in ("unit", "gate")}
    scope = request.GET.get("scope", "all")
    problem = "" if scope in SCOPES else "There is no such list, so all are shown."
    scope = scope if scope in SCOPES else "all"
    rows, following, before = register(
        caller, scope=scope, unit=given["unit"], gate=given["gate"], cursor=request.GET.get("cursor", "")
    )
    units = Unit.objects.all() if caller.sees_all_units else Unit.objects.filter(pk__in=caller.units)
    context = {
        "rows": rows,
        "scope": scope,
        "problem": problem,
        "never": _never(),
        "scopes": [
            {"label": label, "href": address(request, scope=name, cursor=""), "current": name == scope}
            for name, label in SCOPES.items()
        ],
        "filters": [
            FieldView(
                name="unit",
                label="Business unit",
                kind="select",
                value=given["unit"],
                options=[Option("", "any"), *(Option(row.slug, row.name) for row in units.order_by("name"))],
            ),
            FieldView(name="gate", label="Gate", value=given["gate"]),
        ],
        "page": page_links(request, following, before),
    }
    return render(request, "reviews/waivers.html", context)


@require_GET
def waiver(request: HttpRequest, pk: int) -> HttpResponse:
    """One waiver: what is waived and why, who signed, the audit, what was decided before, and what the reader can do."""
    return _page(request, pk)


@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign or refuse."""
    caller = caller_of(request)
    row, view = find_waiver(caller=caller, waiver_id=pk)
    refused = signing_refusal(row, row.signatures.all(), caller, timezone.now(), row.requested_by.manager)
    if refused is not None:
        raise refused
    if not is_fresh(request):
        return redirect(confirm_address(view.url))
    given: dict[str, Any] = {"comment": request.POST.get("comment", ""), "reauthenticated_at": authenticated_at(request)}
    try:
        if request.POST.get("do") == "refuse":
            refuse_waiver(caller=caller, waiver_id=pk, **given)
        else:
            sign_waiver(caller=caller, waiver_id=pk, **given)
    except InvalidInput as exc:
        return _page(request, pk, errors=_by_field(exc))
    messages.success(request, "Recorded under your name. Everybody concerned is told.")
    return redirect("waiver", pk)


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back, revoke or close."""
    try:
        end_waiver(
            caller=caller_of(request), waiver_id=pk, how=request.POST.get("how", ""), reason=request.POST.get("reason", "")
        )
    except InvalidInput as exc:
        return _page(request, pk, errors=_by_field(exc))
    messages.success(request, "Ended. What rested on it ended with it.")
    return redirect("waiver", pk)


@require_POST
def audit(request: HttpRequest, pk: int) -> HttpResponse:
    """Record what the audit found."""
    held = {"true": True, "false": False}.get(request.POST.get("held", ""))
    try:
        record_audit(
            caller=caller_of(request),
            waiver_id=pk,
            held=held,
            found=request.POST.get("found", ""),
            evidence=request.POST.get("evidence", ""),
        )
    except InvalidInput as exc:
        return _page(request, pk, errors=_by_field(exc))
    messages.success(request, "The audit is recorded.")
    return redirect("waiver", pk)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, pk: int, gate: str) -> HttpResponse:
    """Ask for a waiver of one failed gate, or read why that cannot be."""
    caller = caller_of(request)
    view = decision_view(pk, caller)
    submission = visible(Submission.objects.select_related("system", "version"), caller).get(pk=pk)
    material = material_of(submission)
    outcome = next((row for row in material.outcomes if row.code == gate), None)
    title = f"Waiver of {gate}"
    contributors = Contributor.objects.filter(submission=submission).values_list("person_id", flat=True)
    refused: DomainError | None = None
    if material.pack is None:
        return render(request, "reviews/not_now.html", {"v": view, "title": title, "why": "Nothing was checked yet."}, status=409)
    refused = request_refusal(submission, outcome, caller, material.pack, contributors=contributors)
    if refused is not None:
        status = 403 if refused.kind == "forbidden" else 409
        return render(request, "reviews/not_now.html", {"v": view, "title": title, "why": refused.detail}, status=status)
    terms = terms_of(material.pack, gate)
    assert isinstance(terms, Terms)
    errors: Errors = {}
    problem = ""
    if request.method == "POST":
        try:
            row = request_waiver(caller=caller, submission_id=pk, new=_new(request, gate))
        except InvalidInput as exc:
            errors = _by_field(exc)
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, "Asked for. Whoever signs first is told.")
            return redirect("waiver", row.pk)
    fields = _request_fields(request, caller, view, terms, errors)
    context = {
        "v": view,
        "title": title,
        "gate": view.gate(gate),
        "plan": terms.plan,
        "manager": caller.person.manager if caller.person is not None else None,
        "fields": fields,
        "precedents": precedents(caller, gate=gate, but=submission),
        "problem": problem,
    }
    return render(request, "reviews/waiver_new.html", context, status=422 if errors or problem else 200)


def _page(request: HttpRequest, pk: int, *, errors: Errors | None = None) -> HttpResponse:
    caller, errors = caller_of(request), errors or {}
    row, view = find_waiver(caller=caller, waiver_id=pk)
    signatures: list[WaiverSignature] = list(row.signatures.all())
    kept: WaiverAudit | None = getattr(row, "audit", None)
    part = signing_part(row, signatures)
    cannot_sign = signing_refusal(row, signatures, caller, timezone.now(), row.requested_by.manager) if part else None
    can_sign = bool(part) and cannot_sign is None
    ends = [how for how in ENDS if ending_refusal(row, caller, how) is None]
    can_audit = audit_refusal(row, kept, caller) is None
    context = {
        "w": view,
        "submission": row.submission,
        "part_label": PARTS.get(part, ""),
        "meaning": meaning_of(row, part) if part else "",
        "can_sign": can_sign,
        "cannot_sign": cannot_sign.detail if cannot_sign is not None else "",
        "fresh": can_sign and is_fresh(request),
        "confirm": confirm_address(view.url),
        "sign_fields": [_text(request, "comment", "What you say to it", errors, optional=True, hint="Needed when you refuse.")],
        "can_audit": can_audit,
        "audit_fields": _audit_fields(request, errors) if can_audit else [],
        "audit_evidence": kept.evidence if kept is not None else "",
        "ends": ends,
        "end_fields": _end_fields(request, ends, errors),
        "precedents": precedents(caller, gate=row.gate, but=row.submission),
        "errors": [{"href": f"#f-{name}", "text": text} for name, text in errors.items()],
    }
    return render(request, "reviews/waiver.html", context, status=422 if errors else 200)


def _by_field(exc: InvalidInput) -> Errors:
    return {error.pointer.strip("/"): error.detail for error in exc.errors} or {"comment": exc.detail}


def _text(request: HttpRequest, name: str, label: str, errors: Errors, **more: Any) -> FieldView:
    given = {"kind": "textarea", "rows": 3, **more}
    return FieldView(
        name=name, id=f"f-{name}", label=label, value=request.POST.get(name, ""), error=errors.get(name, ""), **given
    )


def _audit_fields(request: HttpRequest, errors: Errors) -> list[FieldView]:
    return [
        FieldView(
            name="held",
            id="f-held",
            label="Did the compensating control do what it should?",
            kind="yes_no",
            value=request.POST.get("held", ""),
            error=errors.get("held", ""),
        ),
        _text(request, "found", "What did you look at, and what did you find?", errors),
        _text(request, "evidence", "Where can it be looked up?", errors, kind="text", hint="A report, a query, a ticket."),
    ]


def _end_fields(request: HttpRequest, ends: list[str], errors: Errors) -> list[FieldView]:
    if not ends:
        return []
    options = [Option(how, ENDS[how]) for how in ends]
    chosen = request.POST.get("how", ends[0])
    return [
        FieldView(
            name="how",
            id="f-how",
            label="How should it end?",
            kind="radio",
            options=options,
            value=chosen,
            error=errors.get("how", ""),
        ),
        _text(request, "reason", "Why?", errors, hint="Everybody concerned reads it."),
    ]


def _request_fields(request: HttpRequest, caller: Caller, view: DecisionView, terms: Terms, errors: Errors) -> list[FieldView]:
    today = timezone.now().date()
    unit_id = Submission.objects.values_list("unit_id", flat=True).get(pk=view.id)
    rows = Person.objects.filter(may_see(unit_id), is_active=True).order_by("first_name", "username")[:300]
    people = [Option("", "Choose…"), *(Option(str(row.pk), row.name) for row in rows)]

    def choice(name: str, label: str, hint: str) -> FieldView:
        return _text(request, name, label, errors, kind="select", options=people, hint=hint)

    def day(name: str, label: str, usual: date, hint: str) -> FieldView:
        value = request.POST.get(name, usual.isoformat())
        return FieldView(name=name, id=f"f-{name}", label=label, kind="date", value=value, hint=hint, error=errors.get(name, ""))

    latest, latest_audit = terms.latest(today), terms.latest_audit(today)
    return [
        FieldView(
            name="read_risk",
            id="f-read_risk",
            label="I read what this gate guards against",
            kind="checkbox",
            value=request.POST.get("read_risk", ""),
            error=errors.get("read_risk", ""),
        ),
        _text(request, "reason", "Why does the gate not fit this case?", errors, hint="And what would waiting cost?"),
        _text(
            request,
            "compensating_control",
            "Which control takes its place?",
            errors,
            hint="What is done instead, by whom, how often.",
        ),
        choice("owner", "Who runs that control?", "It may be you."),
        day(
            "expires_on",
            "Until when?",
            latest,
            f"It ends at the start of that day; at the latest {latest:%d %B %Y} ({terms.max_days} days).",
        ),
        choice("audit_owner", "Who audits afterwards whether the control works?", "Neither you nor who runs the control."),
        day(
            "audit_due_on",
            "Until when is it audited?",
            min(latest_audit, latest - timedelta(days=1)),
            f"At the latest {latest_audit:%d %B %Y}. Missed, the waiver and its permits end.",
        ),
    ]


def _new(request: HttpRequest, gate: str) -> NewWaiver:
    post = request.POST
    return NewWaiver(
        gate=gate,
        reason=post.get("reason", "").replace("\x00", ""),
        compensating_control=post.get("compensating_control", "").replace("\x00", ""),
        owner=_number(post.get("owner", "")),
        expires_on=_date(post.get("expires_on", "")),
        audit_owner=_number(post.get("audit_owner", "")),
        audit_due_on=_date(post.get("audit_due_on", "")),
        read_risk="read_risk" in post,
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _never() -> list[dict[str, str]]:
    """What no waiver reaches, from the packs in force."""
    packs = [pack_in_force(each.kind)[1] for each in installed_kinds()]
    plans = [pack.document.waivers for pack in packs if pack.document.waivers is not None]
    never = {row.what: row.why for plan in plans for row in plan.never}
    gates = {
        use.gate: use.never_because or "the policy does not allow it" for pack in packs for use in pack.gates if not use.waivable
    }
    waivable = {use.gate for pack in packs for use in pack.gates if use.waivable}
    return [{"what": what, "why": why} for what, why in never.items()] + [
        {"what": gate, "why": why} for gate, why in gates.items() if gate not in waivable
    ]
