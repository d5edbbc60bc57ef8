"""Gate runs: the row is the request, the state and the truth; a message only wakes a worker."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import RunStatus
from governance.models import Submission


class GateRun(models.Model):
    """One collector to be run for one revision of a submission."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="gate_runs")
    revision = models.PositiveIntegerField()
    collector = models.CharField(max_length=60)
    heavy = models.BooleanField(default=False)
    input_digest = models.CharField(max_length=80)
    status = models.CharField(max_length=12, default=RunStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(db_default=Now())
    dispatched_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    progress = models.CharField(max_length=200, blank=True)
    # why there is no measurement: missing or unusable evidence, a crash, the third failed attempt
    not_measured = models.TextField(blank=True)
    not_applicable = models.TextField(blank=True)
    error = models.TextField(blank=True)
    notes = models.JSONField(default=list)
    facts = models.JSONField(default=list)
    versions = models.JSONField(default=dict)
    seconds = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=[s.value for s in RunStatus]), name="run_status_known"),
            models.UniqueConstraint(fields=["submission", "revision", "collector"], name="one_run_per_collector_and_revision"),
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                condition=Q(status__in=[RunStatus.QUEUED.value, RunStatus.RUNNING.value]),
                name="run_unfinished",
            )
        ]


class Measurement(models.Model):
    """A measured number with group, interval, n and source digest, before any judgement. Append-only."""

    run = models.ForeignKey(GateRun, on_delete=models.PROTECT, related_name="measurements")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="measurements")
    metric = models.CharField(max_length=120)
    group = models.CharField(max_length=300, blank=True)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n = models.BigIntegerField(null=True)
    text = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "metric", "group"], name="measured_once")]
        ordering = ["id"]


class Chart(models.Model):
    """A picture drawn by a collector, with its words and the table beneath. Append-only."""

    run = models.ForeignKey(GateRun, on_delete=models.PROTECT, related_name="charts")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="charts")
    key = models.CharField(max_length=120)
    title = models.CharField(max_length=200)
    description = models.TextField()
    svg_light = models.TextField()
    svg_dark = models.TextField()
    columns = models.JSONField(default=list)
    rows = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="chart_once")]
        ordering = ["id"]


class GateOutcome(models.Model):
    """One gate's stored judgement for one revision. Append-only."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="outcomes")
    revision = models.PositiveIntegerField()
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
        constraints = [models.UniqueConstraint(fields=["submission", "revision", "code"], name="outcome_once_per_revision")]
        ordering = ["id"]


class WorkerSeen(models.Model):
    """Last sign of life of each worker process, by host name."""

    name = models.CharField(max_length=120, primary_key=True)
    seen_at = models.DateTimeField()
