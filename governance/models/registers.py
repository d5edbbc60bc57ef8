"""Registers beside the inventory: populations to compare with, and what data stewards said about columns."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from governance.domain.vocabulary import ColumnMarkKind
from governance.models.people import Person, Unit
from governance.models.submissions import Submission
from governance.models.systems import System


class ReferencePopulation(models.Model):
    """Shares of groups in a population that a model is meant for, with where they come from.

    `shares`: attribute -> group -> share, each attribute adding up to 1 (`{"sex": {"female": 0.51, "male": 0.49}}`).
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="reference_populations")
    name = models.CharField(max_length=120)
    shares = models.JSONField()
    source = models.CharField(max_length=300, help_text="a census, a customer register, with its year")
    counted_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "name"], name="population_name_unique_in_unit")]

    def __str__(self) -> str:
        return self.name


class ColumnMark(models.Model):
    """What a data steward said about a column in which personal data was found. The latest one of a system's column counts.

    A mark holds for what was found (`kind`): a column that later holds something else is asked about again. Append-only.
    """

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="column_marks")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="column_marks")
    column = models.CharField(max_length=300)
    kind = models.CharField(max_length=80)
    mark = models.CharField(max_length=12, choices=[(m.value, m.label) for m in ColumnMarkKind])
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="column_marks")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(mark__in=[m.value for m in ColumnMarkKind]), name="column_mark_known"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="column_mark_has_reason"),
        ]
        indexes = [models.Index(fields=["system", "-id"], name="column_mark_latest")]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.column}: {self.mark}"
