"""Permits: what deployment tools ask for."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission, SystemVersion, Unit


class Permit(models.Model):
    """A version may be deployed to an environment, up to a share of traffic or people, until a date unless revoked.

    `raised_by` is the request that led to more exposure; the permit of the approval itself has none.

    A database trigger refuses one for a submission that is not approved on this very dossier: every required step signed by a
    person, or a final green track.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="permits")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="permits")
    version = models.ForeignKey(SystemVersion, on_delete=models.PROTECT, related_name="permits")
    environment = models.CharField(max_length=40)
    artifact_digest = models.CharField(max_length=80, blank=True, db_index=True)
    dossier_digest = models.CharField(max_length=80)
    policy_digest = models.CharField(max_length=80)
    exposure = models.PositiveSmallIntegerField(default=100, db_default=100, help_text="percent of traffic or people, at most")
    raised_by = models.OneToOneField(
        "reviews.ExposureRequest", on_delete=models.PROTECT, null=True, blank=True, related_name="raised_to"
    )
    issued_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    revoked_why = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["version", "environment", "-issued_at"], name="permit_lookup")]
        constraints = [
            models.UniqueConstraint(
                fields=["submission", "dossier_digest"], condition=Q(raised_by__isnull=True), name="permit_once_per_dossier"
            ),
            models.CheckConstraint(condition=Q(exposure__gte=1) & Q(exposure__lte=100), name="permit_exposure_is_percent"),
            models.CheckConstraint(condition=Q(revoked_at__isnull=True) | ~Q(revoked_why=""), name="revoked_permit_says_why"),
        ]
