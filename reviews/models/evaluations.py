"""Looks back after a release."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission, Unit


class Evaluation(models.Model):
    """A post-release evaluation: scheduled with the approval, recorded once by somebody, with evidence."""

    RESULTS = ("as_expected", "worse", "not_released")

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="evaluations")
    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="evaluation")
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="evaluations")
    looks_at = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=16, blank=True)
    found = models.TextField(blank=True)
    evidence = models.TextField(blank=True)
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, result="")
                | (
                    Q(done_at__isnull=False, result__in=["as_expected", "worse", "not_released"], recorded_by__isnull=False)
                    & ~Q(found="")
                    & ~Q(evidence="")
                ),
                name="done_evaluation_says_what_it_found",
            )
        ]
        indexes = [models.Index(fields=["unit", "due_on"], condition=Q(done_at__isnull=True), name="evaluation_open")]
        ordering = ["id"]
