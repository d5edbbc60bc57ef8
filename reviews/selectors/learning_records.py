"""Who learnt what and when: a person's own lessons, and everybody's for those who answer for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import DomainError, Forbidden
from governance.domain.vocabulary import REVIEWING_ROLES, Role
from governance.models import Person, RoleGrant
from governance.policy import Pack
from governance.policy.lessons import Lesson, lesson_named, lessons
from governance.selectors.access import Caller
from reviews.models import LessonPass
from reviews.selectors.courses import packs_in_force
from reviews.selectors.learning import latest_passes, standing
from reviews.selectors.paging import page_of

LEADS = frozenset({Role.AUDITOR, Role.RISK_OFFICER, Role.POLICY_AUTHOR, Role.ADMIN})
"""Who may read what others learnt: those who answer for it, or ask for it."""

Asked = Mapping[Role, Mapping[str, int | None]]
"""Role -> lesson -> the fewest days after which it is asked again, None where it holds."""


@dataclass(frozen=True)
class OwnLesson:
    """One lesson as a person stands to it. `asked_as`: their roles that a policy in force asks it of."""

    lesson: Lesson
    state: str
    passed: LessonPass | None
    asked_as: tuple[Role, ...]


@dataclass(frozen=True)
class PersonLine:
    """One person: the reviewing roles they hold, what is asked of them and not passed, and their latest passes."""

    name: str
    unit: str
    roles: tuple[Role, ...]
    asked: int
    missing: tuple[str, ...]
    passes: tuple[tuple[LessonPass, str, str], ...]


@dataclass(frozen=True)
class PassLine:
    """One pass, as it is exported. `counts`: whether it was taken on the present wording."""

    person: str
    unit: str
    lesson: str
    title: str
    version: str
    digest: str
    right: int
    asked: int
    passed_at: datetime
    counts: bool


def asked_of_roles(packs: Iterable[Pack] | None = None) -> Asked:
    """What the policies in force ask of each role, whatever the stage of the demand."""
    found: dict[Role, dict[str, int | None]] = defaultdict(dict)
    for pack in packs if packs is not None else packs_in_force():
        document = pack.document
        for step in (*(step for plan in document.tracks.values() for step in plan.steps), *document.added_steps):
            need = step.requires_learning
            for name in need.lessons if need is not None else ():
                days = [days for days in (found[step.role].get(name), need.valid_days if need else None) if days is not None]
                found[step.role][name] = min(days, default=None)
    return found


def own_lessons(caller: Caller) -> tuple[OwnLesson, ...]:
    """Every lesson and how the caller stands to it: those asked of them first, the open ones before the passed ones."""
    latest = {row.lesson: row for row in latest_passes(caller.person.pk)} if caller.person is not None else {}
    asked, held, now = asked_of_roles(), caller.any_roles, timezone.now()
    found = []
    for lesson in lessons():
        roles = tuple(role for role in Role if role in held and lesson.lesson in asked.get(role, {}))
        days = min((d for role in roles if (d := asked[role][lesson.lesson]) is not None), default=None)
        passed = latest.get(lesson.lesson)
        found.append(OwnLesson(lesson, standing(passed, lesson, days, now), passed, roles))
    return tuple(sorted(found, key=lambda row: (not row.asked_as, row.state == "passed")))


def own_passes(caller: Caller) -> QuerySet[LessonPass]:
    """Every pass of the caller, the latest first."""
    return LessonPass.objects.filter(person=caller.person).order_by("-at", "-id")


def records_refusal(caller: Caller) -> DomainError | None:
    """Why the caller may not read what others learnt, or None."""
    if caller.token is not None or not caller.any_roles & LEADS:
        return Forbidden(
            "What others learnt is read by administrators, auditors, policy authors and risk officers. Yours: My lessons.",
            code="role_needed",
        )
    return None


def people_lines(caller: Caller, *, cursor: str = "", size: int = 50) -> tuple[tuple[PersonLine, ...], str, str]:
    """People with a reviewing role or a pass, by user name, in units the caller answers for: rows, next and previous cursor.

    Three statements and the policies in force, however many people there are. Raises `Forbidden`.
    """
    if (refused := records_refusal(caller)) is not None:
        raise refused
    page = page_of(_people(caller).select_related("unit"), keys=("username",), cursor=cursor, size=size)
    ids = [person.pk for person in page.rows]
    held: dict[int, set[Role]] = defaultdict(set)
    for person_id, role in _live().filter(person_id__in=ids).values_list("person_id", "role"):
        held[person_id].add(Role(role))
    passes: dict[int, list[LessonPass]] = defaultdict(list)
    rows = LessonPass.objects.filter(person_id__in=ids).order_by("person_id", "lesson", "-at", "-id")
    for row in rows.distinct("person_id", "lesson"):
        passes[row.person_id].append(row)
    asked, now = asked_of_roles(), timezone.now()
    lines = tuple(_line(person, held[person.pk], passes[person.pk], asked, now) for person in page.rows)
    return lines, page.next, page.previous


def every_pass(caller: Caller, *, own: bool) -> Iterator[PassLine]:
    """Every pass, the oldest first: the caller's own, or of everybody they answer for. Raises `Forbidden`."""
    if own:
        rows = LessonPass.objects.filter(person=caller.person)
    else:
        if (refused := records_refusal(caller)) is not None:
            raise refused
        rows = LessonPass.objects.filter(person__in=_people(caller))
    return (_exported(row) for row in rows.select_related("person__unit").order_by("id").iterator(2_000))


