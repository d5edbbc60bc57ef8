"""Which pipelines may exchange their identity token for one of ours, and which identity tokens were used."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models.people import Person, Unit


class TrustRule(models.Model):
    """Tokens of this issuer, for this audience, project, ref, environment and workflow act for a person within scopes.

    `project` is numeric: a name can be given to another project once the first is gone.
    """

    GITHUB, GITLAB = "github", "gitlab"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="trust_rules")
    name = models.CharField(max_length=120)
    provider = models.CharField(max_length=10)
    issuer = models.CharField(max_length=200)
    audience = models.CharField(max_length=200)
    project = models.CharField(max_length=20, help_text="repository_id of GitHub, project_id of GitLab")
    ref = models.CharField(max_length=255, help_text="such as refs/heads/main")
    environment = models.CharField(max_length=255, blank=True, help_text="of the job; empty: any")
    workflow = models.CharField(max_length=500, blank=True, help_text="job_workflow_ref or ci_config_ref_uri; empty: any")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="trust_rules")
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(provider__in=["github", "gitlab"]), name="trust_provider_known"),
            models.CheckConstraint(condition=Q(project__regex=r"^[0-9]+$"), name="trust_project_numeric"),
            models.CheckConstraint(condition=~Q(ref="") & ~Q(audience=""), name="trust_pins_ref_and_audience"),
        ]
        indexes = [models.Index(fields=["issuer"], condition=Q(ended_at__isnull=True), name="trust_by_issuer")]


class UsedIdentity(models.Model):
    """An identity token that was exchanged: never a second time. `key`: sha256 over issuer and `jti`."""

    key = models.CharField(max_length=64, primary_key=True)
    rule = models.ForeignKey(TrustRule, on_delete=models.PROTECT, related_name="used")
    used_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(db_index=True)
