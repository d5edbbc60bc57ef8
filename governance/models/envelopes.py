"""Change envelopes: what two people allowed a system to change without a new review, and what was used of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.models.people import Person, Unit
from governance.models.submissions import Submission
from governance.models.systems import System


class ChangeEnvelope(models.Model):
    """Numeric bounds for one system in one environment, for a time and a number of uses.

    `rules`: ids of the rules it covers; `bounds`: `[{fact, low, high, total}]`. The terms never change: other terms are another
    envelope. It holds once a risk officer approved it, until its last day or until somebody ends it.
    """

    PROPOSED, APPROVED, REFUSED, ENDED = "proposed", "approved", "refused", "ended"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="envelopes")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="envelopes")
    environment = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    why = models.TextField()
    track = models.CharField(max_length=10)
    rules = models.JSONField()
    bounds = models.JSONField()
    until = models.DateField()
    most_uses = models.PositiveIntegerField()
    most_looks = models.PositiveIntegerField()
    state = models.CharField(max_length=10, default=PROPOSED)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="envelopes_proposed")
    proposed_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(track__in=["green", "yellow"]), name="envelope_lowers_to_green_or_yellow"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "approved", "refused", "ended"]), name="envelope_state_known"
            ),
            models.CheckConstraint(condition=Q(most_uses__gte=1, most_looks__gte=1), name="envelope_has_a_budget"),
            models.CheckConstraint(condition=~Q(state="ended") | Q(ended_at__isnull=False), name="ended_envelope_says_when"),
            models.UniqueConstraint(
                fields=["system", "environment"], condition=Q(state="approved"), name="one_envelope_for_system_and_environment"
            ),
        ]
        ordering = ["-id"]

    @property
    def number(self) -> str:
        return f"E-{self.pk}"

    def __str__(self) -> str:
        return self.number


class EnvelopeRuling(models.Model):
    """What the second person said of an envelope. Append-only, once for each."""

    envelope = models.OneToOneField(ChangeEnvelope, on_delete=models.PROTECT, related_name="ruling")
    approve = models.BooleanField()
    why = models.TextField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="envelope_rulings")
    reauthenticated_at = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(why=""), name="envelope_ruling_says_why")]


class EnvelopeUse(models.Model):
    """A final decision under an envelope: a look at the test set, and a use where it stayed inside. Append-only."""

    envelope = models.ForeignKey(ChangeEnvelope, on_delete=models.PROTECT, related_name="uses")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="envelope_uses")
    revision = models.PositiveIntegerField()
    inside = models.BooleanField()
    sizes = models.JSONField(default=dict, help_text="fact -> how far it moved, for what adds up")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(F("envelope"), F("submission"), F("revision"), F("inside"), name="envelope_use_once")
        ]
        ordering = ["id"]
