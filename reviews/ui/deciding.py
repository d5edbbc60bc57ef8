"""Deciding on a case: each decision is one page that asks for what the decision needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from governance.domain.decision import DecisionView
from governance.domain.decision_gates import GateView
from governance.domain.decision_review import StepView
from governance.domain.errors import DomainError, FieldError, InvalidInput, StaleDossier
from governance.domain.vocabulary import DecisionKind, Role
from governance.models import Person
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.freshness import authenticated_at, confirm_address, is_fresh
from reviews.selectors.decision_view import decision_view
from reviews.services.claiming import claim as claim_case
from reviews.services.claiming import release as release_case
from reviews.services.deciding import decide
from reviews.services.decision_input import APPROVING, NewChange, NewCondition, NewDecision
from reviews.ui.case_context import case_context
from reviews.ui.decision_fields import check_rows, checks_of, day_of, in_full, reasons, residual
from reviews.ui.shown import first_shown

ROWS, MOST_ROWS = 3, 50
"""How many conditions or change items a page begins with, and the most it takes; each press of "Add another" adds one."""

TITLES = {
    DecisionKind.APPROVE: "Approve",
    DecisionKind.APPROVE_WITH_CONDITIONS: "Approve with conditions",
    DecisionKind.REQUEST_CHANGES: "Request changes",
    DecisionKind.REJECT: "Reject",
}


def decision_page(kind: DecisionKind) -> Callable[[HttpRequest, int], HttpResponse]:
    """The page for one kind of decision."""

    @require_http_methods(["GET", "POST"])
    def page(request: HttpRequest, pk: int) -> HttpResponse:
        return _page(request, pk, kind)

    return page


def _page(request: HttpRequest, pk: int, kind: DecisionKind) -> HttpResponse:
    caller = caller_of(request)
    view = decision_view(pk, caller)
    open_steps = [row for row in view.steps if row.state == "open"]
    # where several are open it is the caller's own, as the service chooses it
    step = next((row for row in open_steps if row.id == view.your_step), next(iter(open_steps), None))
    action = next((row for row in view.actions if row.action == kind.value), None)
    if step is None or action is None or not action.available:
        why = action.why_not if action else "Nothing waits for a decision."
        return render(request, "reviews/not_now.html", {"v": view, "title": TITLES[kind], "why": why}, status=409)
    signing = step.role == Role.RISK_OFFICER
    if signing and not is_fresh(request):
        return redirect(confirm_address(request.path))
    errors: dict[str, str] = {}
    problem, stale = "", False
    if request.method == "POST" and "add" not in request.POST:
        try:
            new = _decision(request, kind, view, step)
            decide(caller=caller, submission_id=pk, dossier_digest=request.POST.get("dossier_digest", ""), decision=new)
        except StaleDossier as exc:
            problem, stale = exc.detail, True
            view = decision_view(pk, caller)
        except InvalidInput as exc:
            errors = {error.pointer.strip("/").replace("/", "-"): error.detail for error in exc.errors}
            problem = "" if errors else exc.detail
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, f"Recorded: {TITLES[kind].lower()}. Everybody concerned sees it now.")
            return redirect("case", pk)
    context = {
        **case_context(view),
        "kind": kind.value,
        "shown": first_shown(request, view)[0],
        "title": "Sign: " + TITLES[kind].lower() if signing else TITLES[kind],
        "signing": signing,
        "step": step,
        "problem": problem,
        "stale": stale,
        "errors": [{"href": f"#f-{_id(name)}", "text": text} for name, text in errors.items()],
        "fields": _fields(request, kind, view, step, errors, signing=signing),
        "checks": check_rows(request, step, errors) if kind in APPROVING else [],
        "readings": _readings(request, kind, view, errors),
        "items": (items := _rows(request, kind, view, errors)),
        "add_more": _add_more(request, kind, items),
    }
    return render(request, "reviews/decide.html", context, status=422 if errors or problem else 200)


@require_POST
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the case on, so that nobody works on it twice."""
    claim_case(caller=caller_of(request), submission_id=pk)
    messages.success(request, "It is yours now. Release it if you cannot go on.")
    return redirect(_back(request, pk))


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the case back to the queue."""
    release_case(caller=caller_of(request), submission_id=pk)
    messages.success(request, "Released: somebody else can take it.")
    return redirect(_back(request, pk))


def _back(request: HttpRequest, pk: int) -> str:
    return reverse("queue") if request.POST.get("from") == "queue" else reverse("case", args=[pk])


def _decision(request: HttpRequest, kind: DecisionKind, view: DecisionView, step: StepView) -> NewDecision:
    post = request.POST
    conditions: list[NewCondition] = []
    changes: list[NewChange] = []
    for row in range(_row_count(request)):
        if kind is DecisionKind.APPROVE_WITH_CONDITIONS and post.get(f"condition-{row}-text", "").strip():
            conditions.append(
                NewCondition(
                    text=post[f"condition-{row}-text"].strip(),
                    owner=_number(post.get(f"condition-{row}-owner", "")),
                    due_on=_date(post.get(f"condition-{row}-due", ""), row),
                    if_missed=post.get(f"condition-{row}-missed", "").strip() or "The permit is revoked.",
                )
            )
        if kind is DecisionKind.REQUEST_CHANGES and (
            post.get(f"change-{row}-asks", "").strip() or post.get(f"change-{row}-about", "")
        ):
            about_kind, _, about = post.get(f"change-{row}-about", "").partition(":")
            changes.append(
                NewChange(
                    asks=post.get(f"change-{row}-asks", "").strip(),
                    good_enough=post.get(f"change-{row}-enough", "").strip(),
                    about_gate=about if about_kind == "gate" else "",
                    about_question=about if about_kind == "question" else "",
                )
            )
    return NewDecision(
        kind=kind,
        comment=post.get("comment", "").strip(),
        readings={gate.code: text for gate in view.gates if (text := post.get(f"reading-{gate.code}", "").strip())},
        conditions=tuple(conditions),
        change_items=tuple(changes),
        rationale=post.get("rationale", "").strip(),
        alternatives=post.get("alternatives", "").strip(),
        checks=checks_of(request, step),
        residual_risk=post.get("residual_risk", "").strip(),
        residual_level=post.get("residual_level", ""),
        residual_plan=post.get("residual_plan", "").strip(),
        residual_review_on=day_of(post.get("residual_review_on", "")),
        accepted_instead=post.get("accepted_instead", "").strip(),
        reauthenticated_at=authenticated_at(request),
        shown_at=first_shown(request, view)[1],
    )


def _fields(
    request: HttpRequest, kind: DecisionKind, view: DecisionView, step: StepView, errors: dict[str, str], *, signing: bool
) -> list[FieldView]:
    post = request.POST
    fields = [
        FieldView(
            name="comment",
            id="f-comment",
            label="Your assessment" if kind is not DecisionKind.REJECT else "Your reasons",
            kind="textarea",
            hint="What you looked at and why you decide so. It stays on record under your name.",
            value=post.get("comment", ""),
            error=errors.get("comment", ""),
        )
    ]
    if in_full(view.track, step, kind):
        fields += reasons(request, errors)
    if signing and kind in (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS):
        fields += residual(request, errors)
    if kind is DecisionKind.REJECT:
        fields.append(
            FieldView(
                name="accepted_instead",
                id="f-accepted_instead",
                label="What would be accepted instead",
                kind="textarea",
                hint="So that the team knows where to go from here.",
                value=post.get("accepted_instead", ""),
                error=errors.get("accepted_instead", ""),
            )
        )
    return fields


def _readings(request: HttpRequest, kind: DecisionKind, view: DecisionView, errors: dict[str, str]) -> list[dict[str, Any]]:
    if kind not in (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS):
        return []
    return [{"gate": gate, "field": _reading(request, gate, errors)} for gate in view.gates if gate.needs_reading]


def _reading(request: HttpRequest, gate: GateView, errors: dict[str, str]) -> FieldView:
    name = f"reading-{gate.code}"
    return FieldView(
        name=name,
        id=f"f-{_id(f'readings-{gate.code}')}",
        label=f"Your reading of {gate.code}, {gate.title or gate.name}",
        kind="textarea",
        rows=2,
        hint="What it means here and why it does not stop you.",
        value=request.POST.get(name, ""),
        error=errors.get(f"readings-{gate.code}", ""),
    )


def _rows(request: HttpRequest, kind: DecisionKind, view: DecisionView, errors: dict[str, str]) -> list[list[FieldView]]:
    if kind is DecisionKind.APPROVE_WITH_CONDITIONS:
        owners = [Option("", "Choose…"), *(Option(str(pk), name) for pk, name in _owners(view))]
        return [_condition_row(request, row, owners, errors) for row in range(_row_count(request))]
    if kind is DecisionKind.REQUEST_CHANGES:
        about = [Option("", "Choose a gate or a question…")]
        about += [Option(f"gate:{gate.code}", f"Gate {gate.code}: {gate.title or gate.name}") for gate in view.gates]
        about += [Option(f"question:{answer.id}", f"Question: {answer.ask}") for answer in view.answers]
        return [_change_row(request, row, about, errors) for row in range(_row_count(request))]
    return []


def _row_count(request: HttpRequest) -> int:
    """As many rows as the page had, one more when "Add another" was pressed."""
    sent = request.POST.get("rows", "")
    had = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 4 else ROWS
    return max(ROWS, min(MOST_ROWS, had + ("add" in request.POST)))


def _add_more(request: HttpRequest, kind: DecisionKind, items: list[list[FieldView]]) -> dict[str, Any] | None:
    """The button that adds a row; its address leads to the new row on the page that comes back. None where no more fit."""
    if not items or len(items) >= MOST_ROWS:
        return None
    part, first, word = (
        ("change_items", "about", "change") if kind is DecisionKind.REQUEST_CHANGES else ("conditions", "text", "condition")
    )
    address = f"{request.path}#f-{_id(f'{part}-{len(items)}-{first}')}"
    return {"address": address, "label": f"Add another {word}"}


def _condition_row(request: HttpRequest, row: int, owners: list[Option], errors: dict[str, str]) -> list[FieldView]:
    post = request.POST

    def field(name: str, label: str, **more: Any) -> FieldView:
        key = f"condition-{row}-{name}"
        error_key = {"text": "text", "owner": "owner", "due": "due_on", "missed": "if_missed"}[name]
        return FieldView(
            name=key,
            id=f"f-{_id(f'conditions-{row}-{error_key}')}",
            label=label,
            value=post.get(key, ""),
            error=errors.get(f"conditions-{row}-{error_key}", ""),
            optional=row > 0,
            **more,
        )

    return [
        field("text", f"Condition {row + 1}", kind="textarea", rows=2),
        field("owner", "Who sees to it", kind="select", options=owners),
        field("due", "Until when", kind="date"),
        field("missed", "What happens if it is missed", hint="The permit is revoked, unless you say otherwise."),
    ]


def _change_row(request: HttpRequest, row: int, about: list[Option], errors: dict[str, str]) -> list[FieldView]:
    post = request.POST

    def field(name: str, label: str, **more: Any) -> FieldView:
        key = f"change-{row}-{name}"
        error_key = {"about": "about", "asks": "asks", "enough": "good_enough"}[name]
        return FieldView(
            name=key,
            id=f"f-{_id(f'change_items-{row}-{error_key}')}",
            label=label,
            value=post.get(key, ""),
            error=errors.get(f"change_items-{row}-{error_key}", ""),
            optional=row > 0,
            **more,
        )

    return [
        field("about", f"Change {row + 1} is about", kind="select", options=about),
        field("asks", "What should change", kind="textarea", rows=2),
        field("enough", "What good enough looks like", kind="textarea", rows=2),
    ]


def _owners(view: DecisionView) -> list[tuple[int, str]]:
    people = Person.objects.filter(unit__name=view.unit, is_active=True).order_by("first_name", "username")
    return [(person.pk, person.name) for person in people[:200]]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _date(text: str, row: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            "A condition needs a date.",
            errors=(FieldError(f"/conditions/{row}/due_on", "date", "Give a date as year-month-day, for example 2027-01-31."),),
        ) from None


def _id(name: str) -> str:
    return "".join(ch if ch.isalnum() else "-" for ch in name)
