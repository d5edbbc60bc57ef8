"""Role grants that wait for a second person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import Role
from governance.models.people import Person, RoleGrant, Unit


class GrantRequest(models.Model):
    """A role that an administrator wants somebody to hold, until another administrator or a risk officer has spoken on it.

    A database trigger refuses an answer by whoever asked or is concerned, a second answer, and any change of what was asked for.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="grant_requests")
    role = models.CharField(max_length=32)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="grant_requests")
    valid_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="grant_requests_made")
    asked_at = models.DateTimeField(db_default=Now())
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    approved = models.BooleanField(null=True)
    answer = models.CharField(max_length=300, blank=True)
    grant = models.OneToOneField(RoleGrant, on_delete=models.PROTECT, null=True, blank=True, related_name="request")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_by__isnull=True)
                | (~Q(answered_by=models.F("asked_by")) & ~Q(answered_by=models.F("person")) & Q(approved__isnull=False)),
                name="grant_request_answered_by_another",
            ),
            models.UniqueConstraint(
                fields=["person", "role", "unit"],
                condition=Q(answered_at__isnull=True),
                nulls_distinct=False,
                name="one_open_grant_request",
            ),
        ]
        ordering = ["id"]

    @property
    def role_label(self) -> str:
        return Role(self.role).label
