"""What people are told, and how they want to be told it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.models import Person, Submission, Unit


class Notification(models.Model):
    """One message to one person, written with the event it is about, in the same transaction.

    `key` names the event: the same one tells nobody twice. `mail` is what is still to be done by e-mail; the row is the truth, so
    a delivery task that runs twice finds nothing to send. `unread` of a person is kept by a database trigger.
    """

    NO_MAIL, DUE, DAILY, SENT, FAILED = "no", "due", "daily", "sent", "failed"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="notifications")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, null=True, blank=True, related_name="notifications")
    kind = models.CharField(max_length=24)
    key = models.CharField(max_length=120)
    title = models.CharField(max_length=200)
    says = models.TextField(help_text="what happened and what to do next")
    why = models.CharField(max_length=300, help_text="why this person is told")
    path = models.CharField(max_length=200, help_text="where to act, below the public address")
    at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=8, default=NO_MAIL)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mail_not_before = models.DateTimeField(db_default=Now())
    mailed_at = models.DateTimeField(null=True, blank=True)
    mail_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="told_once"),
            models.CheckConstraint(condition=Q(mail__in=["no", "due", "daily", "sent", "failed"]), name="mail_state_known"),
        ]
        indexes = [
            models.Index(fields=["person", "-id"], name="inbox_latest"),
            models.Index(F("mail"), F("id"), condition=Q(mail__in=["due", "daily"]), name="mail_to_send"),
        ]
        ordering = ["id"]


class NotificationChoice(models.Model):
    """How a person wants one kind of message: at once, once a day, in the inbox only, or not at all."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="notification_choices")
    kind = models.CharField(max_length=24)
    how = models.CharField(max_length=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind"], name="notification_choice_once"),
            models.CheckConstraint(condition=Q(how__in=["now", "daily", "inbox", "off"]), name="notification_choice_known"),
        ]
