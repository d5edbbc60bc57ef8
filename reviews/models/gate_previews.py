"""Gates tried on evidence before anything is handed in. No submission, no revision, no run: nothing that a list could show."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import RunStatus
from governance.models import Person, PolicyPack, Unit


class GatePreview(models.Model):
    """One request to run the gates without handing anything in. It is gone soon after, whatever came of it.

    `inputs`: collector -> what it may look at, frozen like those of a run; `missing`: collector -> what is said of the file it
    lacks; `document`: the verdict document of the rules alone, and with the gates once `status` is done.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+")
    asked_by = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    content_digest = models.CharField(max_length=80)
    policy = models.ForeignKey(PolicyPack, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    track = models.CharField(max_length=10)
    facts = models.JSONField()
    inputs = models.JSONField()
    missing = models.JSONField(default=dict)
    document = models.JSONField()
    status = models.CharField(max_length=12, default=RunStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=[s.value for s in RunStatus]), name="gate_preview_status_known"),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.RUNNING) | Q(lease_until__isnull=False), name="running_preview_has_lease"
            ),
        ]
        indexes = [models.Index(fields=["unit", "content_digest"], name="gate_preview_content")]

    def __str__(self) -> str:
        return f"preview {self.pk}"
