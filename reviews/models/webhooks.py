"""Outgoing webhooks: where they go, what is due, and what happened to each attempt."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Unit

FORMATS = ["standard", "slack", "teams"]


class WebhookEndpoint(models.Model):
    """An address that is told of events. `unit` empty: of every unit.

    `seen_seq` is how far the audit chain was read for it: events are written in the transaction of the change, so the
    chain is the outbox. The secret lies outside, under the name `secret_ref` (see reviews/services/webhook_secrets.py), or here,
    encrypted. After a rotation or a move the one before signs until `previous_until` and is forgotten then.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="webhook_endpoints")
    name = models.CharField(max_length=120)
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    format = models.CharField(max_length=10, default="standard")
    secret = models.BinaryField(null=True)
    secret_ref = models.CharField(max_length=40, blank=True, db_default="", help_text="NAME of GUIDERAIL_WEBHOOK_NAME_SECRET")
    previous = models.BinaryField(null=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    seen_seq = models.BigIntegerField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    failing_since = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_why = models.CharField(max_length=300, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(format__in=FORMATS), name="webhook_format_known"),
            models.CheckConstraint(
                condition=Q(disabled_at__isnull=True, disabled_why="") | (Q(disabled_at__isnull=False) & ~Q(disabled_why="")),
                name="disabled_webhook_says_why",
            ),
            models.CheckConstraint(
                condition=Q(secret_ref="", secret__isnull=False) | (~Q(secret_ref="") & Q(secret__isnull=True)),
                name="webhook_secret_in_one_place",
            ),
            models.UniqueConstraint(
                fields=["secret_ref"], condition=Q(removed_at__isnull=True) & ~Q(secret_ref=""), name="webhook_secret_of_its_own"
            ),
        ]
        ordering = ["id"]


class WebhookDelivery(models.Model):
    """One event for one endpoint. The row is the truth: a task that runs twice finds nothing to send."""

    DUE, DELIVERED, FAILED = "due", "delivered", "failed"

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    event_id = models.UUIDField(help_text="of the audit event; the webhook-id")
    seq = models.BigIntegerField()
    event = models.CharField(max_length=40)
    body = models.TextField(help_text="as it is signed and sent")
    created_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=10, default=DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_delivery_once"),
            models.CheckConstraint(condition=Q(state__in=["due", "delivered", "failed"]), name="webhook_delivery_state_known"),
        ]
        indexes = [
            models.Index(fields=["not_before"], condition=Q(state="due"), name="webhook_due"),
            models.Index(fields=["endpoint", "-id"], name="webhook_log"),
        ]
        ordering = ["id"]


class WebhookAttempt(models.Model):
    """What one attempt came to. Append-only. `status` 0: no answer was had, `error` says why."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.PROTECT, related_name="log")
    at = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    took_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
