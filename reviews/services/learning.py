"""Taking the quiz of a lesson. A pass is kept for good; a try that does not pass leaves no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from governance.policy.lessons import Lesson, lesson_named
from governance.selectors.access import Caller
from governance.services.work import unit_of_work
from reviews.models import LessonPass
from reviews.selectors.learning import latest_passes

ONCE_IN = timedelta(hours=1)
"""The same pass sent twice, by a second press or a page loaded again, is one pass."""


@dataclass(frozen=True)
class Taken:
    """How a try came out. `recorded`: the pass it left or found; None where it did not pass."""

    lesson: Lesson
    right: int
    recorded: LessonPass | None

    @property
    def passed(self) -> bool:
        return self.recorded is not None


def lesson_or_404(name: str) -> Lesson:
    """The lesson of that name. Raises `NotFound`."""
    lesson = lesson_named(name)
    if lesson is None:
        raise NotFound("There is no such lesson. The list at /learn has them all.")
    return lesson


def take_quiz(*, caller: Caller, name: str, digest: str, chosen: Mapping[str, str]) -> Taken:
    """Judge the answers and record a pass. `digest`: of the lesson as the person read it; `chosen`: question id -> letter.

    Raises `NotFound`, `Forbidden` for tokens, `Conflict` when the lesson changed meanwhile, `InvalidInput` naming each question
    that is not answered.
    """
    lesson = lesson_or_404(name)
    if caller.person is None or caller.token is not None:
        raise Forbidden("A token learns nothing. A person has to sign in.", code="person_needed")
    if digest != lesson.digest:
        raise Conflict("The lesson was changed since you opened it. Read it again, then answer.", code="lesson_changed")
    open_ = [q for q in lesson.quiz if q.answer(chosen.get(q.id, "")) is None]
    if open_:
        raise InvalidInput(
            "Some questions are not answered yet.",
            errors=tuple(FieldError(f"/{q.id}", "missing", f"Choose an answer: {q.ask}") for q in open_),
        )
    right = lesson.right(dict(chosen))
    if right < lesson.pass_at:
        return Taken(lesson, right, None)
    last = latest_passes(caller.person.pk).filter(lesson=lesson.lesson, digest=lesson.digest).first()
    if last is not None and last.at > timezone.now() - ONCE_IN:
        return Taken(lesson, right, last)
    with unit_of_work(caller) as work:
        row = LessonPass.objects.create(
            person=caller.person,
            lesson=lesson.lesson,
            version=lesson.version,
            digest=lesson.digest,
            right=right,
            asked=len(lesson.quiz),
        )
        said = {"lesson": row.lesson, "version": row.version, "digest": row.digest, "right": right, "asked": row.asked}
        work.note("lesson.passed", row, said, unit=caller.home_unit)
    row.refresh_from_db(fields=["at"])
    return Taken(lesson, right, row)
