"""What people looked at: the sections they have seen, and readings that were refused."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission, Unit


class SectionSeen(models.Model):
    """One person has seen one section of a case as it was. The mark counts while the section's digest is the same.

    `dossier_digest`: the case as a whole at that time, so that the page can say what changed since.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="seen")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    section = models.CharField(max_length=24)
    digest = models.CharField(max_length=80)
    dossier_digest = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "person", "section"], name="section_seen_once")]
        ordering = ["id"]


class RefusedReading(models.Model):
    """A reading of a gate that was not accepted: nothing was written, or somebody else's words. Append-only; for the rate."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=32)
    gate = models.CharField(max_length=10)
    why = models.CharField(max_length=10)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(why__in=["missing", "copied"]), name="refused_reading_why_known"),
        ]
        indexes = [models.Index(fields=["unit", "at"], name="refused_reading_when")]
        ordering = ["id"]
