"""Conflicts of interest that reviewers declare."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models import Person, Submission


class DeclaredConflict(models.Model):
    """Somebody says that they cannot judge this case freely. Append-only: what was declared stays, whatever the reason was.

    From then on that person decides nothing on the case; a database trigger on sign-offs holds the same.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="declared_conflicts")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="declared_conflicts")
    why = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "by"], name="conflict_declared_once"),
            models.CheckConstraint(condition=~Q(why=""), name="conflict_says_why"),
        ]
        ordering = ["id"]
