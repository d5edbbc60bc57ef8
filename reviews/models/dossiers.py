"""Dossiers as they were decided on."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from governance.models import Submission


class Dossier(models.Model):
    """Everything a decision rested on, in canonical form, under its digest. Append-only.

    Kept when a case comes up for review and whenever its material changes, so that "what did they see" has an answer for ever,
    and a person whose view went stale can be told what changed since.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="dossiers")
    revision = models.PositiveIntegerField()
    digest = models.CharField(max_length=80)
    content = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "digest"], name="dossier_once")]
        ordering = ["id"]
