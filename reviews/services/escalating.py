"""Steps of playbooks: reminded before they are due, escalated when they are late. Each is said once, however often this runs."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from governance.domain.vocabulary import Role
from governance.selectors.access import SYSTEM
from governance.services.work import unit_of_work
from reviews.models import Incident, IncidentStep, Notification
from reviews.selectors.notices import Notice
from reviews.services.reminding import leads
from reviews.services.steps import SOON
from reviews.services.telling import answerable, holders, tell

MOST = 300


def escalate() -> None:
    """Say what has to be said now of steps that are open."""
    now = timezone.now()
    related = ("incident__submission__system", "incident__submission__version", "incident__submission__submitter")
    steps = IncidentStep.objects.filter(done_at__isnull=True).exclude(incident__state=Incident.CLOSED)
    for step in steps.select_related(*related).order_by("due_at", "id")[:MOST]:
        whole = (step.due_at - step.incident.opened_at).total_seconds()
        used = (now - step.incident.opened_at).total_seconds()
        if used >= whole * SOON:
            _say(step, now)


def _say(step: IncidentStep, now: datetime) -> None:
    row, late = step.incident, step.due_at <= now
    key = f"{row.number}:step:{step.position}:{'late' if late else 'soon'}"
    if Notification.objects.filter(submission=row.submission, key=f"{Notice.INCIDENT}:{key}").exists():
        return
    role = Role(step.role)
    people = answerable(row.submission) if role is Role.SUBMITTER else holders(row.unit_id, role)
    if late:
        people = leads(people) | holders(row.unit_id, Role.RISK_OFFICER) | people
    if not people:
        return
    with unit_of_work(SYSTEM) as work:
        if late:
            work.note("incident.step_overdue", row.submission, {"incident": row.pk, "step": step.position, "role": role.value})
        tell(
            work,
            row.submission,
            Notice.INCIDENT,
            people,
            key=key,
            title=f"{row.number}, step {step.position} of the playbook {'is overdue' if late else 'is due soon'}: {step.title}"[
                :200
            ],
            says=f"It was due by {step.due_at:%d %B, %H:%M} UTC and is for the {role.label}. {step.says}",
            path=f"/incidents/{row.pk}",
        )
