"""What approvals left to be done, in one list: evaluations, conditions and audits of waivers; who, until when, what is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from governance.domain.errors import Conflict, DomainError, FieldError, Forbidden, InvalidInput, NotFound, SegregationOfDuties
from governance.domain.vocabulary import REVIEWING_ROLES, Role
from governance.selectors.access import Caller, visible
from reviews.models import Condition, Evaluation, WaiverAudit
from reviews.selectors.paging import Page, page_of

MOST = 300
KINDS = {"evaluation": "Post-release evaluation", "condition": "Condition of an approval", "audit": "Audit of a waiver"}


@dataclass(frozen=True)
class Task:
    """One thing to be done after an approval."""

    kind: str
    label: str
    id: int
    submission: str
    system: str
    version: str
    what: str
    owner: str
    mine: bool
    due_on: date
    overdue: bool
    done_on: date | None
    result: str
    url: str


def follow_up(caller: Caller, *, done: bool = False, kind: str = "", mine: bool = False) -> tuple[Task, ...]:
    """Open tasks the caller may see, the most urgent first; with `done`, recorded ones, the latest first. Three statements."""
    today, me = timezone.now().date(), caller.person.pk if caller.person is not None else 0
    related = ("submission__system", "submission__version", "owner")
    tasks: list[Task] = []
    if kind in ("", "evaluation"):
        rows = visible(Evaluation.objects.select_related(*related).filter(done_at__isnull=not done), caller)
        rows = rows.filter(owner_id=me) if mine else rows
        tasks += [
            _task(
                "evaluation",
                row,
                today,
                me,
                row.done_at,
                row.result,
                "; ".join(row.looks_at),
                f"/follow-up/evaluations/{row.submission.number}",
            )
            for row in rows.order_by("-done_at" if done else "due_on")[:MOST]
        ]
    if kind in ("", "condition"):
        conditions = Condition.objects.select_related(*related).filter(met_at__isnull=not done, sign_off__voided_at__isnull=True)
        conditions = visible(conditions, caller, "submission__unit_id")
        conditions = conditions.filter(owner_id=me) if mine else conditions
        tasks += [
            _task(
                "condition", row, today, me, row.met_at, "met" if row.met_at else "", row.text, f"/follow-up/conditions/{row.pk}"
            )
            for row in conditions.order_by("-met_at" if done else "due_on")[:MOST]
        ]
    if kind in ("", "audit"):
        audits = WaiverAudit.objects.select_related(*related, "waiver").filter(done_at__isnull=not done)
        audits = visible(audits if done else audits.filter(waiver__ended_at__isnull=True), caller, "submission__unit_id")
        audits = audits.filter(owner_id=me) if mine else audits
        tasks += [
            _task(
                "audit",
                row,
                today,
                me,
                row.done_at,
                _held(row),
                f"{row.waiver.number}: {row.waiver.compensating_control}",
                f"/waivers/{row.waiver_id}",
            )
            for row in audits.order_by("-done_at" if done else "due_on")[:MOST]
        ]
    key = (lambda t: (t.done_on or today, t.id)) if done else (lambda t: (t.due_on, t.id))
    return tuple(sorted(tasks, key=key, reverse=done)[:MOST])


def _held(row: WaiverAudit) -> str:
    return "" if row.held is None else "control worked" if row.held else "control did not work"


def _task(
    kind: str, row: Evaluation | Condition | WaiverAudit, today: date, me: int, done: object, result: str, what: str, url: str
) -> Task:
    return Task(
        kind=kind,
        label=KINDS[kind],
        id=row.pk,
        submission=row.submission.number,
        system=row.submission.system.slug,
        version=row.submission.version.version,
        what=what,
        owner=row.owner.name,
        mine=row.owner_id == me,
        due_on=row.due_on,
        overdue=done is None and row.due_on < today,
        done_on=done.date() if hasattr(done, "date") else None,
        result=result.replace("_", " "),
        url=url,
    )


def conditions(caller: Caller, *, state: str = "", owner: str = "", cursor: str = "", size: int = 25) -> Page[Condition]:
    """Conditions of approvals that stand, the latest first. One query. `state`: open, overdue, met or ""; `owner`: a user name
    or me. Raises `InvalidInput`."""
    if state not in ("", "open", "overdue", "met"):
        says = "state is open, overdue or met."
        raise InvalidInput(says, errors=(FieldError("/state", "unknown", says),))
    rows = _conditions(caller).filter(sign_off__voided_at__isnull=True)
    if state:
        rows = rows.filter(met_at__isnull=state != "met")
    if state == "overdue":
        rows = rows.filter(due_on__lt=timezone.now().date())
    if owner == "me":
        rows = rows.filter(owner=caller.person)
    elif owner:
        rows = rows.filter(owner__username=owner)
    return page_of(rows, keys=("-id",), cursor=cursor, size=size)


def condition_of(caller: Caller, pk: int) -> Condition:
    """One of them. Raises `NotFound`."""
    row = _conditions(caller).filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such condition in your business unit.")
    return row


def _conditions(caller: Caller) -> QuerySet[Condition]:
    related = ("submission__system", "submission__version", "owner", "confirmed_by")
    return visible(Condition.objects.select_related(*related), caller, "submission__unit_id")


def evaluation_refusal(row: Evaluation, caller: Caller) -> DomainError | None:
    """Why the caller cannot record this evaluation, or None: its owner, and people who review."""
    if row.done_at is not None:
        return Conflict("The result of this evaluation is recorded already.", code="wrong_state")
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot record an evaluation. A person has to sign in.", code="person_needed")
    if caller.person.pk == row.owner_id or caller.roles_in(row.unit_id) & REVIEWING_ROLES:
        return None
    return Forbidden("The owner of the system, or somebody who reviews, records this.", code="role_needed")


def condition_refusal(row: Condition, caller: Caller) -> DomainError | None:
    """Why the caller cannot confirm this condition, or None: people who review, but neither its owner nor the submitter."""
    if row.met_at is not None:
        return Conflict("This condition is confirmed already.", code="wrong_state")
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot confirm a condition. A person has to sign in.", code="person_needed")
    if caller.person.pk in {row.owner_id, row.submission.submitter_id}:
        return SegregationOfDuties("You see to this condition or submitted the version, so somebody else confirms it.")
    if caller.roles_in(row.submission.unit_id) & (REVIEWING_ROLES | {Role.AUDITOR}):
        return None
    return Forbidden("Somebody who reviews confirms conditions.", code="role_needed")
