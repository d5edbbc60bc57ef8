"""Incidents as pages: the list, one incident with its playbook and timeline, opening one, the post-mortem; and the playbooks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import DomainError, FieldError, InvalidInput, NotFound
from governance.domain.lifecycle import Action, refusal
from governance.domain.vocabulary import Role, Severity
from governance.models import Person, Submission
from governance.selectors.access import visible
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.models import Finding, Incident, Permit
from reviews.selectors.case import case_of
from reviews.selectors.incidents import SCOPES, find_incident, incidents, opening_refusal, step_refusal, working_refusal
from reviews.selectors.playbooks import KINDS, PARTS, playbooks
from reviews.services import incidents as services
from reviews.services.incidents import Corrective, NewIncident, money
from reviews.services.telling import may_see
from reviews.ui.paging import address, page_links

Errors = dict[str, str]
ACTIONS = 3


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Incidents, the latest first. What the address asks for and cannot be is said and left out."""
    scope, kind = request.GET.get("scope", "open"), request.GET.get("kind", "")
    problem = "" if scope in SCOPES and kind in ("", *KINDS) else "There is no such filter, so it was left out."
    scope, kind = scope if scope in SCOPES else "open", kind if kind in KINDS else ""
    system = request.GET.get("system", "").strip().replace("\x00", "")[:100]
    rows, following, before = incidents(
        caller_of(request), scope=scope, kind=kind, system=system, cursor=request.GET.get("cursor", "")
    )
    context = {
        "rows": rows,
        "scope": scope,
        "problem": problem,
        "scopes": [
            {"label": label, "href": address(request, scope=name, cursor=""), "current": name == scope}
            for name, label in SCOPES.items()
        ],
        "filters": [
            FieldView(
                name="kind",
                label="Kind",
                kind="select",
                value=kind,
                options=[Option("", "any"), *(Option(name, label) for name, label in KINDS.items())],
            ),
            FieldView(name="system", label="System", value=system),
        ],
        "page": page_links(request, following, before),
    }
    return render(request, "reviews/incidents.html", context)


@require_GET
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """One incident: what happened, what to do next and by whom, and everything it is connected with."""
    return _page(request, pk)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Open an incident about the version of a submission."""
    caller = caller_of(request)
    submission = visible(Submission.objects.select_related("system", "version"), caller).filter(pk=pk, revision__gt=0).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{pk} in your business unit. An incident is about a version that was handed in.")
    if (refused := opening_refusal(caller, submission.unit_id)) is not None:
        raise refused
    errors: Errors = {}
    if request.method == "POST":
        try:
            row = services.open_incident(
                caller=caller,
                submission_id=pk,
                new=_new(request),
                deployment_id=_number(request.POST.get("deployment", "")),
                finding_id=_number(request.POST.get("finding", "")),
            )
        except InvalidInput as exc:
            errors = _by_field(exc)
        else:
            messages.success(request, "Opened. Everybody with a part in it is told; the first step is below.")
            return redirect("incident", row.pk)
    found = Finding.objects.filter(submission_id=pk).order_by("-id")[:50]
    fields = [
        _field(request, "kind", "What kind of incident is it?", errors, kind="radio", options=[
            Option(name, label, next(book.when for book in playbooks() if name in book.kinds)) for name, label in KINDS.items()
        ]),
        _severity(request, errors, ""),
        _field(request, "title", "What went wrong, in one line?", errors, maxlength="160"),
        _field(request, "says", "What was seen, since when, and how was it noticed?", errors, kind="textarea"),
        _field(
            request, "began_at", "When did it begin?", errors, kind="datetime-local", optional=True,
            hint="Coordinated Universal Time. Empty: now.",
        ),
        *_cost_fields(request, errors, None),
        _field(request, "finding", "Is there a finding behind it?", errors, kind="select", optional=True, options=[
            Option("", "None"), *(Option(str(row.pk), f"{row.number} {row.says[:80]}") for row in found)
        ]),
    ]  # fmt: skip
    context = {"submission": submission, "fields": fields, "errors": _summary(errors)}
    return render(request, "reviews/incident_new.html", context, status=422 if errors else 200)


@require_POST
def step(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """Record a step of the playbook."""
    try:
        services.do_step(caller=caller_of(request), incident_id=pk, position=position, note=_text(request, "note"))
    except InvalidInput as exc:
        return _page(request, pk, errors={f"note_{position}": text for text in _by_field(exc).values()})
    messages.success(request, "Recorded under your name.")
    return redirect("incident", pk)


@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Assess anew, add a line to the timeline, or resolve."""
    caller, what = caller_of(request), request.POST.get("what", "")
    try:
        if what == "assess":
            services.assess(
                caller=caller,
                incident_id=pk,
                severity=_text(request, "severity"),
                customer_impact=_text(request, "customer_impact"),
                loss=_amount(request),
                currency=_text(request, "currency").upper(),
            )
        elif what == "note":
            services.add_note(caller=caller, incident_id=pk, says=_text(request, "says"))
        elif what == "resolve":
            services.resolve(caller=caller, incident_id=pk, how=_text(request, "how"))
        else:
            find_incident(caller=caller, incident_id=pk)
            raise InvalidInput("There is no such change.")
    except InvalidInput as exc:
        if not exc.errors:
            raise
        return _page(request, pk, errors=_by_field(exc))
    messages.success(request, "Recorded.")
    return redirect("incident", pk)


