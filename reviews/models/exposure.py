"""Asking for more exposure than a permit allows: a request of its own, with its own decision."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.models import Person, Submission, Unit
from reviews.models.permits import Permit


class ExposureRequest(models.Model):
    """From one share of traffic or people to a higher one, under an approval that stands.

    `shown` is what monitors, findings and incidents said when it was asked, `seen` what whoever decided had before them; the
    digests are theirs. `role` decides, as the pack of the case says. Without `decided_by` the policy authorised it by itself.
    Database triggers refuse a decision by anybody who has a part in the case, by another role, without a fresh sign-in, and any
    permit for more than was granted.
    """

    GRANTED, REFUSED, WITHDRAWN = "granted", "refused", "withdrawn"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="exposure_requests")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="exposure_requests")
    permit = models.ForeignKey(
        Permit, on_delete=models.PROTECT, related_name="exposure_requests", help_text="the one that holds now"
    )
    present = models.PositiveSmallIntegerField(help_text="percent the permit allows")
    wanted = models.PositiveSmallIntegerField(help_text="percent asked for")
    reason = models.TextField()
    monitoring_says = models.TextField(help_text="what the monitoring says so far, in the words of who asks")
    role = models.CharField(max_length=32)
    policy_digest = models.CharField(max_length=80)
    shown = models.JSONField()
    shown_digest = models.CharField(max_length=80)
    requested_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="exposure_requests")
    requested_at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=10, blank=True)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="exposure_decisions")
    decided_at = models.DateTimeField(null=True, blank=True)
    reauthenticated_at = models.DateTimeField(null=True, blank=True)
    why = models.TextField(blank=True, help_text="the decision's reasons")
    seen = models.JSONField(null=True, blank=True)
    seen_digest = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(present__gte=1) & Q(wanted__lte=100) & Q(wanted__gt=F("present")), name="exposure_goes_up"
            ),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(monitoring_says=""), name="exposure_request_says_why"),
            models.CheckConstraint(
                condition=Q(outcome="", decided_at__isnull=True, decided_by__isnull=True)
                | (Q(outcome__in=["granted", "refused", "withdrawn"], decided_at__isnull=False) & ~Q(why="")),
                name="exposure_decision_says_why",
            ),
            models.UniqueConstraint(fields=["submission"], condition=Q(outcome=""), name="one_open_exposure_request"),
        ]
        indexes = [models.Index(fields=["unit", "-id"], name="exposure_unit_latest")]
        ordering = ["id"]

    @property
    def number(self) -> str:
        """How people name it."""
        return f"E-{self.pk}"
