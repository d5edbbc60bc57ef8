"""The life of a policy as pages: drafts with their tests and back-tests, a ruling by a second person."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from governance.domain.errors import DomainError, ErrorKind, InvalidInput, ReauthenticationNeeded
from governance.domain.vocabulary import Role
from governance.models import PolicyDraft
from governance.selectors.access import Caller
from governance.selectors.policy import installed_kinds
from governance.selectors.policy_drafts import DraftView, draft_view, drafts
from governance.services import policy_drafts
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.freshness import authenticated_at, confirm_address
from reviews.services import backtesting, policy_life


@require_http_methods(["GET", "POST"])
def draft_list(request: HttpRequest) -> HttpResponse:
    """Every draft; policy authors start another one from the version in force."""
    caller = caller_of(request)
    kinds = [Option(str(each.kind), each.title) for each in installed_kinds()]
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        try:
            draft = policy_drafts.start_draft(caller=caller, kind=request.POST.get("kind", ""), why=request.POST.get("why", ""))
        except InvalidInput as exc:
            problem, errors = exc.detail, _by_field(exc)
        else:
            return redirect("policy_draft", draft.pk)
    fields = [
        FieldView(name="kind", label="Which policy?", kind="select", value=request.POST.get("kind", ""), options=kinds),
        FieldView(
            name="why",
            label="Why does it have to change?",
            kind="textarea",
            rows=3,
            value=request.POST.get("why", ""),
            error=errors.get("why", ""),
            hint="It stays on record beside the version.",
        ),
    ]
    context = {"drafts": drafts(), "fields": fields if _author(caller) else [], "problem": problem}
    return render(request, "reviews/policy_drafts.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """One draft: its limits and text, its tests, what it changes, its back-tests, and the ruling."""
    caller = caller_of(request)
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        try:
            return _do(request, caller, pk)
        except ReauthenticationNeeded:
            return redirect(confirm_address(request.path))
        except DomainError as exc:
            if exc.kind in (ErrorKind.FORBIDDEN, ErrorKind.MISSING):
                raise
            problem, errors = exc.detail, _by_field(exc)
    view = draft_view(pk)
    return render(
        request, "reviews/policy_draft.html", _context(request, caller, view, problem, errors), status=422 if problem else 200
    )


def _do(request: HttpRequest, caller: Caller, pk: int) -> HttpResponse:
    """What the button says. Comes back to the part of the page it belongs to."""
    do, given = request.POST.get("do", ""), request.POST
    part = "#proposal"
    if do == "limits":
        policy_drafts.change_limits(
            caller=caller, draft_id=pk, rule_id=given.get("rule", ""), yellow=given.get("yellow", ""), red=given.get("red", "")
        )
        messages.success(request, "Kept. Look at the tests: results that changed have to be confirmed.")
        part = "#tests"
    elif do == "text":
        policy_drafts.change_text(caller=caller, draft_id=pk, source=given.get("source", ""))
        messages.success(request, "Kept.")
        part = "#text"
    elif do == "examples":
        policy_drafts.accept_examples(caller=caller, draft_id=pk, rule_id=given.get("rule", ""))
        messages.success(request, "The examples now say what the rule gives.")
        part = "#tests"
    elif do == "backtest":
        view = draft_view(pk)
        asked = backtesting.ask(
            caller=caller,
            name=view.draft.name,
            source=view.draft.source,
            questionnaire=view.draft.questionnaire,
            draft=view.draft,
        )
        return redirect("policy_backtest", asked.pk)
    elif do == "propose":
        policy_life.propose(caller=caller, draft_id=pk)
        messages.success(request, "Proposed. A risk officer who did not write it rules on it; both of you are told.")
    elif do == "drop":
        policy_drafts.drop_draft(caller=caller, draft_id=pk)
        messages.success(request, "Dropped. It stays on record.")
    elif do in ("approve", "return"):
        policy_life.rule(
            caller=caller,
            draft_id=pk,
            approve=do == "approve",
            why=given.get("why", ""),
            proved_at=authenticated_at(request),
            active_from=_day(given.get("active_from", "")),
        )
        messages.success(request, "Recorded under your name.")
    else:
        raise InvalidInput("That button is not known here. Reload the page.")
    response = redirect("policy_draft", pk)
    response["Location"] += part
    return response


def _day(given: str) -> datetime | None:
    if not given.strip():
        return None
    try:
        return datetime.combine(date.fromisoformat(given.strip()), time(0), UTC)
    except ValueError:
        raise InvalidInput(f"“{given[:20]}” is no day. Write it as 2027-01-31, or leave it empty for now.") from None


def _context(request: HttpRequest, caller: Caller, view: DraftView, problem: str, errors: dict[str, str]) -> dict[str, Any]:
    is_open = view.draft.state == PolicyDraft.OPEN
    editable = is_open and _author(caller)
    refused = policy_life.ruling_refusal(view.draft, caller) if view.draft.state == PolicyDraft.PROPOSED else None
    chosen = request.POST.get("rule", "")
    failing = {row.rule for row in view.failing}
    source = request.POST.get("source", view.draft.source) if problem else view.draft.source
    return {
        "view": view,
        "draft": view.draft,
        "editable": editable,
        "problem": problem,
        "limits": [
            {
                "rule": row.rule,
                "fields": [
                    FieldView(
                        name=name,
                        id=f"f-{row.rule.id}-{name}",
                        label=f"{name.capitalize()} starts at",
                        value=request.POST.get(name, value) if chosen == row.rule.id else value,
                        suffix=row.suffix,
                        inputmode="decimal",
                        error=errors.get(name, "") if chosen == row.rule.id else "",
                    )
                    for name, value in (("yellow", row.yellow), ("red", row.red))
                    if value
                ],
            }
            for row in view.limits
        ],
        "text_field": FieldView(name="source", label="The pack as text (YAML)", kind="textarea", rows=24, value=source),
        "failing_rules": [(rule, [row for row in view.failing if row.rule == rule]) for rule in sorted(failing)],
        "may_backtest": view.pack is not None and bool(view.differences),
        "may_rule": view.draft.state == PolicyDraft.PROPOSED and refused is None,
        "refused": refused.detail if refused is not None else "",
        "ruling_fields": [
            FieldView(
                name="why",
                label="What did you look at, and why is it right (or not)?",
                kind="textarea",
                rows=3,
                value=request.POST.get("why", ""),
                error=errors.get("why", ""),
            ),
            FieldView(
                name="active_from",
                label="In force from",
                kind="date",
                value=request.POST.get("active_from", ""),
                optional=True,
                hint="Empty: at once. What is open keeps the stricter of the two versions.",
                error=errors.get("active_from", ""),
            ),
        ],
    }


def _author(caller: Caller) -> bool:
    return caller.token is None and Role.POLICY_AUTHOR in caller.any_roles


def _by_field(exc: DomainError) -> dict[str, str]:
    return {error.pointer.removeprefix("/"): error.detail for error in exc.errors}
