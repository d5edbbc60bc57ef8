"""Incidents: opened by a person or a monitor's report, worked through by playbook, resolved, and closed by their post-mortem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, FieldError, InvalidInput, NotFound
from governance.domain.vocabulary import Role, Severity
from governance.models import Person, Submission
from governance.selectors.access import Caller, visible
from governance.services.work import Work, unit_of_work
from reviews.models import Deployment, Finding, Incident, IncidentNote, IncidentStep, MonitoringEvent, PostMortem
from reviews.selectors.incidents import opening_refusal, step_refusal, working_refusal
from reviews.selectors.notices import Notice
from reviews.selectors.playbooks import KINDS, playbook_for
from reviews.services.decision_input import says_something
from reviews.services.fences import fences
from reviews.services.telling import answerable, holders, may_see, tell

LARGEST = Decimal("99999999999999.99")


@dataclass(frozen=True)
class NewIncident:
    """What somebody says when they open one. `began_at` None: now. `loss`: declared, with its currency."""

    kind: str
    severity: str
    title: str
    says: str
    customer_impact: str = ""
    loss: Decimal | None = None
    currency: str = ""
    began_at: datetime | None = None


@dataclass(frozen=True)
class Corrective:
    """One corrective action of a post-mortem: becomes a finding with owner and due date."""

    says: str
    owner: int
    due_on: date | None


def open_incident(
    *, caller: Caller, submission_id: int, new: NewIncident, deployment_id: int | None = None, finding_id: int | None = None
) -> Incident:
    """Open an incident about the version of a submission and start its playbook. Everybody who has to act is told.

    Raises `NotFound` for a case outside the caller's units, `Forbidden`, and `InvalidInput` naming each field.
    """
    rows = Submission.objects.select_related("system", "version", "unit", "submitter")
    submission = visible(rows, caller).filter(pk=submission_id).first()
    if submission is None or submission.revision == 0:
        raise NotFound("There is no such submission in your business unit. An incident is about a version that was handed in.")
    if (refused := opening_refusal(caller, submission.unit_id)) is not None:
        raise refused
    _check(new)
    deployment = Deployment.objects.filter(pk=deployment_id, version_id=submission.version_id).first() if deployment_id else None
    finding = Finding.objects.filter(pk=finding_id, submission=submission).first() if finding_id else None
    with fences(), unit_of_work(caller) as work:
        return start(work, submission, new, deployment=deployment, finding=finding, by=caller.person)


def start(
    work: Work,
    submission: Submission,
    new: NewIncident,
    *,
    deployment: Deployment | None = None,
    finding: Finding | None = None,
    event: MonitoringEvent | None = None,
    by: Person | None = None,
) -> Incident:
    """Open it within the caller's transaction. `by` None: a monitor's report opened it."""
    book, now = playbook_for(new.kind), timezone.now()
    row = Incident.objects.create(
        unit_id=submission.unit_id,
        system_id=submission.system_id,
        version_id=submission.version_id,
        submission=submission,
        deployment=deployment,
        event=event,
        finding=finding,
        kind=new.kind,
        severity=new.severity,
        title=new.title.strip()[:160],
        says=new.says.strip(),
        customer_impact=new.customer_impact.strip(),
        loss=new.loss,
        currency=new.currency,
        playbook=book.name,
        playbook_version=book.version,
        playbook_digest=book.digest,
        opened_by=by,
        began_at=new.began_at or now,
    )
    IncidentStep.objects.bulk_create(
        IncidentStep(
            incident=row, position=at, part=step.part, title=step.title, says=step.says, role=step.role, due_at=now + step.within
        )
        for at, step in enumerate(book.steps, 1)
    )
    who = "" if by is None else "A person opened it. "
    IncidentNote.objects.create(
        incident=row, what="opened", says=f"{who}Playbook “{book.title}”, version {book.version}, started.", by=by
    )
    work.note(
        "incident.opened",
        submission,
        {
            "incident": row.pk,
            "kind": row.kind,
            "severity": row.severity,
            "playbook": f"{book.name} {book.version}",
            "by": "signal" if by is None else "person",
        },
    )
    roles = sorted({step.role for step in book.steps} - {Role.SUBMITTER})
    tell(
        work,
        submission,
        Notice.INCIDENT,
        holders(submission.unit_id, Role.RISK_OFFICER, *roles) | answerable(submission),
        key=f"{row.number}:opened",
        title=f"{row.number} {KINDS[row.kind]}: {submission.system.slug} {submission.version.version}",
        says=f"{row.title}. The first step is “{book.steps[0].title}”.",
        path=f"/incidents/{row.pk}",
    )
    return row


def do_step(*, caller: Caller, incident_id: int, position: int, note: str) -> Incident:
    """Record that a step of the playbook was done, and how; also that it was not needed, and why."""
    if not says_something(note, 10):
        raise InvalidInput(
            "Say what was done, or why it was not needed.",
            errors=(FieldError("/note", "missing", "What was done, when and by whom; a sentence of at least 10 characters."),),
        )
    with fences(), unit_of_work(caller) as work:
        row = locked_incident(caller, incident_id)
        step = IncidentStep.objects.filter(incident=row, position=position).first()
        if step is None:
            raise NotFound(f"{row.number} has no step {position}.")
        if (refused := step_refusal(step, row, caller)) is not None:
            raise refused
        IncidentStep.objects.filter(pk=step.pk).update(done_at=Now(), done_by=caller.person, note=note.strip())
        IncidentNote.objects.create(incident=row, what="step", says=f"“{step.title}”: {note.strip()}", by=caller.person)
        late = timezone.now() > step.due_at
        work.note("incident.step_done", row.submission, {"incident": row.pk, "step": position, "late": late})
    return row


def assess(
    *, caller: Caller, incident_id: int, severity: str, customer_impact: str, loss: Decimal | None, currency: str
) -> Incident:
    """Say anew how serious it is, what customers noticed and what it costs. The former values stay in the timeline."""
    problems = _loss_problems(loss, currency)
    if severity not in set(Severity):
        problems.append(FieldError("/severity", "unknown", f"One of {', '.join(Severity)}."))
    if problems:
        raise InvalidInput(" ".join(p.detail for p in problems), errors=tuple(problems))
    with fences(), unit_of_work(caller) as work:
        row = _working(caller, incident_id)
        before = f"{row.severity}; {money(row.loss, row.currency)}"
        Incident.objects.filter(pk=row.pk).update(
            severity=severity, customer_impact=customer_impact.strip(), loss=loss, currency=currency
        )
        row.refresh_from_db()
        now = f"{row.severity}; {money(row.loss, row.currency)}"
        says = f"Severity and loss: {now} (before: {before}). Customers: {row.customer_impact or 'nothing known'}"
        IncidentNote.objects.create(incident=row, what="assessed", says=says, by=caller.person)
        work.note(
            "incident.assessed",
            row.submission,
            {"incident": row.pk, "severity": severity, "loss": str(loss) if loss is not None else None, "currency": currency},
        )
    return row


def add_note(*, caller: Caller, incident_id: int, says: str) -> Incident:
    """Add a line to the timeline."""
    if not says_something(says, 5):
        raise InvalidInput("Write a line.", errors=(FieldError("/says", "missing", "What happened, and when."),))
    with fences(), unit_of_work(caller) as work:
        row = _working(caller, incident_id)
        IncidentNote.objects.create(incident=row, what="note", says=says.strip()[:4_000], by=caller.person)
        work.note("incident.noted", row.submission, {"incident": row.pk})
    return row


def resolve(*, caller: Caller, incident_id: int, how: str) -> Incident:
    """Say that customers and decisions are safe again. What contains the incident has to be done before."""
    if not says_something(how, 10):
        raise InvalidInput(
            "Say how it was resolved.", errors=(FieldError("/how", "missing", "A sentence of at least 10 characters."),)
        )
    with fences(), unit_of_work(caller) as work:
        row = _working(caller, incident_id)
        if row.state != Incident.OPEN:
            raise Conflict(f"{row.number} is {row.state} already.", code="wrong_state")
        if open_step := row.steps.filter(part="contain", done_at__isnull=True).first():
            raise Conflict(f"“{open_step.title}” comes first. Record that step, or why it is not needed.", code="step_open")
        Incident.objects.filter(pk=row.pk).update(state=Incident.RESOLVED, resolved_at=Now())
        IncidentNote.objects.create(incident=row, what="resolved", says=how.strip(), by=caller.person)
        work.note("incident.resolved", row.submission, {"incident": row.pk})
        row.refresh_from_db()
    return row


def record_post_mortem(
    *, caller: Caller, incident_id: int, root_causes: str, went_well: str, gate: str, actions: Sequence[Corrective]
) -> PostMortem:
    """Write down what was learnt, open a finding for each corrective action, and close the incident.

    Raises `Conflict` while it is not resolved or steps of the playbook are open; `InvalidInput` naming each field.
    """
    with fences(), unit_of_work(caller) as work:
        row = _working(caller, incident_id)
        problems = _learning_problems(row, root_causes, gate, actions)
        if problems:
            raise InvalidInput("Nothing was recorded: " + " ".join(p.detail for p in problems), errors=tuple(problems))
        if row.state != Incident.RESOLVED:
            raise Conflict(f"{row.number} is {row.state}. It is resolved first, then looked back at.", code="wrong_state")
        if open_step := row.steps.exclude(part="learn").filter(done_at__isnull=True).first():
            raise Conflict(f"The step “{open_step.title}” is open. Record it, or why it is not needed.", code="step_open")
        post = PostMortem.objects.create(
            incident=row,
            root_causes=root_causes.strip(),
            went_well=went_well.strip(),
            gate=gate,
            policy_digest=row.submission.policy.digest if row.submission.policy is not None else "",
            by=_person(caller),
        )
        for action in actions:
            finding = Finding.objects.create(
                submission=row.submission,
                revision=row.submission.revision,
                about=f"incident:{row.number}",
                severity=row.severity,
                says=action.says.strip(),
                fix=f"Corrective action of {row.number}.",
                raised_by=caller.person,
                owner_id=action.owner,
                due_on=action.due_on,
            )
            work.note("finding.opened", row.submission, {"finding": finding.pk, "about": finding.about, "severity": row.severity})
        learn = row.steps.filter(part="learn", done_at__isnull=True)
        learn.update(done_at=Now(), done_by=caller.person, note="The post-mortem is recorded.")
        Incident.objects.filter(pk=row.pk).update(state=Incident.CLOSED, closed_at=Now())
        said = f"Post-mortem recorded with {len(actions)} corrective action{'' if len(actions) == 1 else 's'}. Closed."
        IncidentNote.objects.create(incident=row, what="closed", says=said, by=caller.person)
        work.note("incident.closed", row.submission, {"incident": row.pk, "actions": len(actions), "gate": gate})
        owners = {action.owner: f"A corrective action of {row.number} is yours." for action in actions}
        tell(
            work,
            row.submission,
            Notice.INCIDENT,
            answerable(row.submission) | owners,
            key=f"{row.number}:closed",
            title=f"{row.number} is closed: what was learnt from “{row.title}”"[:200],
            says="Read the causes and what is done about them.",
            path=f"/incidents/{row.pk}",
        )
    return post


def locked_incident(caller: Caller, incident_id: int) -> Incident:
    """The incident, locked until the end of the transaction, or `NotFound`."""
    rows = Incident.objects.select_for_update(of=("self",)).select_related(
        "submission__system", "submission__version", "submission__submitter", "submission__policy", "system__owner", "unit"
    )
    row = visible(rows, caller).filter(pk=incident_id).first()
    if row is None:
        raise NotFound(f"There is no incident I-{incident_id} in your business unit.")
    return row


def money(loss: Decimal | None, currency: str) -> str:
    """An amount as people read it."""
    return f"{loss:,.2f} {currency}" if loss is not None else "no loss declared"


def _working(caller: Caller, incident_id: int) -> Incident:
    row = locked_incident(caller, incident_id)
    if (refused := working_refusal(row, caller)) is not None:
        raise refused
    return row


def _person(caller: Caller) -> Person:
    assert caller.person is not None  # working_refusal lets nobody else through
    return caller.person


def _check(new: NewIncident) -> None:
    problems = _loss_problems(new.loss, new.currency)
    if new.kind not in KINDS:
        problems.append(FieldError("/kind", "unknown", f"One of {', '.join(KINDS)}."))
    if new.severity not in set(Severity):
        problems.append(FieldError("/severity", "unknown", f"One of {', '.join(Severity)}."))
    if not says_something(new.title, 8):
        problems.append(FieldError("/title", "missing", "Say in one line what went wrong."))
    if not says_something(new.says, 15):
        problems.append(FieldError("/says", "missing", "Say what was seen, since when, and how it was noticed."))
    if new.began_at is not None and new.began_at > timezone.now():
        problems.append(FieldError("/began_at", "future", "It cannot have begun in the future."))
    if problems:
        raise InvalidInput("The incident was not opened: " + " ".join(p.detail for p in problems), errors=tuple(problems))


def _loss_problems(loss: Decimal | None, currency: str) -> list[FieldError]:
    if loss is None:
        return [FieldError("/loss", "missing", "Give the amount, or leave the currency out.")] if currency else []
    if not loss.is_finite() or not 0 <= loss <= LARGEST:
        return [FieldError("/loss", "invalid", "An amount of 0 or more.")]
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        return [FieldError("/currency", "missing", "Name the currency by its three letters, such as EUR.")]
    return []


def _learning_problems(row: Incident, root_causes: str, gate: str, actions: Sequence[Corrective]) -> list[FieldError]:
    problems = []
    if not says_something(root_causes, 30):
        problems.append(FieldError("/root_causes", "missing", "Name the causes: what made it possible, not who did it."))
    if gate and not row.submission.outcomes.filter(code=gate).exists():
        problems.append(FieldError("/gate", "unknown", f"{gate} was no gate of {row.submission.number}."))
    if not actions:
        problems.append(FieldError("/actions", "missing", "Name at least one corrective action, with who does it until when."))
    may = set(
        Person.objects.filter(may_see(row.unit_id), pk__in=[a.owner for a in actions], is_active=True).values_list(
            "pk", flat=True
        )
    )
    for at, action in enumerate(actions, 1):
        if not says_something(action.says, 10):
            problems.append(FieldError(f"/action_{at}", "missing", "Say what is done."))
        if action.owner not in may:
            problems.append(FieldError(f"/owner_{at}", "unknown", "Choose who does it."))
        if action.due_on is None or action.due_on < timezone.now().date():
            problems.append(FieldError(f"/due_{at}", "missing", "Until when? Today or later."))
    return problems
