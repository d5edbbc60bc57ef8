"""The page where people read explanations and attest: everything at once, one form for each attestation, works without
scripts.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from governance.domain.errors import DomainError, ErrorKind, NotFound
from governance.models import Submission
from governance.selectors.access import Caller, visible
from governance.ui.drafts import caller_of
from governance.ui.fields import YES_NO, FieldView
from reviews.models import Attested
from reviews.selectors.attesting import Asked, Item, asked_of, refusal
from reviews.selectors.case import case_of
from reviews.selectors.dossier import material_of
from reviews.services.attesting import NewAnswer, attest


@dataclass(frozen=True)
class ItemView:
    """One explanation or statement as the page shows it: what it is, and either the answer or the fields to give one."""

    item: Item
    number: int
    answer: Attested | None = None
    fields: tuple[FieldView, ...] = ()

    @property
    def anchor(self) -> str:
        return f"item-{self.number}"


@dataclass(frozen=True)
class Part:
    """One attestation with its items."""

    asked: Asked
    items: tuple[ItemView, ...]
    refused: str
    problem: str = ""


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what people attest on a case; those who may, answer."""
    caller = caller_of(request)
    rows = Submission.objects.select_related("system", "version", "unit", "submitter")
    submission = visible(rows, caller).filter(pk=pk).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{pk} in your business unit.")
    what, problem, status = request.POST.get("what", ""), "", 200
    if request.method == "POST":
        asked = {row.attestation.id: row for row in _asked(submission)}
        try:
            given = _answers(request, asked[what]) if what in asked else {}
            done = attest(caller=caller, submission_id=pk, what=what, subject=request.POST.get("subject", ""), answers=given)
        except DomainError as exc:
            # whoever has not the role is refused, as everywhere; everything else can be mended on the page
            problem, status = exc.detail, 403 if exc.kind is ErrorKind.FORBIDDEN else 422
        else:
            left = len(done.left)
            said = (
                f"Recorded under your name; {left} left to read."
                if left
                else "Recorded under your name. The gates that waited were judged again."
            )
            messages.success(request, said)
            return redirect("attest", pk) if left else redirect("case", pk)
    parts = [_part(request, submission, caller, row, problem if row.attestation.id == what else "") for row in _asked(submission)]
    context = {"submission": submission, "parts": parts, "problem": problem if not any(part.problem for part in parts) else ""}
    return render(request, "reviews/attest.html", context, status=status)


def _asked(submission: Submission) -> tuple[Asked, ...]:
    material = material_of(submission)
    return asked_of(submission, material.pack, material.outcomes)


def _part(request: HttpRequest, submission: Submission, caller: Caller, row: Asked, problem: str) -> Part:
    refused = refusal(case_of(submission, caller), caller, submission.unit_id, row.attestation)
    answers = {answer.item: answer for answer in row.answers}
    items = tuple(
        ItemView(
            item,
            number,
            answers.get(item.key),
            () if refused is not None or item.key in answers else _fields(request, row, number),
        )
        for number, item in enumerate(row.items, start=1)
    )
    return Part(row, items, refused.detail if refused is not None else "", problem)


def _fields(request: HttpRequest, row: Asked, number: int) -> tuple[FieldView, ...]:
    name = f"{row.attestation.id}-{number}"
    return (
        FieldView(
            name=name,
            id=f"f-{name}",
            label=row.attestation.asks,
            kind="yes_no",
            options=YES_NO,
            value=request.POST.get(name, ""),
        ),
        FieldView(
            name=f"{name}-comment",
            id=f"f-{name}-comment",
            label="Comment",
            kind="textarea",
            rows=2,
            optional=True,
            hint="What is unclear, and what would make it clear. It stays on record under your name.",
            value=request.POST.get(f"{name}-comment", ""),
        ),
    )


def _answers(request: HttpRequest, row: Asked) -> dict[str, NewAnswer]:
    """The items with a yes or no; those left open are read another time."""
    found = {}
    for number, item in enumerate(row.items, start=1):
        name = f"{row.attestation.id}-{number}"
        said = request.POST.get(name, "")
        if said in ("true", "false"):
            found[item.key] = NewAnswer(said == "true", request.POST.get(f"{name}-comment", ""))
    return found
