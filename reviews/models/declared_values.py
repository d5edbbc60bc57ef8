"""What a version is worth a day, as somebody declares it: one side of the question what governance costs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission, Unit


class DeclaredValue(models.Model):
    """One declaration; the latest of a submission counts. Append-only."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="declared_values")
    per_day = models.DecimalField(max_digits=16, decimal_places=2)
    currency = models.CharField(max_length=3)
    why = models.CharField(max_length=500, help_text="where the amount comes from")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(per_day__gte=0), name="declared_value_not_negative"),
            models.CheckConstraint(condition=~Q(why=""), name="declared_value_says_why"),
        ]
        ordering = ["id"]
