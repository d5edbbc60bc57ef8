"""Policy packs as they were loaded: content-addressed, never changed."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class PolicyPack(models.Model):
    """One version of a pack. `digest` covers pack and questionnaire; `active_from` the time it came into force."""

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    version = models.CharField(max_length=40)
    digest = models.CharField(max_length=80, unique=True)
    source = models.TextField()
    questionnaire = models.TextField(blank=True)
    loaded_at = models.DateTimeField(db_default=Now())
    active_from = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["name", "-active_from"])]
