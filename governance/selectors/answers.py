"""Answers as sent, turned into values by the questionnaire."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from governance.domain.errors import DomainError, FieldError, InvalidInput
from governance.domain.facts import Fact
from governance.domain.incoming import NewAnswer
from governance.domain.storable import unstorable
from governance.policy import Pack, parse_answer


def parsed_answers(pack: Pack, answers: Mapping[str, NewAnswer], *, lenient: bool = False) -> dict[str, Any]:
    """Typed answers as values. Raises `InvalidInput`; `lenient` leaves out what cannot be read (a half-typed number)."""
    values, problems = try_answers(pack, answers)
    if problems and not lenient:
        raise refused_answers(problems)
    return values


def with_carried(
    answers: Mapping[str, NewAnswer], carried: Collection[str], offers: Mapping[str, Fact]
) -> tuple[dict[str, NewAnswer], list[FieldError]]:
    """The answers with those of the champion that are said to hold still, and what is wrong with naming them."""
    found, problems = dict(answers), list[FieldError]()
    for name in carried:
        offer = offers.get(name)
        if name in answers:
            detail = f"“{name}” is answered and carried over at once. Name it in one of the two."
            problems.append(FieldError("/carry_over", "twice", detail))
        elif offer is None:
            there = ", ".join(sorted(offers)) or "none"
            detail = f"No answer of the champion is offered for “{name}”. Offered are: {there}. Otherwise answer it."
            problems.append(FieldError("/carry_over", "not_offered", detail))
        else:
            found[name] = NewAnswer(offer.value)
    return found, problems


def refused_answers(problems: list[FieldError]) -> InvalidInput:
    detail = "Some answers cannot be taken: " + " ".join(p.detail for p in problems)
    return InvalidInput(detail, code="invalid_answers", errors=tuple(problems))


def try_answers(pack: Pack, answers: Mapping[str, NewAnswer]) -> tuple[dict[str, Any], list[FieldError]]:
    values: dict[str, Any] = {}
    problems: list[FieldError] = []
    for name, given in answers.items():
        question = pack.form.by_id.get(name)
        if question is None:
            detail = (
                f"There is no question “{name}” in the {pack.name} questionnaire. GET /api/v1/policies/{pack.name} lists them."
            )
            if name in {"track", "tier", "risk", "risk_tier"}:
                detail = "The track is assigned by policy from facts; nobody sends it. Leave it out."
            problems.append(FieldError(f"/answers/{name}", "unknown_question", detail))
            continue
        try:
            value = parse_answer(question, given.value)
        except DomainError as exc:
            problems.append(FieldError(f"/answers/{name}", "invalid", exc.detail))
            continue
        if bad := unstorable(value):
            problems.append(FieldError(f"/answers/{name}", "unstorable", f"The answer to “{question.ask}” {bad[1]}. Remove it."))
            continue
        values[name] = value
    return values, problems
