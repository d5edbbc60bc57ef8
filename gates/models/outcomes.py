"""What the gates said."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import Verdict
from governance.models import Submission


class GateOutcome(models.Model):
    """One gate's stored judgement for one revision. Append-only.

    `round` counts judgements of the same revision: checks that stopped with an error can be run again, and what was said
    before stays on record. `gates.selectors.outcomes` gives the latest round.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="outcomes")
    revision = models.PositiveIntegerField()
    round = models.PositiveSmallIntegerField(default=1)
    code = models.CharField(max_length=10)
    name = models.CharField(max_length=80)
    verdict = models.CharField(max_length=16)
    blocking = models.BooleanField()
    says = models.TextField()
    fix = models.TextField(blank=True)
    observed = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n = models.BigIntegerField(null=True)
    limit = models.CharField(max_length=60, blank=True)
    limits = models.JSONField(default=dict)
    metric = models.CharField(max_length=120, blank=True)
    group = models.CharField(max_length=300, blank=True)
    notes = models.JSONField(default=list)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "revision", "round", "code"], name="outcome_once_per_round"),
            models.CheckConstraint(condition=Q(verdict__in=[v.value for v in Verdict]), name="outcome_verdict_known"),
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.code} {self.verdict}"
