"""The questionnaire: what is asked, why, what good enough looks like, and when. A question's id is its fact's name."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from governance.domain.errors import FieldError
from governance.domain.facts import FactSet
from governance.policy.conditions import FALSE, TRUE, Check, as_number, compile_condition
from governance.policy.errors import AnswerError
from governance.policy.pack_fields import ConditionField, FactName, Part, Slug, Words

UNKNOWN_ANSWERS = frozenset({"__unknown__", "unknown", "i do not know", "i don't know"})
"""What means "I do not know", from a form or from CI; so does a JSON null given on purpose (`{"unknown": true}`)."""

MOST_LETTERS = 4_000
MOST_ITEMS = 2_000
MONITOR_KINDS = (
    "data_drift",
    "concept_drift",
    "prediction_drift",
    "performance",
    "data_quality",
    "fairness",
    "latency",
    "cost",
)
_MONITOR_WORDS = (
    "features",
    "test",
    "limit",
    "window",
    "owner",
    "reference",
    "metric",
    "route",
    "minimum_rows",
    "runbook",
    "stops",
)


class Choice(Part):
    """One choice. `hint` says what choosing it means."""

    value: Words
    label: Words
    hint: str = ""


class Topic(Part):
    """One page of the questionnaire."""

    id: Slug
    title: Words
    why: Words


class Question(Part):
    """One question.

    `good`: what good enough looks like; `unknown`: what follows from "I do not know"; `asked` false: never asked on a page,
    accepted where given; `ask_when`: asked only when this may hold; `follow_up`: only when it does; `material`: a change voids
    an approval.
    """

    id: FactName
    ask: Words
    why: Words
    good: Words
    example: Words
    type: Literal["choice", "bool", "number", "int", "text", "list", "date", "monitors"]
    topic: Slug
    owner: Literal["submitter", "data_owner", "engineer"]
    unknown: Words
    choices: tuple[Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    required: bool = True
    material: bool = True
    asked: bool = True
    ask_when: ConditionField | None = None
    follow_up: bool = False

    @field_validator("choices", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _fits(self) -> Question:
        if (self.type == "choice") and len({choice.value for choice in self.choices}) < 2:
            raise ValueError("A choice needs at least two different choices.")
        if self.choices and self.type not in ("choice", "list"):
            raise ValueError(f"A question of type {self.type} has no choices. Remove them, or make it a choice.")
        if self.follow_up and self.ask_when is None:
            raise ValueError("A follow-up needs “ask_when”: what it follows from.")
        return self


class Questionnaire(Part):
    """All questions of a kind, in the order of the pages."""

    questionnaire: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: Words
    topics: tuple[Topic, ...]
    questions: tuple[Question, ...]

    @field_validator("topics", "questions", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _whole(self) -> Questionnaire:
        ids = [question.id for question in self.questions]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"The question {twice[0]} stands here twice. Remove one.")
        topics = [topic.id for topic in self.topics]
        order = [topics.index(q.topic) if q.topic in topics else -1 for q in self.questions]
        if -1 in order:
            raise ValueError(f"{self.questions[order.index(-1)].id} names a topic that is not listed. Add the topic.")
        if order != sorted(order) or len(set(topics)) != len(topics) or set(topics) != {topics[i] for i in order}:
            raise ValueError("Questions stand in the order of their topics, and each topic has at least one.")
        return self

    @cached_property
    def by_id(self) -> Mapping[str, Question]:
        """Question by id, those only accepted included."""
        return {question.id: question for question in self.questions}

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """The compiled `ask_when` of questions that have one."""
        return {q.id: compile_condition(q.ask_when) for q in self.questions if q.ask_when is not None}


def asked(questionnaire: Questionnaire, facts: FactSet) -> tuple[Question, ...]:
    """The questions that have a point now, answered or not, in the order of the pages.

    Where it cannot be told whether a question has a point it is asked, but a follow-up waits until what it follows from is known.
    """
    found = []
    for question in questionnaire.questions:
        if not question.asked:
            continue
        check = questionnaire.checks.get(question.id)
        mask = TRUE if check is None else check(facts.by_name, ())
        if mask & TRUE or (mask != FALSE and not question.follow_up):
            found.append(question)
    return tuple(found)


def missing(questionnaire: Questionnaire, facts: FactSet) -> tuple[Question, ...]:
    """Required questions nobody has spoken about yet. "I do not know" is an answer."""
    return tuple(question for question in asked(questionnaire, facts) if question.required and question.id not in facts)


def parse_answer(question: Question, raw: Any) -> Any:
    """The value of an answer as facts carry it; None for "I do not know".

    `raw` is text from a form or JSON from a program. Raises `AnswerError` that says what was expected and how to mend it.
    """
    if raw is None or raw == {"unknown": True} or (isinstance(raw, str) and raw.strip().lower() in UNKNOWN_ANSWERS):
        return None
    return _READERS[question.type](question, raw)


def _refuse(question: Question, raw: Any, expected: str) -> AnswerError:
    found = json.dumps(raw, default=str, ensure_ascii=False)
    found = found if len(found) <= 100 else found[:99] + "…"
    detail = (
        f"“{question.ask}” takes {expected}; found {found}. Example: {question.example}. "
        "If you do not know, say so: that is an answer."
    )
    return AnswerError(detail, errors=(FieldError(f"/answers/{question.id}", "answer", detail),))


def _choice(question: Question, raw: Any) -> str:
    values = [choice.value for choice in question.choices]
    text = raw.strip() if isinstance(raw, str) else raw
    if not isinstance(text, str) or text not in values:
        raise _refuse(question, raw, f"one of {', '.join(values)}")
    return text


_YES_NO = {"true": True, "yes": True, "false": False, "no": False}


def _bool(question: Question, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else None
    if word not in _YES_NO:
        raise _refuse(question, raw, "yes or no (true or false)")
    return _YES_NO[word]


_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})\s*(%?)\Z")


def _number(question: Question, raw: Any) -> float | int:
    value: float | int | None = None
    if isinstance(raw, str):
        text = raw.strip().replace("\u202f", "").replace("\u00a0", "").replace("\u2212", "-")
        found = _NUMBER.match(text)
        if found is not None:
            value = float(text.rstrip("% ")) / (100 if found[3] else 1)
    elif as_number(raw) is not None:
        value = raw
    if value is None:
        raise _refuse(question, raw, "a number with a decimal point")
    low, high = question.minimum, question.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = (
            f"{low:g} to {high:g}"
            if low is not None and high is not None
            else f"{low:g} or more"
            if low is not None
            else f"{high:g} or less"
        )
        raise _refuse(question, raw, f"a number in the range {bounds}")
    return value


def _int(question: Question, raw: Any) -> int:
    text = (
        raw.replace(",", "").replace(" ", "") if isinstance(raw, str) and re.fullmatch(r"\s*\d{1,3}([, ]\d{3})*\s*", raw) else raw
    )
    value = _number(question, text)
    if isinstance(value, float) and not value.is_integer():
        raise _refuse(question, raw, "a whole number")
    return int(value)


def _text(question: Question, raw: Any) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise _refuse(question, raw, "text")
    text = "".join(c if c.isprintable() or c in "\n\t" else " " for c in str(raw).replace("\r\n", "\n")).strip()
    if not text or len(text) > MOST_LETTERS:
        raise _refuse(question, raw, f"text of 1 to {MOST_LETTERS:,} letters")
    return text


def _list(question: Question, raw: Any) -> list[str]:
    if isinstance(raw, str):
        raw = _json_or_lines(raw)
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw) or len(raw) > MOST_ITEMS:
        raise _refuse(question, raw, f"a list of at most {MOST_ITEMS:,} words, one a line (an empty list means none)")
    items = list(dict.fromkeys(_text(question, item) for item in raw if item.strip()))
    values = [choice.value for choice in question.choices]
    odd = [item for item in items if values and item not in values]
    if odd:
        raise _refuse(question, raw, f"a list of {', '.join(values)}")
    return items


def _json_or_lines(text: str) -> Any:
    """A JSON list as it is; else one entry a line, or separated by commas on a single line; "none" and "" are the empty list."""
    stripped = text.strip()
    if stripped.startswith("["):
        try:
            return json.loads(stripped)
        except (ValueError, RecursionError):
            return stripped
    if stripped.lower() in ("none", "[]", ""):
        return []
    return [item.strip() for item in (stripped.splitlines() if "\n" in stripped else stripped.split(","))]


def _date(question: Question, raw: Any) -> str:
    try:
        return dt.date.fromisoformat(str(raw).strip()[:10]).isoformat()
    except ValueError:
        raise _refuse(question, raw, "a date as year-month-day") from None


def _monitors(question: Question, raw: Any) -> list[Any]:
    """Texts, or objects with a `kind` and what is watched."""
    if isinstance(raw, str):
        raw = _json_or_lines(raw)
    if not isinstance(raw, list) or len(raw) > 100:
        raise _refuse(question, raw, "a list of monitors, one a line")
    found: list[Any] = []
    for item in raw:
        if isinstance(item, Mapping):
            found.append(_monitor(question, item))
        elif isinstance(item, str):
            if item.strip():
                found.append(_text(question, item))
        else:
            raise _refuse(question, item, "a monitor as text, or as an object with “kind”")
    return found


def _monitor(question: Question, raw: Mapping[Any, Any]) -> dict[str, Any]:
    odd = [key for key in raw if key not in ("kind", *_MONITOR_WORDS)]
    if raw.get("kind") not in MONITOR_KINDS or odd:
        raise _refuse(
            question,
            dict(raw),
            f"a monitor with “kind” (one of {', '.join(MONITOR_KINDS)}) and any of {', '.join(_MONITOR_WORDS)}",
        )
    for key, value in raw.items():
        fine = isinstance(value, str | bool) or as_number(value) is not None
        if key == "features":
            fine = isinstance(value, list) and len(value) <= MOST_ITEMS and all(isinstance(item, str) for item in value)
        elif key == "stops":
            fine = isinstance(value, bool)
        if not fine:
            raise _refuse(question, dict(raw), f"a word or number for “{key}” (features: a list of words; stops: true or false)")
    return dict(raw)


_READERS: dict[str, Any] = {
    "choice": _choice,
    "bool": _bool,
    "number": _number,
    "int": _int,
    "text": _text,
    "list": _list,
    "date": _date,
    "monitors": _monitors,
}
