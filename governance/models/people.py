"""People, business units and the roles they are granted for a time."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower, Now

from governance.domain.vocabulary import Role


class Unit(models.Model):
    """A business unit. What belongs to one is invisible to the others."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    # working days, hours, time zone and holidays; see governance/domain/duetime.py. Empty: the usual ones
    calendar = models.JSONField(default=dict, db_default={}, blank=True)

    def __str__(self) -> str:
        return self.name


class Person(AbstractUser):
    """Somebody who signs in. Being a superuser gives no say in a review."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="people")
    manager = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reports")
    # how metadata names this person (MLflow user, git e-mail), so that contributors are recognised
    known_as = models.JSONField(default=list, blank=True)
    # messages nobody opened yet; a database trigger on the inbox keeps it, so that every page can show it without a query
    unread = models.PositiveIntegerField(default=0, db_default=0)

    class Meta(AbstractUser.Meta):
        constraints = [
            # a second account would let one person sign twice
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="person_one_address"),
        ]

    @property
    def name(self) -> str:
        return self.get_full_name() or self.username

    @property
    def reference(self) -> str:
        """How audit events name the person: no personal data."""
        return f"person:{self.pk}"


class RoleGrant(models.Model):
    """A role held in a unit (all units when empty) from one time until another.

    What an administrator grants of the roles in `SECOND_PERSON_ROLES` names who else approved it. `delegated_by`: somebody who
    holds the role lets another stand in for them until a day. Database triggers hold both, and that only the end ever changes.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=32, choices=[(r.value, r.label) for r in Role])
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    valid_from = models.DateTimeField(db_default=Now())
    valid_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    granted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="grants_made")
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="grants_approved")
    delegated_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="delegations_made")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True)
                | (~models.Q(approved_by=models.F("person")) & ~models.Q(approved_by=models.F("granted_by"))),
                name="grant_approved_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(delegated_by__isnull=True)
                | (~models.Q(delegated_by=models.F("person")) & models.Q(valid_until__isnull=False)),
                name="delegation_to_another_with_an_end",
            ),
            models.CheckConstraint(condition=models.Q(role__in=[r.value for r in Role]), name="grant_role_known"),
            models.CheckConstraint(
                condition=models.Q(granted_by__isnull=True) | ~models.Q(granted_by=models.F("person")),
                name="grant_not_to_oneself",
            ),
        ]
