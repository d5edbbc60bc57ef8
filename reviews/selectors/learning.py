"""Which lessons a person has passed, and which ones a step still asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from governance.domain.decision_review import LearningView
from governance.policy.lessons import Lesson, lesson_named
from governance.policy.stages import BLOCK, Stages
from reviews.models import LessonPass, ReviewStep


@dataclass(frozen=True)
class Demand:
    """What a step asks for, as it was laid out. `stage`: shadow, warn or block on the day it was looked at."""

    lessons: tuple[str, ...]
    valid_days: int | None
    stage: str
    counts_from: str


def latest_passes(person_id: int) -> QuerySet[LessonPass]:
    """The latest pass of each lesson by one person."""
    return LessonPass.objects.filter(person_id=person_id).order_by("lesson", "-at", "-id").distinct("lesson")


def demand_of(need: Mapping[str, Any], now: datetime) -> Demand | None:
    """The demand of a step's row; None where it asks for no lesson."""
    if not need.get("lessons"):
        return None
    plan = Stages.model_validate(need["stages"]) if need.get("stages") else None
    stage = plan.on(now.date().isoformat()) if plan is not None else BLOCK
    return Demand(tuple(need["lessons"]), need.get("valid_days"), stage, (plan.block_from or "") if plan is not None else "")


def standing(passed: LessonPass | None, lesson: Lesson | None, valid_days: int | None, now: datetime) -> str:
    """How a pass stands: passed, changed (another wording since), lapsed or open. A lesson that is not installed stays open."""
    if lesson is None or passed is None:
        return "open"
    if passed.digest != lesson.digest:
        return "changed"
    if valid_days is not None and passed.at <= now - timedelta(days=valid_days):
        return "lapsed"
    return "passed"


def learning_views(step: ReviewStep | None, passes: Iterable[LessonPass], now: datetime) -> tuple[LearningView, ...]:
    """What the step asks for, lesson by lesson, and how the person stands to each."""
    demand = demand_of(step.learning, now) if step is not None else None
    if demand is None:
        return ()
    latest = {row.lesson: row for row in passes}
    found = []
    for name in demand.lessons:
        lesson = lesson_named(name)
        state = standing(latest.get(name), lesson, demand.valid_days, now)
        title = lesson.title if lesson is not None else name
        minutes = lesson.minutes if lesson is not None else 0
        found.append(LearningView(name, title, minutes, state, demand.stage, demand.counts_from))
    return tuple(found)


def unlearnt(step: ReviewStep | None, passes: Iterable[LessonPass], now: datetime) -> tuple[str, ...]:
    """Titles of the lessons that keep the person from signing the step now."""
    return tuple(row.title for row in learning_views(step, passes, now) if row.stage == BLOCK and row.state != "passed")
