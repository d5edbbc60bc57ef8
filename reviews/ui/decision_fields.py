"""Fields of a decision beside its list of conditions or changes: the words of the signature and the step's checklist."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest

from governance.domain.decision_review import CheckView, StepView
from governance.domain.vocabulary import DecisionKind, Severity, Track
from governance.ui.fields import FieldView, Option
from reviews.services.decision_input import APPROVING, NewCheck

ANSWERS = (
    Option("yes", "Yes"),
    Option("no", "No", "Then nothing is approved: request changes instead."),
    Option("not_applicable", "Does not apply here", "Say why below."),
)


def in_full(track: str, step: StepView, kind: DecisionKind) -> bool:
    """Whether the decision has to say why, and what else was considered: approvals of red, but those rules only add."""
    return kind in APPROVING and track == Track.RED and not step.added_by_rule


def checks_of(request: HttpRequest, step: StepView) -> dict[str, NewCheck]:
    """The checklist as it was answered."""
    post = request.POST
    return {
        item.id: NewCheck(post.get(f"check-{item.id}", ""), post.get(f"check-{item.id}-note", "").strip())
        for item in step.checklist
    }


def check_rows(request: HttpRequest, step: StepView, errors: dict[str, str]) -> list[dict[str, object]]:
    """Every item of the checklist with its two fields."""
    return [{"item": item, "fields": _check(request, item, errors)} for item in step.checklist]


def _check(request: HttpRequest, item: CheckView, errors: dict[str, str]) -> list[FieldView]:
    name, post = f"check-{item.id}", request.POST
    human = "No measurement answers this; it is asked of you." if item.human_only else ""
    return [
        FieldView(
            name=name,
            id=f"f-checks-{item.id.replace('_', '-')}",
            label=item.asks,
            kind="radio",
            options=ANSWERS,
            why=human,
            value=post.get(name, ""),
            error=errors.get(f"checks-{item.id}", ""),
        ),
        FieldView(
            name=f"{name}-note",
            label=f"What you go by ({item.element})",
            kind="text",
            optional=True,
            value=post.get(f"{name}-note", ""),
            maxlength="500",
        ),
    ]


def reasons(request: HttpRequest, errors: dict[str, str]) -> list[FieldView]:
    """Why, and what else was considered: beside the assessment the other two parts of a decision on red."""
    return [
        _words(request, errors, "rationale", "Why you decide so", "What weighed most, for and against."),
        _words(
            request,
            errors,
            "alternatives",
            "What else was considered",
            "Such as keeping the champion, a smaller share of traffic, or another model; and why it was not chosen.",
        ),
    ]


def residual(request: HttpRequest, errors: dict[str, str]) -> list[FieldView]:
    """What the risk officer accepts: in words, how large, what is done about it and when it is looked at again."""
    levels = [Option("", "Choose…"), *(Option(level.value, level.value.capitalize()) for level in Severity)]
    return [
        _words(
            request,
            errors,
            "residual_risk",
            "Residual risk that you accept",
            "In words: what can still go wrong, for whom, how likely, and what bounds it.",
        ),
        FieldView(
            name="residual_level",
            id="f-residual-level",
            label="How large it is",
            kind="select",
            options=levels,
            value=request.POST.get("residual_level", ""),
            error=errors.get("residual_level", ""),
        ),
        _words(request, errors, "residual_plan", "What is done about it", "The plan, and who sees to it."),
        FieldView(
            name="residual_review_on",
            id="f-residual-review-on",
            label="When it is looked at again",
            kind="date",
            hint="A day within a year. It becomes a task of follow-up.",
            value=request.POST.get("residual_review_on", ""),
            error=errors.get("residual_review_on", ""),
        ),
    ]


def day_of(text: str) -> date | None:
    """A day as the form sends it; None for anything else, which the decision refuses where it needs one."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _words(request: HttpRequest, errors: dict[str, str], name: str, label: str, hint: str) -> FieldView:
    return FieldView(
        name=name,
        id=f"f-{name.replace('_', '-')}",
        label=label,
        kind="textarea",
        hint=hint,
        value=request.POST.get(name, ""),
        error=errors.get(name, ""),
    )
