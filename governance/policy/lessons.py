"""Lessons for reviewers: what to look for at a gate or a regime, a good and a bad example, and a short quiz.

One file per lesson, with version and owner. A pass counts for the text it was taken on: a changed lesson asks again.
"""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from governance.domain import canonical
from governance.policy.learning import Version, load
from governance.policy.pack_fields import Part, RoleField, Slug, Words

FOLDER = Path(__file__).resolve().parent.parent / "packs" / "learning" / "lessons"


class QuizAnswer(Part):
    """One answer somebody can choose. `because`: what they read once they have chosen it."""

    id: Annotated[str, Field(pattern=r"^[a-z]$")]
    says: Words
    because: Words
    right: bool = False


class QuizQuestion(Part):
    """One question with exactly one right answer."""

    id: Slug
    ask: Words
    answers: Annotated[tuple[QuizAnswer, ...], Field(min_length=2, max_length=5)]

    @field_validator("answers", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _one_right(self) -> QuizQuestion:
        if len({answer.id for answer in self.answers}) != len(self.answers):
            raise ValueError(f"Two answers of “{self.id}” have the same id. Give each its own letter.")
        if sum(answer.right for answer in self.answers) != 1:
            raise ValueError(f"“{self.id}” needs exactly one answer with “right: true”.")
        return self

    def answer(self, chosen: str) -> QuizAnswer | None:
        """The answer of that letter, or None."""
        return next((answer for answer in self.answers if answer.id == chosen), None)

    def shown(self, seed: str) -> tuple[QuizAnswer, ...]:
        """The answers as they are shown: in an order that the file does not give away and that is the same for everybody."""
        return tuple(sorted(self.answers, key=lambda a: hashlib.sha256(f"{seed}/{self.id}/{a.id}".encode()).digest()))


class WorkedExample(Part):
    """A case as a reviewer meets it, and why it is good or bad."""

    case: Words
    because: Words


class Lesson(Part):
    """One lesson. `gates` and `regimes`: what it is about; `pass_at`: so many right answers pass it."""

    lesson: Slug
    title: Words
    version: Version
    owner: RoleField
    minutes: Annotated[int, Field(ge=1, le=60)]
    gates: tuple[Annotated[str, Field(pattern=r"^G[A-Z]\d{3}$")], ...] = ()
    regimes: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)], ...] = ()
    why: Words
    look_for: Annotated[tuple[Words, ...], Field(min_length=2)]
    good: WorkedExample
    bad: WorkedExample
    pass_at: Annotated[int, Field(ge=2, le=5)]
    quiz: Annotated[tuple[QuizQuestion, ...], Field(min_length=3, max_length=5)]

    @field_validator("gates", "regimes", "look_for", "quiz", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _makes_sense(self) -> Lesson:
        if not (self.gates or self.regimes):
            raise ValueError("Name under “gates” or “regimes” what the lesson is about.")
        if len({question.id for question in self.quiz}) != len(self.quiz):
            raise ValueError("Two questions have the same id. Give each its own.")
        if not len(self.quiz) / 2 < self.pass_at <= len(self.quiz):
            raise ValueError(f"“pass_at” has to be more than half of the {len(self.quiz)} questions and no more than all.")
        return self

    @cached_property
    def digest(self) -> str:
        """Names this text: whoever passed another text has not passed this one."""
        return canonical.digest(self.model_dump(mode="json"))

    def right(self, chosen: dict[str, str]) -> int:
        """How many questions are answered rightly. `chosen`: question id -> letter."""
        picked = (question.answer(chosen.get(question.id, "")) for question in self.quiz)
        return sum(answer is not None and answer.right for answer in picked)


def load_lesson(text: str, what: str) -> Lesson:
    """The lesson a YAML text describes. Raises `PackError` naming the place and how to mend it."""
    return load(text, what, Lesson)


@lru_cache(maxsize=1)
def lessons() -> tuple[Lesson, ...]:
    """Every lesson shipped, by title; those of regimes and frameworks last."""
    found = [load_lesson(path.read_text(encoding="utf-8"), f"The lesson {path.name}") for path in sorted(FOLDER.glob("*.yaml"))]
    return tuple(sorted(found, key=lambda lesson: (lesson.title.startswith(("Regime", "Framework")), lesson.title.lower())))


def lesson_named(name: str) -> Lesson | None:
    """The lesson of that name, or None."""
    return next((lesson for lesson in lessons() if lesson.lesson == name), None)


def lessons_about(*, gate: str = "", regime: str = "") -> tuple[Lesson, ...]:
    """The lessons about a gate or a regime."""
    return tuple(each for each in lessons() if (gate and gate in each.gates) or (regime and regime in each.regimes))


def lesson_schema() -> dict[str, Any]:
    """The JSON Schema of a lesson, for editors, as it is committed."""
    found = Lesson.model_json_schema(mode="validation")
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "Guiderail lesson"
    return found
