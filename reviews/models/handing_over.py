"""A case given by one reviewer to another, with a note."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission


class HandOver(models.Model):
    """Who gave the open step to whom, and what they should know. Append-only; the claim itself stands on the submission."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="hand_overs")
    revision = models.PositiveIntegerField()
    role = models.CharField(max_length=32)
    held_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    to = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="handed")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    note = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(note=""), name="hand_over_says_why"),
        ]
        indexes = [models.Index(fields=["submission", "-id"], name="hand_over_latest")]
        ordering = ["id"]
