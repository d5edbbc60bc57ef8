"""What people say to each other about a gate, an answer or a finding of a case. Never part of the dossier."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import Disposition
from governance.models import Person, Submission


class Thread(models.Model):
    """One exchange about one thing. `disposition`: what its last published remark made of it; "" while nothing is published.

    While one stands at “must fix” nobody approves the case; a database trigger on sign-offs holds the same.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="threads")
    about_kind = models.CharField(max_length=10)
    about = models.CharField(max_length=100, help_text="code of a gate, name of a question, number of a finding")
    disposition = models.CharField(max_length=10, blank=True, default="")
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="threads_opened")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(about_kind__in=["gate", "question", "finding"]), name="thread_about_known"),
            models.CheckConstraint(
                condition=Q(disposition__in=["", *(d.value for d in Disposition)]), name="thread_disposition_known"
            ),
        ]
        ordering = ["id"]


class Remark(models.Model):
    """One remark in a thread. A draft is seen by its author alone; once published it stays as it is."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="remarks")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="remarks")
    revision = models.PositiveIntegerField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="remarks")
    disposition = models.CharField(max_length=10, help_text="what the remark makes of the thread")
    text = models.TextField()
    written_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(disposition__in=[d.value for d in Disposition]), name="remark_disposition_known"),
            models.CheckConstraint(condition=~Q(text=""), name="remark_says_something"),
        ]
        ordering = ["id"]
