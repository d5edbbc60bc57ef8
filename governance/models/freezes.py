"""Freeze windows: when nothing may be released, allowed by two people, and exceptions from them. All append-only."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.models.people import Person, Unit
from governance.models.submissions import Submission


class FreezeWindow(models.Model):
    """A time in which nothing new is released. It holds once somebody else approved it; its terms never change.

    `unit`, `kind`, `environment`: where it holds; empty for every one. `pass_role`: who may let a single case pass, and
    `pass_with`: what for.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="freezes")
    kind = models.CharField(max_length=20, blank=True)
    environment = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=120)
    why = models.CharField(max_length=500)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    pass_role = models.CharField(max_length=20)
    pass_with = models.CharField(max_length=300)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="freezes_proposed")
    proposed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="freeze_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(why="") & ~Q(pass_with=""), name="freeze_says_why_and_what_passes"),
        ]
        indexes = [models.Index(fields=["ends_at"], name="freeze_by_end")]
        ordering = ["-starts_at", "-id"]

    @property
    def number(self) -> str:
        return f"F-{self.pk}"

    def __str__(self) -> str:
        return self.number


class FreezeRuling(models.Model):
    """What the second person said of a freeze. Once for each."""

    freeze = models.OneToOneField(FreezeWindow, on_delete=models.PROTECT, related_name="ruling")
    approve = models.BooleanField()
    why = models.CharField(max_length=500)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="freeze_rulings")
    reauthenticated_at = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(why=""), name="freeze_ruling_says_why")]


class FreezeException(models.Model):
    """Somebody asks that one submission may be released during a freeze."""

    freeze = models.ForeignKey(FreezeWindow, on_delete=models.PROTECT, related_name="exceptions")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="freeze_exceptions")
    why = models.CharField(max_length=500)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="freeze_exceptions")
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(why=""), name="freeze_exception_says_why")]
        ordering = ["id"]


class FreezeExceptionRuling(models.Model):
    """What whoever may let cases pass said of an exception. Once for each."""

    exception = models.OneToOneField(FreezeException, on_delete=models.PROTECT, related_name="ruling")
    approve = models.BooleanField()
    why = models.CharField(max_length=500)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="freeze_exception_rulings")
    reauthenticated_at = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(why=""), name="freeze_exception_ruling_says_why")]
