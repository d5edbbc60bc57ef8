"""What runs where, as it was reported."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, SystemVersion, Unit
from reviews.models.permits import Permit


class Deployment(models.Model):
    """A version going live, or seen running.

    `permit` is what allowed it; without one it was only `observed`: a report of what serves, whatever the platform says about it.
    `version` is empty where nothing is known of what serves. One live row per system and environment and source of the report.
    """

    LIVE, REPLACED, ROLLED_BACK, GONE = "live", "replaced", "rolled_back", "gone"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="deployments")
    system = models.CharField(max_length=100)
    version_name = models.CharField(max_length=100)
    version = models.ForeignKey(SystemVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="deployments")
    environment = models.CharField(max_length=40)
    artifact_digest = models.CharField(max_length=80, blank=True)
    permit = models.ForeignKey(Permit, on_delete=models.PROTECT, null=True, blank=True, related_name="deployments")
    observed = models.BooleanField(default=False)
    target = models.CharField(max_length=200, blank=True, help_text="cluster, service or endpoint, as the deployer names it")
    exposure = models.PositiveSmallIntegerField(default=100, db_default=100, help_text="percent of traffic or people it serves")
    state = models.CharField(max_length=12, default=LIVE)
    at = models.DateTimeField(db_default=Now())
    reported_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)
    rolled_back_to = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="rollbacks")
    unpermitted_since = models.DateTimeField(null=True, blank=True, help_text="first seen by the reconcile without a live permit")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["live", "replaced", "rolled_back", "gone"]), name="deployment_state_known"
            ),
            models.CheckConstraint(
                condition=Q(permit__isnull=False, version__isnull=False) | Q(observed=True),
                name="deployment_permitted_or_observed",
            ),
            models.CheckConstraint(condition=Q(exposure__gte=1) & Q(exposure__lte=100), name="deployment_exposure_is_percent"),
            models.CheckConstraint(condition=Q(state="live") | Q(ended_at__isnull=False), name="ended_deployment_says_when"),
            models.UniqueConstraint(
                fields=["unit", "system", "environment", "target"], condition=Q(state="live"), name="one_live_deployment"
            ),
        ]
        indexes = [models.Index(fields=["unit", "-id"], name="deployment_unit_latest")]
        ordering = ["id"]
