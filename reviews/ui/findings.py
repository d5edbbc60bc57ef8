"""The findings board: everything found, whose it is, what was done, and who looked at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from governance.domain.errors import DomainError, FieldError, InvalidInput
from governance.domain.remedies import assign_refusal, fix_refusal, raise_refusal, verify_refusal
from governance.domain.vocabulary import Severity, State
from governance.models import Submission
from governance.selectors.access import Caller
from governance.ui.drafts import caller_of
from governance.ui.fields import ErrorItem, FieldView, Option
from reviews.models import Finding
from reviews.selectors.decision_view import decision_view
from reviews.selectors.findings import STATES, FindingFilters, actor_on, find, findings, remedy_of
from reviews.services.remedying import NewFinding, assign, people_of, raise_finding, report_fix, verify
from reviews.ui.paging import address, page_links

PAGE, COLUMN = 50, 25
VIEWS = {"list": "List", "board": "Board by state"}


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Findings of the caller's units as a list, or as columns by state."""
    caller, shown = caller_of(request), "board" if request.GET.get("view") == "board" else "list"
    filters, problem = _filters(request)
    context: dict[str, Any] = {
        "view": shown,
        "views": [
            {"label": label, "href": address(request, view=name, cursor=""), "current": name == shown}
            for name, label in VIEWS.items()
        ],
        "filters": _filter_fields(filters, shown),
        "problem": problem,
    }
    if shown == "board":
        context["columns"] = _columns(request, caller, filters)
    else:
        rows, following, before = findings(caller, filters=filters, cursor=request.GET.get("cursor", ""), size=PAGE)
        context |= {"rows": rows, "page": page_links(request, following, before)}
    return render(request, "reviews/findings.html", context)


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding, with what the reader may do about it."""
    caller = caller_of(request)
    finding = find(caller, pk)
    errors: dict[str, str] = {}
    problem, done = "", request.POST.get("do", "")
    if request.method == "POST":
        try:
            says = _DO.get(done, _nothing)(request, caller, pk)
        except InvalidInput as exc:
            errors = {error.pointer.strip("/"): error.detail for error in exc.errors}
            problem = "" if errors else exc.detail
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, says)
            return redirect("finding", pk)
    context = {
        "f": finding,
        "state_words": STATES[finding.state],
        "problem": problem,
        "forms": (forms := _forms(request, caller, finding, done, errors)),
        "errors": [
            ErrorItem(f"#{field.html_id}", field.error) for form in forms for field in form.get("fields", ()) if field.error
        ],
    }
    return render(request, "reviews/finding.html", context, status=422 if errors or problem else 200)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Raise a finding on a case."""
    caller = caller_of(request)
    view = decision_view(pk, caller)
    submission = Submission.objects.get(pk=view.id)
    if (refused := raise_refusal(State(submission.state), caller.actor(submission.unit_id))) is not None:
        context = {"v": view, "title": "Raise a finding", "why": refused.detail}
        return render(request, "reviews/not_now.html", context, status=409)
    errors: dict[str, str] = {}
    problem = ""
    if request.method == "POST":
        post = request.POST
        try:
            given = NewFinding(
                about=post.get("about", ""),
                severity=post.get("severity", ""),
                says=post.get("says", ""),
                fix=post.get("fix", ""),
                owner=_number(post.get("owner", "")),
                due_on=_date(post.get("due_on", "")),
            )
            finding = raise_finding(caller=caller, submission_id=pk, new=given)
        except InvalidInput as exc:
            errors = {error.pointer.strip("/"): error.detail for error in exc.errors}
            problem = "" if errors else exc.detail
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, f"{finding.number} is raised. Its owner is told.")
            return redirect("finding", finding.pk)
    gates = [Option(gate.code, f"{gate.code} {gate.title or gate.name}") for gate in view.gates]
    fields = [
        _field(request, errors, "about", "What is it about?", kind="select", options=[Option("", "Choose…"), *gates, *_PARTS]),
        _field(request, errors, "severity", "How severe is it?", kind="select", options=[Option("", "Choose…"), *_SEVERITIES]),
        _field(request, errors, "says", "What did you find?", kind="textarea", rows=3),
        _field(request, errors, "fix", "What would be good enough?", kind="textarea", rows=2),
        *_owner_fields(request, errors, submission.unit_id, submission.submitter_id, None),
    ]
    context = {
        "v": view,
        "fields": fields,
        "problem": problem,
        "errors": [ErrorItem(f"#{field.html_id}", field.error) for field in fields if field.error],
    }
    return render(request, "reviews/finding_new.html", context, status=422 if errors or problem else 200)


_PARTS = [Option(part, part) for part in ("questionnaire", "evidence", "business context", "roll-out", "monitoring", "other")]
_SEVERITIES = [Option(severity.value, severity.value) for severity in Severity]


