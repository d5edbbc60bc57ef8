"""Lessons for reviewers: reading one, taking its quiz, and who passed what."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from gates.registry import gates as all_gates
from gates.selectors.chart_table import cell
from governance.domain.errors import Conflict, InvalidInput
from governance.policy.lessons import Lesson
from governance.policy.regimes import regimes
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.selectors.learning_records import PassLine, every_pass, own_lessons, people_lines, records_refusal
from reviews.services.learning import lesson_or_404, take_quiz
from reviews.ui.paging import page_links

COLUMNS = tuple(field.name for field in fields(PassLine))


@require_GET
def lesson(request: HttpRequest, name: str) -> HttpResponse:
    """One lesson: what to look for, a good and a bad example. The quiz is a page of its own."""
    found = lesson_or_404(name)
    own = next(row for row in own_lessons(caller_of(request)) if row.lesson is found)
    return render(request, "reviews/lesson.html", {"lesson": found, "own": own, **_about(found)})


@never_cache
@require_http_methods(["GET", "POST"])
def quiz(request: HttpRequest, name: str) -> HttpResponse:
    """The questions; after sending them, each with what was chosen and the reason. Reasons stand nowhere before."""
    found = lesson_or_404(name)
    chosen = {question.id: request.POST.get(question.id, "") for question in found.quiz}
    errors: dict[str, str] = {}
    problem, taken = "", None
    if request.method == "POST":
        try:
            taken = take_quiz(caller=caller_of(request), name=name, digest=request.POST.get("digest", ""), chosen=chosen)
        except InvalidInput as exc:
            errors = {error.pointer.strip("/"): error.detail for error in exc.errors}
        except Conflict as exc:
            problem, chosen = exc.detail, {}
    context = {
        "lesson": found,
        "problem": problem,
        "errors": [{"href": f"#f-{name}", "text": text} for name, text in errors.items()],
        "fields": [] if taken else _fields(found, chosen, errors),
        "taken": taken,
        "results": _results(found, chosen) if taken else [],
    }
    return render(request, "reviews/lesson_quiz.html", context, status=422 if errors else 409 if problem else 200)


@require_GET
def records(request: HttpRequest) -> HttpResponse:
    """The reader's own lessons: what is asked of them, what they passed and when."""
    caller = caller_of(request)
    context = {"rows": own_lessons(caller), "leads": records_refusal(caller) is None}
    return render(request, "reviews/lesson_records.html", context)


@require_GET
def records_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Every pass of the reader's own."""
    return _csv(every_pass(caller_of(request), own=True), "my-lessons")


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Who learnt what and when, for those who answer for it."""
    caller = caller_of(request)
    rows, following, before = people_lines(caller, cursor=request.GET.get("cursor", ""))
    context = {"rows": rows, "page": page_links(request, following, before), "leads": True}
    return render(request, "reviews/lesson_people.html", context)


@require_GET
def people_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Every pass of everybody the reader answers for."""
    return _csv(every_pass(caller_of(request), own=False), "lessons")


def _csv(rows: Iterable[PassLine], name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(rows: Iterable[PassLine]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([cell(getattr(row, name)) for name in COLUMNS])
        if out.tell() > 60_000:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _about(found: Lesson) -> dict[str, Any]:
    """The gates and regimes a lesson is about, as far as they are installed."""
    known = all_gates()
    return {
        "gates": [known[code] for code in found.gates if code in known],
        "regimes": [regime for regime in regimes() if regime.regime in found.regimes],
    }


def _fields(found: Lesson, chosen: dict[str, str], errors: dict[str, str]) -> list[FieldView]:
    return [
        FieldView(
            name=question.id,
            id=f"f-{question.id}",
            label=question.ask,
            kind="radio",
            options=[Option(answer.id, answer.says) for answer in question.shown(found.digest)],
            value=chosen.get(question.id, ""),
            error=errors.get(question.id, ""),
        )
        for question in found.quiz
    ]


def _results(found: Lesson, chosen: dict[str, str]) -> list[dict[str, Any]]:
    """Each question with what was chosen and why it is right or not. The right answer is not given away by a wrong one."""
    return [{"ask": question.ask, "answer": question.answer(chosen[question.id])} for question in found.quiz]
