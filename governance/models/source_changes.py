"""The history of the register of data sources: what was proposed, and what a second person decided. Both append-only."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from governance.models.people import Person, Unit


class SourceChange(models.Model):
    """A proposed entry, or a change of one. `values`: what changes, by field; `origin`: page, api or the kind of file."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="source_changes")
    name = models.CharField(max_length=300)
    values = models.JSONField()
    why = models.CharField(max_length=500)
    origin = models.CharField(max_length=20)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="source_changes")
    proposed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(why="") & ~models.Q(name=""), name="source_change_says_why")]
        indexes = [models.Index(fields=["unit", "name", "-id"], name="source_change_latest")]
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class SourceRuling(models.Model):
    """What somebody else decided about a proposal. `approved` True puts it into the register."""

    change = models.OneToOneField(SourceChange, on_delete=models.PROTECT, related_name="ruling")
    approved = models.BooleanField()
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="source_rulings")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(reason=""), name="source_ruling_has_reason")]
