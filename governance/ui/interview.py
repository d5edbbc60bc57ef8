"""The interview: one question at a time, only what nobody and nothing has answered yet, saved as one goes.

The same questions and the same services as the pages by topic. What a file or a register says is not asked again; it is confirmed
in one go on the check page.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import InvalidInput
from governance.domain.incoming import NewAnswer
from governance.domain.vocabulary import EDITABLE_STATES, State
from governance.selectors.drafts import Draft, QuestionState, Topic, draft_of
from governance.services.drafts import answer, changing
from governance.ui.answering import given_answers
from governance.ui.draft_context import CONFIRMED_BESIDE, frame
from governance.ui.drafts import caller_of
from governance.ui.question_fields import asked_fields


@dataclass(frozen=True)
class Interview:
    """The questions a person is asked, in the order of the topics."""

    questions: tuple[QuestionState, ...]

    @classmethod
    def of(cls, draft: Draft) -> Interview:
        return cls(tuple(state for topic in draft.topics for state in topic.questions if _asked(state)))

    @property
    def open(self) -> tuple[QuestionState, ...]:
        return tuple(state for state in self.questions if not state.answered)

    def index(self, name: str) -> int:
        """Place of a question, -1 when it is not asked here."""
        return next((n for n, state in enumerate(self.questions) if state.question.id == name), -1)

    def after(self, name: str) -> str | None:
        """The next open question after this one, else the first open one before it; None when all is said."""
        place = self.index(name)
        waiting = [state.question.id for state in self.questions[place + 1 :] if not state.answered]
        return waiting[0] if waiting else next((s.question.id for s in self.open if s.question.id != name), None)


def _asked(state: QuestionState) -> bool:
    return state.shown is None


@require_GET
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """To the first open question, or on when there is none."""
    draft = draft_of(caller=caller_of(request), submission_id=pk)
    waiting = Interview.of(draft).open
    return redirect("draft_interview", pk, waiting[0].question.id) if waiting else redirect(_end(draft))


@require_http_methods(["GET", "POST"])
def question(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One question; what is said is saved at once and the next one follows."""
    caller = caller_of(request)
    draft = draft_of(caller=caller, submission_id=pk)
    interview = Interview.of(draft)
    place = interview.index(name)
    if place < 0:
        # answered by a file or not asked any more since another answer changed: a link kept from before leads on
        if any(known.id == name for known in draft.preview.pack.form.questions):
            return redirect("draft_interview_start", pk)
        raise Http404
    state = interview.questions[place]
    errors: dict[str, str] = {}
    if request.method == "POST":
        given = given_answers(request, Topic(state.question.topic, "", (state,)))
        try:
            with changing(caller, pk) as (work, submission):
                if given:
                    answer(work, submission, given)
                elif state.question.required and not state.answered:
                    errors = {name: "Answer, or choose “I do not know”."}
        except InvalidInput as exc:
            errors = {e.pointer.removeprefix("/answers/"): e.detail for e in exc.errors} or {name: exc.detail}
        if not errors:
            return redirect(_next(draft_of(caller=caller, submission_id=pk), name))
    asked = asked_fields([state], request.POST if errors else None, errors)
    back = interview.questions[place - 1].question.id if place else ""
    context = {
        **frame(draft),
        "topic": next(topic for topic in draft.topics if topic.slug == state.question.topic),
        "item": asked[0],
        "errors": [{"href": f"#{item.field.html_id}", "text": item.field.error} for item in asked if item.field.error],
        "position": place + 1,
        "total": len(interview.questions),
        "left": len(interview.open),
        "back": back,
        "skip": "" if state.question.required or state.answered else interview.after(name) or "",
    }
    return render(request, "governance/draft_interview.html", context, status=422 if errors else 200)


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer an advice asks for, given where the advice stands: beside the questions."""
    caller = caller_of(request)
    name, said = request.POST.get("question", ""), request.POST.get("value", "").strip()
    if name not in CONFIRMED_BESIDE:
        raise Http404
    draft = draft_of(caller=caller, submission_id=pk)
    state = next((state for state in draft.states if state.question.id == name), None)
    if state is None:
        raise Http404
    there = f"{reverse('draft_topic', args=[pk, state.question.topic])}?return=check"
    if not said:
        messages.error(request, f"Nothing was saved. {state.question.good}")
        return redirect(there)
    try:
        with changing(caller, pk) as (work, submission):
            answer(work, submission, {name: NewAnswer(said)})
    except InvalidInput as exc:
        messages.error(request, exc.errors[0].detail if exc.errors else exc.detail)
        return redirect(there)
    messages.success(request, "Saved. The data steward sees what you wrote.")
    return redirect("draft_check", pk)


def _next(draft: Draft, name: str) -> str:
    following = Interview.of(draft).after(name)
    return reverse("draft_interview", args=[draft.submission.pk, following]) if following else _end(draft)


def _end(draft: Draft) -> str:
    """Evidence when some is missing and can still be added, else the check page."""
    editable = State(draft.submission.state) in EDITABLE_STATES
    return reverse("draft_evidence" if draft.missing_evidence and editable else "draft_check", args=[draft.submission.pk])
