"""Registers: entries, and their history: what was proposed, and what a second person decided. The history is append-only."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from governance.models.people import Person, Unit


class RegisterEntry(models.Model):
    """An entry of a register without a table of its own: architectures, vendors, regions. `values`: by field of the register."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="register_entries")
    register = models.CharField(max_length=20)
    name = models.CharField(max_length=300)
    values = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "register", "name"], name="register_entry_unique")]

    def __str__(self) -> str:
        return self.name


class RegisterChange(models.Model):
    """A proposed entry, or a change of one. `register`: sources, architectures, vendors or regions; `values`: what changes, by
    field; `origin`: page, api or the kind of file."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="register_changes")
    register = models.CharField(max_length=20, default="sources")
    name = models.CharField(max_length=300)
    values = models.JSONField()
    why = models.CharField(max_length=500)
    origin = models.CharField(max_length=20)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="register_changes")
    proposed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(why="") & ~models.Q(name=""), name="register_change_says_why")]
        indexes = [models.Index(fields=["unit", "register", "name", "-id"], name="register_change_latest")]
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class RegisterRuling(models.Model):
    """What somebody else decided about a proposal. `approved` True puts it into the register."""

    change = models.OneToOneField(RegisterChange, on_delete=models.PROTECT, related_name="ruling")
    approved = models.BooleanField()
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="register_rulings")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(reason=""), name="register_ruling_has_reason")]
