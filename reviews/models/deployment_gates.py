"""Deployments of GitHub and GitLab that wait for a permit: which project is which system, what was asked, what is answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission, System, Unit


class DeploymentGate(models.Model):
    """An environment of a project there is an environment of a system here. Nothing a message says chooses another.

    `project` is the number of the repository or project: a name can be taken over by somebody else.
    """

    GITHUB, GITLAB = "github", "gitlab"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="deployment_gates")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="deployment_gates")
    provider = models.CharField(max_length=8)
    project = models.CharField(max_length=20)
    installation = models.CharField(max_length=20, blank=True, help_text="of the app on GitHub; empty for GitLab")
    environment_there = models.CharField(max_length=255)
    environment = models.CharField(max_length=40)
    exposure = models.PositiveSmallIntegerField(default=100, help_text="percent of traffic or people a deployment there reaches")
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="when GitLab was last asked for waiting deployments")
    problem = models.CharField(max_length=300, blank=True, help_text="why it could not be")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "project", "environment_there"],
                condition=Q(ended_at__isnull=True),
                name="deployment_gate_once",
            ),
            models.CheckConstraint(
                condition=(Q(provider="github") & ~Q(installation="")) | Q(provider="gitlab", installation=""),
                name="deployment_gate_provider_known",
            ),
            models.CheckConstraint(
                condition=Q(exposure__gte=1) & Q(exposure__lte=100), name="deployment_gate_exposure_is_percent"
            ),
        ]


class DeploymentRequest(models.Model):
    """A deployment that waits there. The row is the truth: a task that runs twice answers once.

    `over`: it does not wait any more, or waited too long.
    """

    WAITING, APPROVED, REJECTED, OVER = "waiting", "approved", "rejected", "over"

    gate = models.ForeignKey(DeploymentGate, on_delete=models.PROTECT, related_name="requests")
    delivery = models.CharField(max_length=64, blank=True, help_text="GitHub's id of the message: taken once")
    deployment = models.CharField(max_length=20)
    callback = models.CharField(max_length=300, blank=True, help_text="path below GitHub's API that takes the answer")
    commit = models.CharField(max_length=64)
    ref = models.CharField(max_length=255, blank=True)
    received_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=8, default=WAITING)
    submission = models.ForeignKey(
        Submission, on_delete=models.PROTECT, null=True, blank=True, related_name="deployment_requests"
    )
    told = models.CharField(max_length=60, blank=True, help_text="what was last reported: nothing is reported twice")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gate", "deployment"], name="deployment_request_once"),
            models.UniqueConstraint(fields=["delivery"], condition=~Q(delivery=""), name="deployment_delivery_once"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "approved", "rejected", "over"]), name="deployment_request_state_known"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state="waiting"), name="deployment_request_waiting")]


class DeploymentReport(models.Model):
    """Something to be said there about a request, in the order of ids. Delivered by a task, with retries."""

    COMMENT, APPROVE, REJECT = "comment", "approve", "reject"
    DUE, SENT, DROPPED, FAILED = "due", "sent", "dropped", "failed"

    request = models.ForeignKey(DeploymentRequest, on_delete=models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=8)
    says = models.CharField(max_length=1100)
    state = models.CharField(max_length=8, default=DUE)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    problem = models.CharField(max_length=300, blank=True, help_text="why it was not delivered")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["comment", "approve", "reject"]), name="deployment_report_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=["due", "sent", "dropped", "failed"]), name="deployment_report_state_known"
            ),
        ]
        indexes = [models.Index(fields=["not_before"], condition=Q(state="due"), name="deployment_report_due")]