def _people(caller: Caller) -> QuerySet[Person]:
    reviews = _live().filter(role__in=[role.value for role in REVIEWING_ROLES]).values("person_id")
    rows = Person.objects.filter(Q(pk__in=reviews) | Q(lesson_passes__isnull=False), is_active=True).distinct()
    if caller.roles.get(None, frozenset()) & LEADS:
        return rows
    return rows.filter(unit_id__in=[unit for unit, roles in caller.roles.items() if unit is not None and roles & LEADS])


def _live() -> QuerySet[RoleGrant]:
    ends = Q(valid_until__isnull=True) | Q(valid_until__gt=Now())
    return RoleGrant.objects.filter(ends, valid_from__lte=Now())


def _line(person: Person, held: set[Role], passes: list[LessonPass], asked: Asked, now: datetime) -> PersonLine:
    due: dict[str, int | None] = {}
    for role in held:
        for name, days in asked.get(role, {}).items():
            due[name] = min((d for d in (due.get(name), days) if d is not None), default=None)
    latest = {row.lesson: row for row in passes}
    missing = [name for name in due if standing(latest.get(name), lesson_named(name), due[name], now) != "passed"]
    told = tuple((row, title_of(row.lesson), standing(row, lesson_named(row.lesson), due.get(row.lesson), now)) for row in passes)
    return PersonLine(
        name=person.name,
        unit=person.unit.name if person.unit is not None else "",
        roles=tuple(role for role in Role if role in held & REVIEWING_ROLES),
        asked=len(due),
        missing=tuple(sorted(title_of(name) for name in missing)),
        passes=told,
    )


def _exported(row: LessonPass) -> PassLine:
    lesson, unit = lesson_named(row.lesson), row.person.unit
    return PassLine(
        person=row.person.name,
        unit=unit.name if unit is not None else "",
        lesson=row.lesson,
        title=title_of(row.lesson),
        version=row.version,
        digest=row.digest,
        right=row.right,
        asked=row.asked,
        passed_at=row.at,
        counts=lesson is not None and lesson.digest == row.digest,
    )


def title_of(name: str) -> str:
    """The title of a lesson; its name where it is not installed any more."""
    lesson = lesson_named(name)
    return lesson.title if lesson is not None else name