@require_http_methods(["GET", "POST"])
def post_mortem(request: HttpRequest, pk: int) -> HttpResponse:
    """The look back: causes, the gate that should have caught it, and who does what until when."""
    caller = caller_of(request)
    row = find_incident(caller=caller, incident_id=pk)
    if (refused := working_refusal(row, caller)) is not None:
        raise refused
    errors: Errors = {}
    if request.method == "POST":
        try:
            services.record_post_mortem(
                caller=caller,
                incident_id=pk,
                root_causes=_text(request, "root_causes"),
                went_well=_text(request, "went_well"),
                gate=_text(request, "gate"),
                actions=_actions(request),
            )
        except InvalidInput as exc:
            errors = _by_field(exc)
        else:
            messages.success(request, "Recorded and closed. Each corrective action is a finding with its owner.")
            return redirect("incident", pk)
    context = {"i": row, "groups": _learning_fields(request, row, errors), "errors": _summary(errors)}
    return render(request, "reviews/incident_post_mortem.html", context, status=422 if errors else 200)


@require_GET
def playbook_list(request: HttpRequest) -> HttpResponse:
    """Every playbook with its steps, roles and times."""
    books = [
        {
            "book": book,
            "kinds": [KINDS[kind] for kind in book.kinds],
            "steps": [
                {"step": each, "part": PARTS[each.part], "role": each.role.label, "within": _span(each.within)}
                for each in book.steps
            ],
        }
        for book in playbooks()
    ]
    return render(request, "reviews/incident_playbooks.html", {"books": books})


