"""Teams that depend on a system's decisions, what they are told of its changes, and whether they took note."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission, System, Unit
from reviews.models.deployments import Deployment


class DownstreamTeam(models.Model):
    """A named consumer of a system, with the person who takes note for it."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="downstream_teams")
    name = models.CharField(max_length=120)
    uses = models.CharField(max_length=300, blank=True, help_text="what it does with the decisions")
    contact = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="downstream_teams")
    added_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "name"], condition=Q(removed_at__isnull=True), name="downstream_team_once")
        ]
        ordering = ["name"]


class ChangeNote(models.Model):
    """What one team was told of one change, and when somebody took note of it."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(DownstreamTeam, on_delete=models.PROTECT, related_name="notes")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="change_notes")
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    what = models.CharField(max_length=12)
    says = models.TextField()
    at = models.DateTimeField(db_default=Now())
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(what__in=["approved", "deployed", "rolled_back"]), name="change_note_known"),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="change_note_acknowledged_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["submission", "team"], name="change_note_of")]
        ordering = ["id"]
