"""Answers as sent, turned into values by the questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.incoming import NewAnswer
from governance.policy import Pack
from governance.policy.questionnaire import parse_answer


def parsed_answers(pack: Pack, answers: Mapping[str, NewAnswer], *, lenient: bool = False) -> dict[str, Any]:
    """Typed answers as values. Raises `InvalidInput`; `lenient` leaves out what cannot be read (a half-typed number)."""
    values, problems = try_answers(pack, answers)
    if problems and not lenient:
        raise refused_answers(problems)
    return values


def refused_answers(problems: list[FieldError]) -> InvalidInput:
    detail = "Some answers cannot be taken: " + " ".join(p.detail for p in problems)
    return InvalidInput(detail, code="invalid_answers", errors=tuple(problems))


def try_answers(pack: Pack, answers: Mapping[str, NewAnswer]) -> tuple[dict[str, Any], list[FieldError]]:
    values: dict[str, Any] = {}
    problems: list[FieldError] = []
    questions = {question.id: question for question in pack.questionnaire.questions}
    for name, given in answers.items():
        question = questions.get(name)
        if question is None:
            detail = f"There is no question “{name}” in the {pack.pack} questionnaire. GET /api/v1/policies/{pack.pack} lists them."
            if name in {"track", "tier", "risk", "risk_tier"}:
                detail = "The track is assigned by policy from facts; nobody sends it. Leave it out."
            problems.append(FieldError(f"/answers/{name}", "unknown_question", detail))
            continue
        try:
            values[name] = parse_answer(question, given.value)
        except (InvalidInput, ValueError) as exc:
            problems.append(FieldError(f"/answers/{name}", "invalid", getattr(exc, "detail", str(exc))))
    return values, problems
