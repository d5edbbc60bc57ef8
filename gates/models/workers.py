"""Which workers were seen, and when."""

from __future__ import annotations

from django.db import models


class WorkerSeen(models.Model):
    """Last sign of life of a worker on one of its queues."""

    name = models.CharField(max_length=120)
    queue = models.CharField(max_length=60)
    seen_at = models.DateTimeField()
    knows = models.JSONField(
        # in the database as well: a worker of an earlier version writes rows without it
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="editions of the collectors it has; empty: it does not say",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "queue"], name="worker_seen_once_per_queue")]

    def __str__(self) -> str:
        return f"{self.name} on {self.queue}"