def _forms(request: HttpRequest, caller: Caller, finding: Finding, done: str, errors: dict[str, str]) -> list[dict[str, Any]]:
    """What the reader may do now; what they may not and could expect to, with the reason."""
    remedy, actor = remedy_of(finding), actor_on(caller, finding)
    forms: list[dict[str, Any]] = []
    if finding.state == "open":
        mine = errors if done == "fix" else {}
        fields = [
            _field(request, mine, "remediation", "What was done?", kind="textarea", rows=3),
            _field(
                request,
                mine,
                "evidence",
                "Where can it be seen?",
                hint="A submission such as S-12, a file, the address of a change.",
            ),
        ]
        forms.append(_form("fix", "Report the fix", "Report it as fixed", fix_refusal(remedy, actor), fields))
    if finding.state == "fixed":
        mine = errors if done in ("verify", "reopen") else {}
        fields = [_field(request, mine, "why", "What did you look at?", kind="textarea", rows=3)]
        form = _form("verify", "Verify the fix", "It holds: close it", verify_refusal(remedy, actor), fields)
        forms.append({**form, "also": {"do": "reopen", "label": "Not enough yet: open it again"}})
    if finding.state != "closed" and assign_refusal(remedy, actor) is None:
        mine = errors if done == "assign" else {}
        fields = _owner_fields(request, mine, finding.submission.unit_id, finding.owner_id, finding.due_on)
        forms.append(_form("assign", "Whose it is", "Save", None, fields))
    return forms


def _form(do: str, title: str, label: str, refused: DomainError | None, fields: list[FieldView]) -> dict[str, Any]:
    if refused is not None:
        return {"do": do, "title": title, "why_not": refused.detail}
    return {"do": do, "title": title, "label": label, "fields": fields}


def _fix(request: HttpRequest, caller: Caller, pk: int) -> str:
    post = request.POST
    report_fix(caller=caller, finding_id=pk, remediation=post.get("remediation", ""), evidence=post.get("evidence", ""))
    return "Reported as fixed. Somebody else verifies it."


def _verify(request: HttpRequest, caller: Caller, pk: int) -> str:
    verify(caller=caller, finding_id=pk, good=True, why=request.POST.get("why", ""))
    return "Verified and closed."


def _reopen(request: HttpRequest, caller: Caller, pk: int) -> str:
    verify(caller=caller, finding_id=pk, good=False, why=request.POST.get("why", ""))
    return "Open again. Its owner is told."


def _assign(request: HttpRequest, caller: Caller, pk: int) -> str:
    owner, due_on = _number(request.POST.get("owner", "")), _date(request.POST.get("due_on", ""))
    assign(caller=caller, finding_id=pk, owner_id=owner, due_on=due_on)
    return "Saved."


def _nothing(request: HttpRequest, caller: Caller, pk: int) -> str:
    raise InvalidInput("Choose one of the buttons of this page.")


_DO: dict[str, Callable[[HttpRequest, Caller, int], str]] = {
    "fix": _fix,
    "verify": _verify,
    "reopen": _reopen,
    "assign": _assign,
}


def _owner_fields(
    request: HttpRequest, errors: dict[str, str], unit_id: int, owner: int | None, due_on: date | None
) -> list[FieldView]:
    people = [Option("", "Choose…"), *(Option(str(pk), name) for pk, name in people_of(unit_id))]
    return [
        _field(request, errors, "owner", "Who sees to it?", kind="select", options=people, usual=str(owner or "")),
        _field(
            request,
            errors,
            "due_on",
            "Until when?",
            kind="date",
            usual=due_on.isoformat() if due_on is not None else "",
            optional=True,
        ),
    ]


def _field(request: HttpRequest, errors: dict[str, str], name: str, label: str, *, usual: str = "", **more: Any) -> FieldView:
    return FieldView(name=name, label=label, value=request.POST.get(name, usual), error=errors.get(name, ""), **more)


def _columns(request: HttpRequest, caller: Caller, filters: FindingFilters) -> list[dict[str, Any]]:
    """A column per state, the newest of each; the rest is in the list."""
    columns = []
    for state, title in STATES.items():
        if filters.state not in ("", state):
            continue
        narrowed = FindingFilters(state, filters.severity, filters.system, filters.owner, filters.due)
        rows, more, _ = findings(caller, filters=narrowed, size=COLUMN)
        href = address(request, view="list", state=state, cursor="") if more else ""
        columns.append({"state": state, "title": title, "rows": rows, "more": href})
    return columns


def _filters(request: HttpRequest) -> tuple[FindingFilters, str]:
    """The filters of the address; one that cannot be is said and left out."""
    names = ("state", "severity", "system", "owner", "due")
    wanted = FindingFilters(**{name: request.GET.get(name, "").strip()[:200] for name in names})
    try:
        wanted.check()
    except InvalidInput as exc:
        return FindingFilters(system=wanted.system), exc.detail
    return wanted, ""


def _filter_fields(filters: FindingFilters, view: str) -> list[FieldView]:
    owners = [Option("", "anybody's"), Option("me", "mine"), Option("nobody", "nobody's")]
    if filters.owner not in ("", "me", "nobody"):
        owners.append(Option(filters.owner, filters.owner))
    states = [Option("", "any"), *(Option(name, label) for name, label in STATES.items())]
    severities = [Option("", "any"), *_SEVERITIES]
    due = [Option("", "any time"), Option("overdue", "overdue")]
    return [
        FieldView(name="state", label="State", kind="select", value=filters.state, options=states),
        FieldView(name="severity", label="Severity", kind="select", value=filters.severity, options=severities),
        FieldView(name="owner", label="Owner", kind="select", value=filters.owner, options=owners),
        FieldView(name="due", label="Due", kind="select", value=filters.due, options=due),
        FieldView(name="system", label="System", value=filters.system),
        *([FieldView(name="view", label="As", kind="select", value=view, options=[Option(k, v) for k, v in VIEWS.items()])]),
    ]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _date(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(
            "The date cannot be read.",
            errors=(FieldError("/due_on", "date", "Give a date as year-month-day, for example 2027-01-31."),),
        ) from None
