"""Freeze windows: proposed by one person, ruled on by another, and passed by a single case only with a third one's word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from governance.domain.errors import Conflict, FieldError, InvalidInput, NotFound, ReauthenticationNeeded
from governance.domain.freshness import fresh
from governance.models import FreezeException, FreezeExceptionRuling, FreezeRuling, FreezeWindow, Submission, Unit
from governance.selectors.access import Caller, visible
from governance.selectors.freezes import (
    asking_refusal,
    find_freeze,
    freeze_of,
    may_pass_roles,
    passing_refusal,
    proposing_refusal,
    ruling_refusal,
)
from governance.selectors.policy import installed_kinds
from governance.services.work import unit_of_work

LONGEST = timedelta(days=62)
TELL_FREEZE, TELL_EXCEPTION = "reviews.tell_freeze", "reviews.tell_freeze_exception"


@dataclass(frozen=True)
class NewFreeze:
    """What is proposed. `unit_id` None: every unit; `kind`, `environment` empty: every one."""

    unit_id: int | None
    title: str
    why: str
    starts_at: datetime | None
    ends_at: datetime | None
    pass_role: str
    pass_with: str
    kind: str = ""
    environment: str = ""


def propose_freeze(*, caller: Caller, new: NewFreeze) -> FreezeWindow:
    """Ask for a freeze. Nothing stops until somebody else approved it. Raises `Forbidden`, `InvalidInput` naming each field."""
    if (refused := proposing_refusal(caller, new.unit_id)) is not None:
        raise refused
    if problems := _problems(caller, new):
        raise InvalidInput("The freeze was not proposed: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    assert caller.person is not None and new.starts_at is not None and new.ends_at is not None
    with unit_of_work(caller) as work:
        row = FreezeWindow.objects.create(
            unit_id=new.unit_id,
            kind=new.kind,
            environment=new.environment.strip(),
            title=new.title.strip(),
            why=new.why.strip(),
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            pass_role=new.pass_role,
            pass_with=new.pass_with.strip(),
            proposed_by=caller.person,
        )
        work.note("freeze.proposed", row, _said(row), unit=row.unit_id)
        work.enqueue(TELL_FREEZE, row.pk)
    return row


def rule_on_freeze(*, caller: Caller, freeze_id: int, approve: bool, why: str, proved_at: datetime | None) -> FreezeRuling:
    """Approve or refuse a proposed freeze."""
    with unit_of_work(caller) as work:
        find_freeze(caller, freeze_id)
        row = FreezeWindow.objects.select_for_update().get(pk=freeze_id)
        if (refused := ruling_refusal(caller, row)) is not None:
            raise refused
        person_id, proved = _signed(caller, why, proved_at)
        ruling = FreezeRuling.objects.create(
            freeze=row, approve=approve, why=why.strip()[:500], by_id=person_id, reauthenticated_at=proved
        )
        work.note("freeze.approved" if approve else "freeze.refused", row, _said(row), unit=row.unit_id)
        work.enqueue(TELL_FREEZE, row.pk)
    return ruling


def ask_to_pass(*, caller: Caller, submission_id: int, why: str) -> FreezeException:
    """Ask that one submission may be released during the freeze it meets. Raises `Conflict` where there is none."""
    found = visible(Submission.objects.select_related("system", "unit"), caller).filter(pk=submission_id).first()
    if found is None:
        raise NotFound("There is no such submission in your business unit.")
    if (refused := asking_refusal(caller, found)) is not None:
        raise refused
    if len(why.strip()) < 10:
        detail = "Say in a sentence why it cannot wait."
        raise InvalidInput(detail, errors=(FieldError("/why", "missing", detail),))
    with unit_of_work(caller) as work:
        locked = Submission.objects.select_for_update(of=("self",)).get(pk=submission_id)
        row = freeze_of(locked)
        if row is None:
            raise Conflict("No freeze stops this submission now.", code="no_freeze")
        if FreezeException.objects.filter(freeze=row, submission=locked, ruling__isnull=True).exists():
            raise Conflict("An exception was asked for already and waits.", code="asked")
        assert caller.person is not None
        asked = FreezeException.objects.create(freeze=row, submission=locked, why=why.strip()[:500], asked_by=caller.person)
        work.note("freeze.exception_asked", locked, {"freeze": row.number, "why": asked.why})
        work.enqueue(TELL_EXCEPTION, asked.pk)
    return asked


def rule_on_exception(
    *, caller: Caller, exception_id: int, approve: bool, why: str, proved_at: datetime | None
) -> FreezeExceptionRuling:
    """Let a submission pass a freeze, or not."""
    with unit_of_work(caller) as work:
        rows = FreezeException.objects.select_for_update(of=("self",)).select_related("freeze", "submission__system")
        asked = visible(rows, caller, "submission__unit_id").filter(pk=exception_id).first()
        if asked is None:
            raise NotFound("There is no such exception in your business units.")
        if (refused := passing_refusal(caller, asked)) is not None:
            raise refused
        person_id, proved = _signed(caller, why, proved_at)
        ruling = FreezeExceptionRuling.objects.create(
            exception=asked, approve=approve, why=why.strip()[:500], by_id=person_id, reauthenticated_at=proved
        )
        action = "freeze.exception_approved" if approve else "freeze.exception_refused"
        work.note(action, asked.submission, {"freeze": asked.freeze.number, "why": ruling.why})
        work.enqueue(TELL_EXCEPTION, asked.pk)
    return ruling


def _signed(caller: Caller, why: str, proved_at: datetime | None) -> tuple[int, datetime]:
    if not fresh(proved_at, timezone.now()):
        raise ReauthenticationNeeded("A ruling needs a fresh sign-in. Confirm it is you, then send it again.")
    if not why.strip():
        raise InvalidInput("Say why.", errors=(FieldError("/why", "missing", "What you looked at, and why it is right."),))
    assert caller.person is not None and proved_at is not None
    return caller.person.pk, proved_at


def _problems(caller: Caller, new: NewFreeze) -> list[FieldError]:
    found = []
    for name, value, words in (
        ("title", new.title, "Give it a short name, such as “end of year”."),
        ("why", new.why, "Say why nothing may be released then: everybody it stops reads this."),
        ("pass_with", new.pass_with, "Say what may pass all the same, such as a fix for a live incident."),
    ):
        if not value.strip() or len(value.strip()) > 300:
            found.append(FieldError(f"/{name}", "missing", words))
    if new.starts_at is None or new.ends_at is None:
        found.append(FieldError("/starts_at" if new.starts_at is None else "/ends_at", "missing", "Give both day and time."))
    elif new.ends_at <= max(new.starts_at, timezone.now()):
        found.append(FieldError("/ends_at", "invalid", "It has to end after it starts, and after now."))
    elif new.ends_at - new.starts_at > LONGEST:
        found.append(FieldError("/ends_at", "invalid", f"At most {LONGEST.days} days; what lasts longer is a rule."))
    if new.pass_role not in {role.value for role in may_pass_roles()}:
        found.append(FieldError("/pass_role", "invalid", "Choose who may let a single case pass."))
    if new.kind and new.kind not in {each.kind for each in installed_kinds()}:
        found.append(FieldError("/kind", "invalid", "Choose a kind that has a policy, or every kind."))
    if len(new.environment.strip()) > 40:
        found.append(FieldError("/environment", "invalid", "The name of an environment, or nothing for every one."))
    if new.unit_id is not None and not visible(Unit.objects.all(), caller, "id").filter(pk=new.unit_id).exists():
        found.append(FieldError("/unit", "invalid", "Choose one of your business units."))
    return found


def _said(row: FreezeWindow) -> dict[str, object]:
    return {
        "freeze": row.number,
        "title": row.title,
        "unit": row.unit_id,
        "kind": row.kind,
        "environment": row.environment,
        "from": row.starts_at.isoformat(),
        "until": row.ends_at.isoformat(),
        "passes": {"role": row.pass_role, "with": row.pass_with},
    }
