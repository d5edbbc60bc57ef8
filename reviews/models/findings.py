"""Recorded problems, from gates and people."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import Severity
from governance.models import Person, Submission


class Finding(models.Model):
    """A problem with severity, owner, due date and state."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="findings")
    revision = models.PositiveIntegerField()
    about = models.CharField(max_length=100, help_text="gate code, question or rule")
    severity = models.CharField(max_length=10)
    says = models.TextField()
    fix = models.TextField(blank=True)
    remediation = models.TextField(blank=True)
    state = models.CharField(max_length=10, default="open")
    raised_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="findings")
    due_on = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["open", "closed"]), name="finding_state_known"),
            models.CheckConstraint(
                condition=Q(state="open") | (Q(closed_at__isnull=False) & ~Q(closed_why="")), name="closed_finding_says_why"
            ),
            models.CheckConstraint(condition=Q(severity__in=[s.value for s in Severity]), name="finding_severity_known"),
            models.UniqueConstraint(
                fields=["submission", "about"], condition=Q(state="open", raised_by__isnull=True), name="one_open_gate_finding"
            ),
        ]
        ordering = ["id"]
