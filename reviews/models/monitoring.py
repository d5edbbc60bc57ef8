"""What monitors report of versions in use. Append-only: a report is a fact about a time."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import Severity
from governance.models import Person, Submission, System, SystemVersion, Unit
from reviews.models.deployments import Deployment
from reviews.models.findings import Finding

VERDICTS = ["over", "unknown", "unjudged", "within"]


class MonitoringEvent(models.Model):
    """One report about one deployed version, with its readings as they were judged when it came in.

    `key` is the sender's: the same one is the same report. `submission` is the decision the deployment rests on.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="monitoring_events")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="monitoring_events")
    version = models.ForeignKey(SystemVersion, on_delete=models.PROTECT, related_name="monitoring_events")
    environment = models.CharField(max_length=40)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="monitoring_events")
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="monitoring_events")
    key = models.CharField(max_length=200)
    content_digest = models.CharField(max_length=80)
    signal = models.CharField(max_length=16)
    at = models.DateTimeField(help_text="the end of the time it is about")
    since = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=100, blank=True, help_text="the monitor")
    link = models.CharField(max_length=500, blank=True, help_text="where the evidence lies")
    note = models.TextField(blank=True)
    verdict = models.CharField(max_length=10)
    policy_digest = models.CharField(max_length=80, blank=True, help_text="the pack whose limits were used")
    reported_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "key"], name="monitoring_event_once"),
            models.CheckConstraint(condition=Q(verdict__in=[*VERDICTS, "incident"]), name="monitoring_verdict_known"),
        ]
        indexes = [
            models.Index(fields=["unit", "-id"], name="monitoring_unit_latest"),
            models.Index(fields=["system", "-id"], name="monitoring_system_latest"),
        ]
        ordering = ["id"]


class MonitoringReading(models.Model):
    """One number of a report: a point of the series of its metric and subject."""

    event = models.ForeignKey(MonitoringEvent, on_delete=models.PROTECT, related_name="readings")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="+")
    signal = models.CharField(max_length=16)
    metric = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True, help_text="empty: it could not be measured")
    baseline = models.FloatField(null=True)
    against = models.FloatField(null=True, help_text="what it was compared with")
    n = models.BigIntegerField(null=True)
    limit = models.CharField(max_length=60, blank=True)
    verdict = models.CharField(max_length=10)
    severity = models.CharField(max_length=10, blank=True)
    says = models.CharField(max_length=500)
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, null=True, blank=True, related_name="readings")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=VERDICTS), name="reading_verdict_known"),
            models.CheckConstraint(condition=Q(severity__in=["", *(s.value for s in Severity)]), name="reading_severity_known"),
            models.CheckConstraint(
                condition=(Q(verdict="over") & ~Q(severity="") & Q(finding__isnull=False))
                | (~Q(verdict="over") & Q(severity="", finding__isnull=True)),
                name="reading_over_has_finding",
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "signal", "-id"], name="reading_series"),
            models.Index(fields=["system", "signal", "-id"], name="reading_system_series"),
        ]
        ordering = ["id"]
