"""API tokens: hashed at rest, scoped, expiring, revocable at once."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from governance.models.people import Person, Unit
from governance.models.trust import TrustRule


class ApiToken(models.Model):
    """A token speaks for a person in one unit, within its scopes, and can never decide."""

    name = models.CharField(max_length=120)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="tokens")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="tokens")
    sha256 = models.CharField(max_length=64, unique=True)
    shown = models.CharField(max_length=16, help_text="first characters, to recognise it")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # of a token that a pipeline got for its identity token
    trust_rule = models.ForeignKey(TrustRule, on_delete=models.PROTECT, null=True, blank=True, related_name="tokens")
