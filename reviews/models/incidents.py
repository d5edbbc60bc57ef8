"""Incidents: what went wrong in use, the playbook that is followed, and what was learnt from it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import Role, Severity
from governance.models import Person, Submission, System, SystemVersion, Unit
from governance.policy.monitoring import INCIDENT_KINDS
from reviews.models.deployments import Deployment
from reviews.models.findings import Finding
from reviews.models.monitoring import MonitoringEvent


class Incident(models.Model):
    """Something that went wrong with a version in use. open -> resolved -> closed by its post-mortem.

    `submission` is the decision the version ran on: permit, gates and policy are found there. `opened_by` is empty where a
    monitor's report opened it. The playbook is named with version and digest; its steps are copied when the incident opens, so
    that a later edition changes nothing that is under way.
    """

    OPEN, RESOLVED, CLOSED = "open", "resolved", "closed"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="incidents")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="incidents")
    version = models.ForeignKey(SystemVersion, on_delete=models.PROTECT, related_name="incidents")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="incidents")
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    event = models.ForeignKey(MonitoringEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    kind = models.CharField(max_length=20)
    severity = models.CharField(max_length=10)
    title = models.CharField(max_length=160)
    says = models.TextField()
    customer_impact = models.TextField(blank=True)
    loss = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True, help_text="declared, not measured")
    currency = models.CharField(max_length=3, blank=True)
    playbook = models.CharField(max_length=40)
    playbook_version = models.CharField(max_length=20)
    playbook_digest = models.CharField(max_length=80)
    state = models.CharField(max_length=10, default=OPEN)
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    began_at = models.DateTimeField(help_text="when it began, as far as known")
    opened_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=list(INCIDENT_KINDS)), name="incident_kind_known"),
            models.CheckConstraint(condition=Q(severity__in=[s.value for s in Severity]), name="incident_severity_known"),
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True, closed_at__isnull=True)
                | Q(state="resolved", resolved_at__isnull=False, closed_at__isnull=True)
                | Q(state="closed", resolved_at__isnull=False, closed_at__isnull=False),
                name="incident_state_says_when",
            ),
            models.CheckConstraint(
                condition=Q(loss__isnull=True, currency="") | (Q(loss__gte=0) & ~Q(currency="")),
                name="incident_loss_has_currency",
            ),
            models.UniqueConstraint(
                fields=["submission", "kind"],
                condition=Q(opened_by__isnull=True) & ~Q(state="closed"),
                name="one_open_incident_by_signal",
            ),
        ]
        indexes = [models.Index(fields=["unit", "-id"], name="incident_unit_latest")]
        ordering = ["id"]

    @property
    def number(self) -> str:
        """How people name it."""
        return f"I-{self.pk}"


class IncidentStep(models.Model):
    """One step of the playbook, with the role that does it and until when."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    part = models.CharField(max_length=10, help_text="contain, notify, mend or learn")
    title = models.CharField(max_length=160)
    says = models.TextField()
    role = models.CharField(max_length=32)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "position"], name="incident_step_once"),
            models.CheckConstraint(condition=Q(part__in=["contain", "notify", "mend", "learn"]), name="incident_part_known"),
            models.CheckConstraint(condition=Q(role__in=[r.value for r in Role]), name="incident_step_role_known"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | (Q(done_at__isnull=False, done_by__isnull=False) & ~Q(note="")),
                name="done_incident_step_says_what",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at__isnull=True), name="incident_step_due")]
        ordering = ["position"]


class IncidentNote(models.Model):
    """One line of an incident's timeline. Append-only. `by` is empty for what the platform wrote."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="notes")
    what = models.CharField(max_length=20)
    says = models.TextField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]


class PostMortem(models.Model):
    """What was learnt: causes, not culprits. Append-only; its corrective actions are findings with owner and due date."""

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="post_mortem")
    root_causes = models.TextField()
    went_well = models.TextField(blank=True)
    gate = models.CharField(max_length=10, blank=True, help_text="the gate that should have caught it, where there is one")
    policy_digest = models.CharField(max_length=80, blank=True, help_text="the policy the version was decided under")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(root_causes=""), name="post_mortem_names_causes")]
