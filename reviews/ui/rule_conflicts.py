"""Conflicts about rules as pages: saying that one does not fit, deciding, and reading what was decided."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from governance.domain.errors import DomainError, NotFound
from governance.models import ConflictRuling, PolicyDraft
from governance.selectors.conflicts import conflicts, find_conflict, may_decide, precedents_of
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.services.rule_conflicts import decide_conflict, open_conflict, pack_of_rule

LATE = timedelta(days=2)


@require_GET
def conflict_list(request: HttpRequest) -> HttpResponse:
    """Conflicts of the reader's units."""
    return render(request, "reviews/rule_conflicts.html", {"rows": conflicts(caller_of(request))[:200]})


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Open one about `?about=` of `?pack=`, on `?submission=` where it was met."""
    caller = caller_of(request)
    pack, about = request.GET.get("pack", "ml_model"), request.GET.get("about", "")
    given = request.GET.get("submission", "").removeprefix("S-")
    _, title, why, _ = pack_of_rule(pack, about)
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        try:
            row = open_conflict(
                caller=caller,
                pack=pack,
                about=about,
                workload=request.POST.get("workload", ""),
                why=request.POST.get("why", ""),
                submission_id=int(given) if given.isdigit() else None,
            )
        except NotFound:
            raise
        except DomainError as exc:
            problem, errors = exc.detail, {e.pointer.removeprefix("/"): e.detail for e in exc.errors}
        else:
            messages.success(request, f"{row.number} is open. The policy authors were told; you are told what they decide.")
            return redirect("rule_conflict", row.pk)
    fields = [
        FieldView(
            name=name,
            label=label,
            kind="textarea",
            rows=3,
            hint=hint,
            value=request.POST.get(name, ""),
            error=errors.get(name, ""),
        )
        for name, label, hint in (
            ("workload", "What do you do?", "Such as: trains a churn model on pseudonymised support tickets."),
            ("why", "Why does the rule not fit it?", "And what would."),
        )
    ]
    context = {"about": about, "title": title, "why": why, "problem": problem, "fields": fields}
    context["precedents"] = precedents_of(pack, [about])
    return render(request, "reviews/rule_conflict_new.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One conflict with its decision, or deciding it."""
    caller = caller_of(request)
    row, inside = find_conflict(caller, pk)
    problem, errors = "", dict[str, str]()
    if request.method == "POST":
        draft = request.POST.get("draft", "")
        try:
            decide_conflict(
                caller=caller,
                conflict_id=pk,
                decision=request.POST.get("decision", ""),
                handling=request.POST.get("handling", ""),
                draft_id=int(draft) if draft.isdigit() else None,
            )
        except NotFound:
            raise
        except DomainError as exc:
            if exc.kind.value == "forbidden":
                raise
            problem, errors = exc.detail, {e.pointer.removeprefix("/"): e.detail for e in exc.errors}
        else:
            messages.success(request, "Decided. It is shown to everybody who meets the rule from now on.")
            return redirect("rule_conflict", pk)
    try:
        _, title, _, learn = pack_of_rule(row.pack, row.about)
    except NotFound:
        title, learn = f"{row.about} is no longer part of the policy", ""
    drafts = PolicyDraft.objects.filter(name=row.pack).exclude(state=PolicyDraft.DROPPED).only("pk", "why", "state")[:50]
    fields = [
        FieldView(
            name="decision",
            label="What becomes of the rule?",
            kind="radio",
            value=request.POST.get("decision", ""),
            options=[Option(value, label.capitalize()) for value, label in ConflictRuling.HOW],
            error=errors.get("decision", ""),
        ),
        FieldView(
            name="handling",
            label="What does the next one who meets it do?",
            kind="textarea",
            rows=3,
            value=request.POST.get("handling", ""),
            hint="Everybody who meets the rule reads this, in every unit: name no person and no project.",
            error=errors.get("handling", ""),
        ),
        FieldView(
            name="draft",
            label="Which draft changes it?",
            kind="select",
            value=request.POST.get("draft", ""),
            options=[Option("", "none"), *(Option(str(d.pk), f"Draft {d.pk}: {d.why[:60]}") for d in drafts)],
            optional=True,
            error=errors.get("draft", ""),
        ),
    ]
    context = {
        "row": row,
        "inside": inside,
        "title": title,
        "learn": learn,
        "problem": problem,
        "late": timezone.now() - row.at > LATE,
        "fields": fields if may_decide(row, caller) else [],
    }
    return render(request, "reviews/rule_conflict.html", context, status=422 if problem else 200)