def _span(within: timedelta) -> str:
    minutes = int(within.total_seconds() // 60)
    count, unit = next(
        (minutes // size, unit) for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")) if minutes % size == 0
    )
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _page(request: HttpRequest, pk: int, errors: Errors | None = None) -> HttpResponse:
    caller, errors = caller_of(request), errors or {}
    row = find_incident(caller=caller, incident_id=pk)
    refused = working_refusal(row, caller)
    now = timezone.now()
    steps = [
        {
            "row": each,
            "part": PARTS[each.part],
            "role": Role(each.role).label,
            "late": each.done_at is None and each.due_at < now and row.state != Incident.CLOSED,
            "why_not": "" if (why := step_refusal(each, row, caller)) is None else why.detail,
            "field": _field(request, "note", f"What was done in step {each.position}?", {}, kind="textarea", rows=2,
                            id=f"f-note_{each.position}", error=errors.get(f"note_{each.position}", "")),
        }
        for each in row.steps.select_related("done_by")
    ]  # fmt: skip
    actions = Finding.objects.filter(submission=row.submission, about=f"incident:{row.number}").select_related("owner")
    context = {
        "i": row,
        "kind": KINDS[row.kind],
        "money": money(row.loss, row.currency),
        "steps": steps,
        "notes": row.notes.select_related("by").order_by("id"),
        "actions": actions,
        "post": getattr(row, "post_mortem", None),
        "why_not": "" if refused is None else refused.detail,
        "assess_fields": [_severity(request, errors, row.severity), *_cost_fields(request, errors, row)],
        "note_fields": [_field(request, "says", "What happened, and when?", errors, kind="textarea", rows=2)],
        "resolve_fields": [_field(request, "how", "How was it resolved?", errors, kind="textarea", rows=2)],
        "permit": Permit.objects.filter(submission=row.submission).order_by("-issued_at").first(),
        "may_revoke": refusal(case_of(row.submission, caller), Action.REVOKE, caller.actor(row.unit_id)) is None,
        "errors": _summary(errors),
    }
    return render(request, "reviews/incident.html", context, status=422 if errors else 200)


def _learning_fields(request: HttpRequest, row: Incident, errors: Errors) -> list[dict[str, Any]]:
    people = Person.objects.filter(may_see(row.unit_id), is_active=True).order_by("first_name", "username")[:300]
    options = [Option("", "Choose…"), *(Option(str(person.pk), person.name) for person in people)]
    codes = row.submission.outcomes.values_list("code", flat=True).distinct().order_by("code")
    causes = [
        _field(
            request, "root_causes", "What made it possible?", errors, kind="textarea",
            hint="Causes, not culprits: what let it happen, and what let it go unseen.",
        ),
        _field(request, "went_well", "What went well?", errors, kind="textarea", optional=True),
        _field(
            request, "gate", "Which gate should have caught it?", errors, kind="select",
            options=[Option("", "None of them"), *(Option(code, code) for code in codes)],
        ),
    ]  # fmt: skip
    groups: list[dict[str, Any]] = [{"title": "What was learnt", "fields": causes}]
    for at in range(1, ACTIONS + 1):
        optional = at > 1
        fields = [
            _field(
                request,
                f"action_{at}",
                "What is done?",
                errors,
                optional=optional,
                error=errors.get(f"action_{at}", errors.get("actions", "") if at == 1 else ""),
            ),
            _field(request, f"owner_{at}", "By whom?", errors, kind="select", options=options, optional=optional),
            _field(request, f"due_{at}", "Until when?", errors, kind="date", optional=optional),
        ]
        groups.append({"title": f"Corrective action {at}", "fields": fields})
    return groups


def _actions(request: HttpRequest) -> list[Corrective]:
    """The rows that were begun, in order; an untouched row is none."""
    found = []
    for at in range(1, ACTIONS + 1):
        says, owner, due = (_text(request, f"{name}_{at}") for name in ("action", "owner", "due"))
        if says or owner or due:
            found.append(Corrective(says, _number(owner) or 0, _date(due)))
    return found


def _new(request: HttpRequest) -> NewIncident:
    began = _text(request, "began_at")
    try:
        began_at = datetime.fromisoformat(began).replace(tzinfo=UTC) if began else None
    except ValueError:
        raise InvalidInput(
            "The time cannot be read.", errors=(FieldError("/began_at", "invalid", "Write it as 2026-11-21T14:30."),)
        ) from None
    return NewIncident(
        kind=_text(request, "kind"),
        severity=_text(request, "severity"),
        title=_text(request, "title"),
        says=_text(request, "says"),
        customer_impact=_text(request, "customer_impact"),
        loss=_amount(request),
        currency=_text(request, "currency").upper(),
        began_at=began_at,
    )


def _amount(request: HttpRequest) -> Decimal | None:
    raw = _text(request, "loss").replace(" ", "")
    if not raw:
        return None
    try:
        return Decimal(raw).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise InvalidInput(
            "The amount cannot be read.",
            errors=(FieldError("/loss", "invalid", "Write it with digits and a point, such as 12000.50."),),
        ) from None


def _cost_fields(request: HttpRequest, errors: Errors, row: Incident | None) -> list[FieldView]:
    loss = "" if row is None or row.loss is None else str(row.loss)
    return [
        _field(
            request, "customer_impact", "What did customers notice?", errors, kind="textarea", optional=True, rows=3,
            first=row.customer_impact if row else "", hint="How many, since when, and what it meant for them.",
        ),
        _field(
            request, "loss", "What did it cost, as far as is known?", errors, kind="number", optional=True, first=loss,
            hint="A declared amount, such as 12000.50. It can be corrected later.",
        ),
        _field(
            request, "currency", "In which currency?", errors, optional=True, first=row.currency if row else "", maxlength="3",
            hint="Three letters, such as EUR.",
        ),
    ]  # fmt: skip


def _severity(request: HttpRequest, errors: Errors, first: str) -> FieldView:
    options = [Option(each.value, each.value.capitalize()) for each in Severity]
    return _field(request, "severity", "How serious is it?", errors, kind="select", options=options, first=first or "medium")


def _field(request: HttpRequest, name: str, label: str, errors: Errors, *, first: str = "", **more: Any) -> FieldView:
    given = {"id": f"f-{name}", "error": errors.get(name, ""), "value": request.POST.get(name, first), **more}
    return FieldView(name=name, label=label, **given)


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _by_field(exc: DomainError) -> Errors:
    return {error.pointer.strip("/"): error.detail for error in exc.errors}


def _summary(errors: Errors) -> list[dict[str, str]]:
    return [{"href": f"#f-{name}", "text": text} for name, text in errors.items()]
