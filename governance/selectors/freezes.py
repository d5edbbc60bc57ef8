"""Freeze windows as people and programs read them: which holds where, who may pass, and which cases may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, DomainError, Forbidden, NotFound, SegregationOfDuties
from governance.domain.vocabulary import REVIEWING_ROLES, Role
from governance.models import Contributor, FreezeException, FreezeWindow, Submission
from governance.selectors.access import Caller

PROPOSERS = frozenset({Role.POLICY_AUTHOR, Role.RISK_OFFICER, Role.PLATFORM_ENGINEER, Role.PRODUCT})
DECIDERS = frozenset({Role.POLICY_AUTHOR, Role.RISK_OFFICER})


@dataclass(frozen=True)
class Freeze:
    """A freeze in force, in words. `may_ask`: the reader may ask that their case passes."""

    id: int
    number: str
    title: str
    why: str
    ends_at: datetime
    passes: str
    may_ask: bool = False

    @property
    def says(self) -> str:
        """Until when nothing is released, and why."""
        return f"A freeze holds until {self.ends_at:%d %B %Y, %H:%M} UTC ({self.number}, {self.title}): {self.why}"

    @property
    def fix(self) -> str:
        """What to do now."""
        return (
            f"Go on with the review; release it when the freeze has ended. If it cannot wait, ask for an exception: {self.passes}"
        )


def freezes(caller: Caller) -> QuerySet[FreezeWindow]:
    """Those that hold for a unit of the caller, or for every one."""
    rows = FreezeWindow.objects.select_related("unit", "proposed_by", "ruling__by")
    return rows if caller.sees_all_units else rows.filter(Q(unit__isnull=True) | Q(unit_id__in=caller.units))


def find_freeze(caller: Caller, pk: int) -> FreezeWindow:
    """One. Raises `NotFound`."""
    row = freezes(caller).filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such freeze in your business units.")
    return row


def in_force(*, unit_id: int, kind: str, environment: str) -> QuerySet[FreezeWindow]:
    """The freezes that stop a release there now; first the one that ends last."""
    return _holding(unit_id, kind, environment).order_by("-ends_at", "-id")


def is_frozen() -> Exists:
    """The same as an expression over submissions: whether some freeze holds where each of them goes."""
    return Exists(_holding(OuterRef("unit_id"), OuterRef("kind"), OuterRef("environment")))


def _holding(unit_id: Any, kind: Any, environment: Any) -> QuerySet[FreezeWindow]:
    return FreezeWindow.objects.filter(
        Q(unit__isnull=True) | Q(unit_id=unit_id),
        Q(kind="") | Q(kind=kind),
        Q(environment="") | Q(environment=environment),
        starts_at__lte=Now(),
        ends_at__gt=Now(),
        ruling__approve=True,
    )


def freeze_of(submission: Submission) -> FreezeWindow | None:
    """The freeze a submission meets now; None where there is none, or an exception lets it pass every one there is."""
    rows = in_force(unit_id=submission.unit_id, kind=submission.kind, environment=submission.environment)
    passed = FreezeException.objects.filter(freeze=OuterRef("pk"), submission=submission, ruling__approve=True)
    return rows.exclude(Exists(passed)).first()


def in_words(row: FreezeWindow, *, may_ask: bool = False) -> Freeze:
    """A freeze as it is told to people."""
    passing = f"the {Role(row.pass_role).label} lets a case pass for {row.pass_with.rstrip('.')}."
    return Freeze(row.pk, row.number, row.title, row.why, row.ends_at, passing, may_ask)


def state_of(row: FreezeWindow) -> str:
    """proposed, refused, coming, in force or ended."""
    now, ruling = timezone.now(), getattr(row, "ruling", None)
    if ruling is None:
        return "proposed" if row.ends_at > now else "ended"
    if not ruling.approve:
        return "refused"
    return "ended" if row.ends_at <= now else "coming" if row.starts_at > now else "in force"


def proposing_refusal(caller: Caller, unit_id: int | None) -> DomainError | None:
    """Why the caller may not propose a freeze of a unit (None: of all); None when they may."""
    if caller.person is None or caller.token is not None:
        return Forbidden("A freeze is proposed by people. Sign in.", code="person_needed")
    roles = caller.roles_in(unit_id) if unit_id is not None else caller.roles.get(None, frozenset())
    if not roles & PROPOSERS:
        where = "there" if unit_id is not None else "for all units"
        return Forbidden(f"Only {_labels(PROPOSERS)} {where} proposes a freeze.", code="role_needed")
    return None


def ruling_refusal(caller: Caller, row: FreezeWindow) -> DomainError | None:
    """Why the caller may not rule on a freeze; None when they may."""
    if hasattr(row, "ruling") or row.ends_at <= timezone.now():
        return Conflict("It does not wait for a ruling.", code="not_proposed")
    if caller.person is None or caller.token is not None:
        return Forbidden("A freeze is ruled on by people. Sign in.", code="person_needed")
    roles = caller.roles_in(row.unit_id) if row.unit_id is not None else caller.roles.get(None, frozenset())
    if not roles & DECIDERS:
        return Forbidden(f"Only {_labels(DECIDERS)} rules on a freeze.", code="role_needed")
    if caller.person.pk == row.proposed_by_id:
        return SegregationOfDuties("You proposed this freeze, so somebody else rules on it.")
    return None


def asking_refusal(caller: Caller, submission: Submission) -> DomainError | None:
    """Why the caller may not ask for an exception; None when they may: whoever works on it, and whoever operates it."""
    person = caller.person
    if person is None or caller.token is not None:
        return Forbidden("An exception is asked for by people. Sign in.", code="person_needed")
    if person.pk in _hands(submission) or person.pk == submission.system.owner_id:
        return None
    if Role.PLATFORM_ENGINEER in caller.roles_in(submission.unit_id):
        return None
    return Forbidden("Whoever works on the submission, owns the system or operates it asks for an exception.", code="role_needed")


def passing_refusal(caller: Caller, asked: FreezeException) -> DomainError | None:
    """Why the caller may not rule on an exception; None when they may."""
    person, submission, role = caller.person, asked.submission, Role(asked.freeze.pass_role)
    if hasattr(asked, "ruling") or asked.freeze.ends_at <= timezone.now():
        return Conflict("It does not wait for a ruling.", code="not_proposed")
    if person is None or caller.token is not None:
        return Forbidden("An exception is ruled on by people. Sign in.", code="person_needed")
    if role not in caller.roles_in(submission.unit_id):
        return Forbidden(f"Only the {role.label} lets a case pass this freeze.", code="role_needed")
    if person.pk == asked.asked_by_id or person.pk in _hands(submission):
        return SegregationOfDuties("You asked for it or worked on the submission, so somebody else rules on it.")
    return None


def may_pass_roles() -> list[Role]:
    """Roles a freeze may name as those who let a case pass."""
    return [role for role in Role if role in REVIEWING_ROLES]


def _hands(submission: Submission) -> set[int]:
    named = Contributor.objects.filter(submission=submission, person__isnull=False).values_list("person_id", flat=True)
    return {submission.submitter_id, *named}


def _labels(roles: frozenset[Role]) -> str:
    return " or ".join(f"the {role.label}" for role in Role if role in roles)
