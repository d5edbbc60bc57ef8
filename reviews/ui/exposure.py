"""Exposure as pages: who may authorise what, the register of requests, one request with what the reader can do, and asking."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import DomainError, InvalidInput, ReauthenticationNeeded, StaleDossier
from governance.domain.vocabulary import Track
from governance.models import Submission
from governance.selectors.access import visible
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView
from governance.ui.freshness import authenticated_at, confirm_address, is_fresh
from reviews.selectors.authority import authorities
from reviews.selectors.decision_view import decision_view
from reviews.selectors.exposure import SCOPES, asking_refusal, contributors_of, plan_of, present_permit, standing_of
from reviews.selectors.exposure_view import exposure_requests, exposure_view
from reviews.services.exposure import NewExposure, decide_exposure, request_exposure, withdraw_exposure
from reviews.ui.paging import address, page_links

Errors = dict[str, str]


@require_GET
def authority(request: HttpRequest) -> HttpResponse:
    """Who may authorise what."""
    return render(request, "reviews/authority.html", {"groups": authorities(caller_of(request))})


@require_GET
def requests(request: HttpRequest) -> HttpResponse:
    """The register."""
    scope = request.GET.get("scope", "")
    scope = scope if scope in SCOPES else ""
    rows, following, before = exposure_requests(caller_of(request), scope=scope, cursor=request.GET.get("cursor", ""))
    context = {
        "rows": rows,
        "scopes": [
            {"label": label, "href": address(request, scope=name, cursor="") or "?", "current": name == scope}
            for name, label in SCOPES.items()
        ],
        "page": page_links(request, following, before),
    }
    return render(request, "reviews/exposure_requests.html", context)


@require_GET
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One request."""
    return _page(request, pk)


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant or refuse, on what the page showed."""
    try:
        row = decide_exposure(
            caller=caller_of(request),
            request_id=pk,
            grant=request.POST.get("do") == "grant",
            seen_digest=request.POST.get("seen", ""),
            why=request.POST.get("why", "").replace("\x00", ""),
            proved_at=authenticated_at(request),
        )
    except ReauthenticationNeeded:
        return redirect(confirm_address(f"/exposure/{pk}"))
    except InvalidInput as exc:
        return _page(request, pk, errors=_by_field(exc))
    except StaleDossier as exc:
        return _page(request, pk, changed=exc.detail, status=409)
    done = "Granted: there is a new permit." if row.outcome == row.GRANTED else "Refused."
    messages.success(request, f"{done} Whoever asked is told.")
    return redirect("exposure_request", pk)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it back."""
    withdraw_exposure(caller=caller_of(request), request_id=pk)
    messages.success(request, "Taken back.")
    return redirect("exposure_request", pk)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for more exposure, or read why that cannot be."""
    caller = caller_of(request)
    view = decision_view(pk, caller)
    submission = visible(Submission.objects.select_related("system", "version", "policy"), caller).get(pk=pk)
    permit = present_permit(submission)
    refused = asking_refusal(submission, permit, caller, contributors=contributors_of(submission))
    if refused is not None or permit is None:
        status = 403 if refused is not None and refused.kind == "forbidden" else 409
        why = refused.detail if refused is not None else ""
        return render(request, "reviews/not_now.html", {"v": view, "title": "More exposure", "why": why}, status=status)
    plan = plan_of(submission)
    assert plan is not None  # without one there is nothing to ask for, and asking was refused
    ladder = plan.tracks[Track(submission.track)]
    step = next(step for step in ladder.steps if step.to > permit.exposure)
    errors: Errors = {}
    problem = ""
    if request.method == "POST":
        given = NewExposure(
            wanted=_percent(request.POST.get("wanted", "")),
            reason=request.POST.get("reason", "").replace("\x00", ""),
            monitoring_says=request.POST.get("monitoring_says", "").replace("\x00", ""),
        )
        try:
            row = request_exposure(caller=caller, submission_id=pk, new=given)
        except InvalidInput as exc:
            errors = _by_field(exc)
        except DomainError as exc:
            problem = exc.detail
        else:
            granted = row.outcome == row.GRANTED
            messages.success(
                request, "Granted by the policy: there is a new permit." if granted else "Asked for. Who decides is told."
            )
            return redirect("exposure_request", row.pk)
    context = {
        "v": view,
        "plan": plan,
        "ladder": ladder,
        "step": step,
        "permit": permit,
        "known": standing_of(submission, permit, step.to).document(),
        "fields": _fields(request, step.to, errors),
        "problem": problem,
    }
    return render(request, "reviews/exposure_new.html", context, status=422 if errors or problem else 200)


def _page(request: HttpRequest, pk: int, *, errors: Errors | None = None, changed: str = "", status: int = 200) -> HttpResponse:
    view, errors = exposure_view(pk, caller_of(request)), errors or {}
    can = not view.cannot_decide
    why = FieldView(
        name="why",
        id="f-why",
        label="Why?",
        kind="textarea",
        hint="What you looked at, and what decided it. Who asked reads it, and so do auditors.",
        value=request.POST.get("why", ""),
        error=errors.get("why", ""),
    )
    context: dict[str, Any] = {
        "e": view,
        "waiting": view.row.state == "waiting",
        "can_decide": can,
        "fresh": can and is_fresh(request),
        "confirm": confirm_address(view.row.url),
        "fields": [why],
        "changed": changed,
        "errors": [{"href": f"#f-{name}", "text": text} for name, text in errors.items()],
    }
    return render(request, "reviews/exposure_request.html", context, status=422 if errors else status)


def _fields(request: HttpRequest, most: int, errors: Errors) -> list[FieldView]:
    def text(name: str, label: str, hint: str) -> FieldView:
        return FieldView(
            name=name,
            id=f"f-{name}",
            label=label,
            kind="textarea",
            hint=hint,
            value=request.POST.get(name, ""),
            error=errors.get(name, ""),
        )

    wanted = FieldView(
        name="wanted",
        id="f-wanted",
        label="Up to which share?",
        kind="number",
        suffix="%",
        hint=f"A whole percentage, {most} at most. One step at a time.",
        value=request.POST.get("wanted", str(most)),
        error=errors.get("wanted", ""),
    )
    return [
        wanted,
        text("reason", "Why should it go further?", "What is gained, and for whom."),
        text("monitoring_says", "What does the monitoring say so far?", "Good and bad, by group where you know it."),
    ]


def _percent(raw: str) -> int:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 4 else 0


def _by_field(exc: InvalidInput) -> Errors:
    return {error.pointer.strip("/"): error.detail for error in exc.errors} or {"why": exc.detail}
