"""What named people attest about a case beside their decision: explanations they read, statements they stand for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import REVIEWING_ROLES
from governance.models import Person, Submission


class Attested(models.Model):
    """One answer of one person to one question of the policy, about exactly what was shown. Append-only.

    `what`: the attestation of the pack; `item`: the case that was read, "" for a statement as a whole. `subject` is the digest
    of what
    was shown (all items, the words, the inputs of the measurement): measured anew with another outcome, it has to be answered
    anew. A
    database trigger refuses one by the submitter, a contributor, somebody without the role or who decided in another role.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="attested")
    revision = models.PositiveIntegerField()
    what = models.CharField(max_length=40)
    item = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=80)
    role = models.CharField(max_length=32)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="attested")
    yes = models.BooleanField()
    comment = models.TextField(blank=True)
    asked = models.TextField(help_text="the question or statement as the person was shown it")
    shown = models.JSONField(help_text="what the person was shown, in the words of the page")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=sorted(r.value for r in REVIEWING_ROLES)), name="attested_role_reviews"),
            models.UniqueConstraint(fields=["submission", "what", "subject", "item"], name="attested_once"),
        ]
        ordering = ["id"]
