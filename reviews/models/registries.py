"""Model registries: which system is which registered model there, what was seen, what is written back, and what is barred."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission, System, SystemVersion, Unit


class RegistryLink(models.Model):
    """A system of ours is a registered model there. New versions of it become drafts of a person's.

    `server` names one of the operator's (`GUIDERAIL_MLFLOW_SERVERS`): no address is kept here.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="registry_links")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="registry_links")
    server = models.CharField(max_length=40)
    model = models.CharField(max_length=256, help_text="the registered model's name")
    environment = models.CharField(max_length=40, default="production")
    alias = models.CharField(max_length=100, blank=True, help_text="set on the approved version; empty: none")
    acts_for = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="registry_links")
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="when its versions were last listed")
    problem = models.CharField(max_length=300, blank=True, help_text="why they could not be")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["server", "model", "environment"], condition=Q(ended_at__isnull=True), name="registry_link_once"
            )
        ]


class RegistryVersion(models.Model):
    """A version seen in a registry. The row is the request to open a draft of it."""

    DUE, OPENED, FAILED = "due", "opened", "failed"

    link = models.ForeignKey(RegistryLink, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=40)
    source = models.CharField(max_length=500, blank=True, help_text="what the version is a name of, such as models:/m-…")
    run_id = models.CharField(max_length=64, blank=True)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, null=True, blank=True, related_name="registry_versions")
    state = models.CharField(max_length=8, default=DUE)
    seen_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    problem = models.CharField(max_length=300, blank=True)
    told = models.CharField(max_length=24, blank=True, help_text="the state that was last written back")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "version"], name="registry_version_once"),
            models.CheckConstraint(condition=Q(state__in=["due", "opened", "failed"]), name="registry_version_state_known"),
        ]
        indexes = [models.Index(fields=["not_before"], condition=Q(state="due"), name="registry_version_due")]


class RegistryWrite(models.Model):
    """Something to be written into a registry, in the order of ids for each version. Delivered by a task, with retries."""

    TAG, SET_ALIAS, DROP_ALIAS = "tag", "set_alias", "drop_alias"
    DUE, SENT, DROPPED, FAILED = "due", "sent", "dropped", "failed"

    about = models.ForeignKey(RegistryVersion, on_delete=models.PROTECT, related_name="writes")
    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=250)
    value = models.CharField(max_length=2000, blank=True)
    state = models.CharField(max_length=8, default=DUE)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    problem = models.CharField(max_length=300, blank=True, help_text="why it was not written")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["tag", "set_alias", "drop_alias"]), name="registry_write_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=["due", "sent", "dropped", "failed"]), name="registry_write_state_known"
            ),
        ]
        indexes = [models.Index(fields=["not_before"], condition=Q(state="due"), name="registry_write_due")]


class BarredBuild(models.Model):
    """A build that failed a fairness gate: refused for ever, under whatever version or tag. Append-only."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    version = models.OneToOneField(SystemVersion, on_delete=models.PROTECT, related_name="barred")
    artifact_digest = models.CharField(max_length=80, blank=True, db_index=True)
    server = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=500, blank=True, help_text="what the registry's version is a name of")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+")
    gate = models.CharField(max_length=20)
    says = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["server", "source"], condition=~Q(source=""), name="barred_source")]
