"""What the demo's reviewers have learnt: each took the quizzes their roles are asked for, through the service like everybody.

Two are left out on purpose, so that both cases can be seen: the analyst has yet to take one lesson, the second risk officer all.
"""

from __future__ import annotations

from governance.domain.vocabulary import REVIEWING_ROLES
from governance.policy.lessons import lesson_named
from governance.selectors.access import caller_for
from reviews.demo.cast import Cast
from reviews.demo.people import PEOPLE
from reviews.models import LessonPass
from reviews.selectors.learning_records import asked_of_roles
from reviews.services.learning import take_quiz

NOT_YET = {"amir": frozenset({"leakage"}), "rosa": frozenset({"rollback", "regime-frameworks"})}


def lessons_taken(cast: Cast) -> None:
    """Every reviewer passes what is asked of them, once."""
    asked = asked_of_roles()
    for demo in PEOPLE:
        if demo.role not in REVIEWING_ROLES:
            continue
        person = cast.people[demo.username]
        known = set(LessonPass.objects.filter(person=person).values_list("lesson", flat=True))
        for name in sorted(set(asked.get(demo.role, {})) - known - NOT_YET.get(demo.username, frozenset())):
            lesson = lesson_named(name)
            if lesson is None:
                continue
            right = {question.id: next(answer.id for answer in question.answers if answer.right) for question in lesson.quiz}
            take_quiz(caller=caller_for(person, origin="job"), name=name, digest=lesson.digest, chosen=right)
