"""Waivers: permission to proceed for a time despite one failed gate, with who answers for it and the audit afterwards."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.models import Person, Submission, Unit

ENDS = ["withdrawn", "refused", "revoked", "closed", "expired", "audit_missed", "audit_failed"]


class Waiver(models.Model):
    """One failed gate of one submission, waived until a time.

    It covers the outcome whose words are `says` and no other: measured anew with other numbers, the gate has to be waived anew.
    Whether it holds is judged when it is asked, see `reviews.selectors.waiving`. Database triggers refuse one for a gate that did
    not fail, one granted without both signatures, and an early end while its audit is open.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="waivers")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="waivers")
    revision = models.PositiveIntegerField()
    gate = models.CharField(max_length=10)
    says = models.TextField(help_text="the outcome that is waived, in the gate's words")
    risk = models.TextField(help_text="the business risk the gate guards against, as everybody concerned was shown it")
    reason = models.TextField()
    compensating_control = models.TextField()
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="waivers_owned")
    requested_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="waivers_requested")
    requested_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    stands_in = models.CharField(max_length=32, help_text="the role that signs where the requester has no manager on record")
    audit_owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="waiver_audits_planned")
    audit_due_on = models.DateField()
    policy_digest = models.CharField(max_length=80)
    granted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_how = models.CharField(max_length=16, blank=True)
    ended_why = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("requested_at")) & Q(expires_at__lte=F("requested_at") + timedelta(days=90)),
                name="waiver_at_most_90_days",
            ),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(compensating_control=""), name="waiver_says_why_and_how"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_how="")
                | (Q(ended_at__isnull=False, ended_how__in=ENDS) & ~Q(ended_why="")),
                name="ended_waiver_says_how_and_why",
            ),
            models.CheckConstraint(
                condition=~Q(audit_owner=F("requested_by")) & ~Q(audit_owner=F("owner")), name="waiver_audited_by_another"
            ),
            models.UniqueConstraint(
                fields=["submission", "gate"], condition=Q(ended_at__isnull=True), name="one_open_waiver_per_gate"
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "-id"], name="waiver_unit_latest"),
            models.Index(fields=["expires_at"], condition=Q(ended_at__isnull=True), name="waiver_open_by_end"),
        ]
        ordering = ["id"]

    @property
    def number(self) -> str:
        """How people name it."""
        return f"W-{self.pk}"


class WaiverSignature(models.Model):
    """One of the two signatures under a waiver, or the refusal of one. Append-only.

    A database trigger refuses one by anybody in the request, by the wrong person or role, out of order, or without a fresh
    sign-in.
    """

    MANAGER, RISK = "manager", "risk_officer"

    waiver = models.ForeignKey(Waiver, on_delete=models.PROTECT, related_name="signatures")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="waiver_signatures")
    part = models.CharField(max_length=16)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="waiver_signatures")
    signed = models.BooleanField(help_text="False is a refusal")
    meaning = models.TextField(help_text="what the signature means, as shown to the person")
    comment = models.TextField(blank=True)
    reauthenticated_at = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(part__in=["manager", "risk_officer"]), name="waiver_part_known"),
            models.CheckConstraint(condition=Q(signed=True) | ~Q(comment=""), name="waiver_refusal_says_why"),
            models.UniqueConstraint(fields=["waiver", "part"], name="waiver_part_once"),
            models.UniqueConstraint(fields=["waiver", "by"], name="waiver_nobody_signs_twice"),
        ]
        ordering = ["id"]


class WaiverAudit(models.Model):
    """The look afterwards at whether the compensating control worked. Scheduled when the waiver is granted."""

    waiver = models.OneToOneField(Waiver, on_delete=models.PROTECT, related_name="audit")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="waiver_audits")
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="waiver_audits")
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True, blank=True)
    held = models.BooleanField(null=True, help_text="whether the control did what it should")
    found = models.TextField(blank=True)
    evidence = models.TextField(blank=True)
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, held__isnull=True)
                | (Q(done_at__isnull=False, held__isnull=False, recorded_by__isnull=False) & ~Q(found="") & ~Q(evidence="")),
                name="done_audit_says_what_it_found",
            )
        ]
        ordering = ["id"]
