"""Threads of a case as a page: read them, draft remarks, publish them together."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from governance.domain.decision import DecisionView
from governance.domain.errors import DomainError
from governance.domain.vocabulary import Disposition
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.selectors.decision_view import decision_view
from reviews.selectors.loading import find_submission
from reviews.selectors.threads import drafts_of, remark_refusal, works_on_it
from reviews.services.threads import NewRemark, draft_remark, drop_draft, publish


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """What was said, the reader's own drafts, and a form for another remark."""
    caller = caller_of(request)
    submission = find_submission(caller=caller, submission_id=pk)
    refused = remark_refusal(submission, caller)
    problem = ""
    if request.method == "POST":
        try:
            said = _act(request, pk)
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, said)
            return redirect("threads", pk)
    view = decision_view(pk, caller)
    judges = refused is None and not works_on_it(submission, caller)
    context = {
        "v": view,
        "drafts": drafts_of(submission, caller),
        "refused": refused,
        "fields": [] if refused is not None else _fields(request, view, judges=judges),
        "problem": problem,
    }
    return render(request, "reviews/threads.html", context, status=422 if problem else 200)


def _act(request: HttpRequest, pk: int) -> str:
    caller, post = caller_of(request), request.POST
    if "publish" in post:
        number = len(publish(caller=caller, submission_id=pk))
        return f"{number} remark{'' if number == 1 else 's'} published. Those concerned are told."
    if "drop" in post:
        number = int(post["drop"]) if post["drop"].isascii() and post["drop"].isdigit() else 0
        drop_draft(caller=caller, submission_id=pk, remark_id=number)
        return "The draft is gone."
    kind, _, about = post.get("about", "").partition(":")
    new = NewRemark(text=post.get("text", ""), disposition=post.get("disposition", ""), about_kind=kind, about=about)
    draft_remark(caller=caller, submission_id=pk, new=new)
    return "Kept as a draft. Only you see it until you publish your drafts together."


def _fields(request: HttpRequest, view: DecisionView, *, judges: bool) -> list[FieldView]:
    sent = request.POST if request.method == "POST" else request.GET
    about = [Option("", "Choose a gate, a question or a finding…")]
    about += [Option(f"gate:{gate.code}", f"Gate {gate.code}: {gate.title or gate.name}") for gate in view.gates]
    about += [Option(f"question:{answer.id}", f"Question: {answer.ask}") for answer in view.answers]
    about += [Option(f"finding:{row.id.removeprefix('F-')}", f"Finding {row.id}: {row.about}") for row in view.findings]
    kinds = [Option(Disposition.QUESTION, "Question or answer")]
    if judges:
        kinds.append(
            Option(Disposition.MUST_FIX, "Must be fixed", "Nobody approves until somebody who reviews it resolves this.")
        )
    kinds.append(Option(Disposition.RESOLVED, "Resolved"))
    return [
        FieldView(name="about", label="What is it about?", kind="select", options=about, value=sent.get("about", "")),
        FieldView(
            name="disposition", label="What is it?", kind="radio", options=kinds, value=sent.get("disposition", "question")
        ),
        FieldView(
            name="text",
            label="What you say",
            kind="textarea",
            hint="Write @user.name to have somebody told. It is no part of what is signed, and voids no decision.",
            value=sent.get("text", ""),
        ),
    ]
