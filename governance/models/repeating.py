"""Calls that a program may send twice."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from governance.models.people import Person


class RepeatedCall(models.Model):
    """A call with an Idempotency-Key that was carried out, kept for a week: the same call again gives what the first one made.

    `digest`: of what was asked for; `made`: the id of what came of it. Written in the transaction of the change.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=71)
    made = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="repeated_call_once")]
