"""Gate runs: the row is the request, the state and the truth; a message only wakes a worker."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.domain.vocabulary import RunStatus
from governance.models import Submission


class GateRun(models.Model):
    """One collector to be run for one revision of a submission.

    `attempt` only ever grows: it is the number a worker must still hold when it hands in its result. `inputs` is what the
    collector may look at, frozen when the run was planned, so that running again measures the same thing.

    What has ended is never run again itself: running again adds a row (`again_of`), and the earlier one is no longer `current`.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="gate_runs")
    revision = models.PositiveIntegerField()
    collector = models.CharField(max_length=60)
    # name, version and plug-in it was planned with: only a worker that has just that takes it; "" in rows from before it was kept
    edition = models.CharField(max_length=200, blank=True, default="", db_default="")
    unknown_since = models.DateTimeField(null=True, blank=True, help_text="workers are there and none has that edition")
    heavy = models.BooleanField(default=False)
    priority = models.PositiveSmallIntegerField(default=9, help_text="smaller goes first")
    due_at = models.DateTimeField(
        db_default=Now(), help_text="when it should have been taken; overdue ones get turns of their own"
    )
    inputs = models.JSONField(default=dict)
    input_digest = models.CharField(max_length=80)
    status = models.CharField(max_length=12, default=RunStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(db_default=Now())
    dispatched_at = models.DateTimeField(null=True, blank=True)
    dispatches = models.PositiveIntegerField(default=0, help_text="how often the relay had to send it again")
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    # why there is no measurement: missing or unusable evidence, a crash, the third failed attempt
    not_measured = models.TextField(blank=True)
    not_applicable = models.TextField(blank=True)
    error = models.TextField(blank=True)
    notes = models.JSONField(default=list)
    facts = models.JSONField(default=list)
    versions = models.JSONField(default=dict)
    seconds = models.FloatField(null=True, blank=True)
    results_digest = models.CharField(max_length=80, blank=True)
    # what the collector says it is doing, while it runs: written about once a second at most
    doing = models.CharField(max_length=200, blank=True)
    steps_done = models.BigIntegerField(null=True, blank=True)
    steps_total = models.BigIntegerField(null=True, blank=True)
    current = models.BooleanField(default=True)
    again_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="again")
    carried_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="carried_to")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=[s.value for s in RunStatus]), name="run_status_known"),
            models.CheckConstraint(condition=Q(attempt__lte=F("max_attempts")), name="run_attempts_bounded"),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.RUNNING) | Q(lease_until__isnull=False), name="running_has_lease"
            ),
            models.UniqueConstraint(
                fields=["submission", "revision", "collector"],
                condition=Q(current=True),
                name="one_current_run_per_collector_and_revision",
            ),
            models.CheckConstraint(
                condition=Q(current=True) | ~Q(status__in=[RunStatus.QUEUED.value, RunStatus.RUNNING.value]),
                name="unfinished_is_current",
            ),
        ]
        indexes = [
            # few submissions declare an A/B test, and each of them asks who else does
            models.Index(
                fields=["submission"],
                condition=models.Q(collector="experiment", status="done", not_measured="", not_applicable=""),
                name="run_declared_experiment",
            ),
            models.Index(
                fields=["heavy", "priority", "due_at", "id"],
                condition=Q(status__in=[RunStatus.QUEUED.value, RunStatus.RUNNING.value]),
                name="run_unfinished",
            ),
            models.Index(
                fields=["collector", "-finished_at"],
                condition=Q(status=RunStatus.DONE.value, carried_from__isnull=True, seconds__isnull=False),
                name="run_times",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.collector}"


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

    def __str__(self) -> str:
        return f"{self.metric} {self.group}".strip()


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

    def __str__(self) -> str:
        return self.title
