"""The questionnaire: one topic a page, prefilled, with the track beside it; then check your answers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import DomainError, InvalidInput
from governance.domain.facts import same
from governance.domain.incoming import NewAnswer
from governance.domain.vocabulary import Provenance
from governance.policy import parse_answer
from governance.selectors.drafts import Draft, QuestionState, Topic, draft_of
from governance.services.drafts import answer, changing
from governance.ui.draft_context import evidence_rows, frame, panel, provenance_of
from governance.ui.drafts import caller_of
from governance.ui.fields import UNKNOWN
from governance.ui.question_fields import Asked, asked_fields, sent_value


@require_http_methods(["GET", "POST"])
def topic(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """One topic: confirm what was read, fill the gaps, say "I do not know" where that is so."""
    caller = caller_of(request)
    draft = draft_of(caller=caller, submission_id=pk)
    page = _topic(draft, slug)
    errors: dict[str, str] = {}
    if request.method == "POST":
        given = given_answers(request, page)
        try:
            with changing(caller, pk) as (work, submission):
                if given:
                    answer(work, submission, given)
        except InvalidInput as exc:
            errors = {e.pointer.removeprefix("/answers/"): e.detail for e in exc.errors} or {"": exc.detail}
        else:
            return redirect(_next(request, draft, page))
    asked = asked_fields(page.questions, request.POST if errors else None, errors)
    position = [t.slug for t in draft.topics].index(page.slug) + 1
    context = {
        **frame(draft),
        "topic": page,
        "asked": asked,
        "errors": _errors(asked),
        "position": position,
        "back": request.GET.get("return", ""),
    }
    return render(request, "governance/draft_topic.html", context, status=422 if errors else 200)


@require_POST
def live_track(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """The track panel for what is being typed, nothing recorded."""
    caller = caller_of(request)
    saved = draft_of(caller=caller, submission_id=pk)
    typed = given_answers(request, _topic(saved, slug))
    draft = draft_of(caller=caller, submission_id=pk, typed=typed) if typed else saved
    return render(request, "governance/_draft_track.html", panel(draft))


@require_GET
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers: everything that will be handed in, with change links, advice and the track."""
    draft = draft_of(caller=caller_of(request), submission_id=pk)
    here = reverse("draft_check", args=[pk])
    sections = [
        {
            "title": page.title,
            "rows": [
                _summary_row(state, f"{reverse('draft_topic', args=[pk, page.slug])}?return=check", here)
                for state in page.questions
            ],
        }
        for page in draft.topics
    ]
    return render(
        request, "governance/draft_check.html", {**frame(draft), "sections": sections, "evidence_rows": evidence_rows(draft)}
    )


@require_POST
def accept_all(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm every prefilled value that nobody touched yet."""
    caller = caller_of(request)
    draft = draft_of(caller=caller, submission_id=pk)
    untouched = [s for s in draft.states if s.answer is None and (s.shown or s.offer)]
    if untouched:
        with changing(caller, pk) as (work, submission):
            answer(work, submission, {s.question.id: NewAnswer(s.value) for s in untouched})
    carried = sum(s.shown is None for s in untouched)
    more = f", {carried} of them as the version before answered" if carried else ""
    messages.success(request, f"Confirmed {len(untouched)} prefilled answer{'s' if len(untouched) != 1 else ''}{more}.")
    return redirect("draft_check", pk)


def _topic(draft: Draft, slug: str) -> Topic:
    found = next((page for page in draft.topics if page.slug == slug), None)
    if found is None:
        raise Http404
    return found


def given_answers(request: HttpRequest, page: Topic) -> dict[str, NewAnswer]:
    """What was typed, by question: empty fields say nothing, an untouched prefilled value confirms it."""
    found = {}
    for state in page.questions:
        raw = sent_value(state.question, request.POST)
        if raw in ("", [], None):
            continue
        value = None if raw == UNKNOWN else raw
        reason = request.POST.get(f"{state.question.id}__reason", "")
        if value is not None and _unchanged_answer(state, value, reason):
            continue
        found[state.question.id] = NewAnswer(value, reason)
    return found


def _unchanged_answer(state: QuestionState, raw: Any, reason: str) -> bool:
    """An edited answer shown again and not touched needs no new record."""
    if (
        state.answer is None
        or state.answer.provenance not in (Provenance.EDITED, Provenance.TYPED, Provenance.CARRIED_OVER)
        or reason
    ):
        return False
    try:
        return same(parse_answer(state.question, raw), state.answer.value)
    except DomainError:
        return False


def _next(request: HttpRequest, draft: Draft, page: Topic) -> str:
    pk = draft.submission.pk
    if request.GET.get("return") == "check":
        return reverse("draft_check", args=[pk])
    slugs = [t.slug for t in draft.topics]
    following = slugs[slugs.index(page.slug) + 1 :]
    return reverse("draft_topic", args=[pk, following[0]]) if following else reverse("draft_evidence", args=[pk])


def _errors(asked: list[Asked]) -> list[dict[str, str]]:
    return [{"href": f"#{item.field.html_id}", "text": item.field.error} for item in asked if item.field.error]


def _summary_row(state: QuestionState, change: str, here: str) -> dict[str, Any]:
    unknown = state.answer is not None and state.answer.provenance == Provenance.UNKNOWN
    value = "I do not know" if unknown else _in_words(state) if state.known else "not answered"
    return {
        "label": state.question.ask,
        "value": value,
        "provenance": provenance_of(state),
        "change_href": change,
        "hint": _counts(state),
    }


def _in_words(state: QuestionState) -> Any:
    """The answer as its question words it."""
    labels = {choice.value: choice.label for choice in state.question.choices}
    if isinstance(state.value, list):
        return [labels.get(item, item) if isinstance(item, str) else item for item in state.value]
    return labels.get(state.value, state.value) if isinstance(state.value, str) else state.value


def _counts(state: QuestionState) -> str:
    """What an open question means for the track."""
    if state.answered or not (state.question.required or state.offer):
        return ""
    if state.offer is not None:
        return "Says nothing about this version until you confirm that it still holds."
    return "Counts on the stricter side until it is answered."
