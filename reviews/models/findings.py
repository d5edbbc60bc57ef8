"""Recorded problems, from gates and people."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.domain.vocabulary import Severity
from governance.models import Person, Submission


class Finding(models.Model):
    """A problem with severity, owner, due date and state.

    open -> fixed (somebody says what was done, with evidence) -> closed (somebody else looked), or back to open. What a gate
    recorded is closed by measuring again while its case is open; afterwards by people, in the same way.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="findings")
    revision = models.PositiveIntegerField()
    about = models.CharField(max_length=100, help_text="gate code, question or rule")
    severity = models.CharField(max_length=10)
    says = models.TextField()
    fix = models.TextField(blank=True)
    remediation = models.TextField(blank=True, help_text="what was done about it, in the words of who did it")
    evidence = models.CharField(max_length=500, blank=True, db_default="", help_text="where the fix can be seen")
    fixed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    fixed_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, default="open")
    raised_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="findings")
    due_on = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["open", "fixed", "closed"]), name="finding_state_known"),
            models.CheckConstraint(
                condition=~Q(state="closed") | (Q(closed_at__isnull=False) & ~Q(closed_why="")), name="closed_finding_says_why"
            ),
            models.CheckConstraint(
                condition=~Q(state="fixed") | (Q(fixed_by__isnull=False) & ~Q(remediation="") & ~Q(evidence="")),
                name="fixed_finding_has_evidence",
            ),
            models.CheckConstraint(
                condition=Q(verified_by__isnull=True) | (Q(fixed_by__isnull=False) & ~Q(verified_by=F("fixed_by"))),
                name="finding_verified_by_somebody_else",
            ),
            models.CheckConstraint(condition=Q(severity__in=[s.value for s in Severity]), name="finding_severity_known"),
            models.UniqueConstraint(
                fields=["submission", "about"], condition=Q(state="open", raised_by__isnull=True), name="one_open_gate_finding"
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="finding_board")]
        ordering = ["id"]

    @property
    def number(self) -> str:
        """How people name it."""
        return f"F-{self.pk}"
