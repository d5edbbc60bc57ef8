"""The audit chain: one append-only table, appended last in each transaction under one lock."""

from __future__ import annotations

import uuid

from django.db import models


class AuditEvent(models.Model):
    """One hash-chained record. Rows are written by the database function `audit_append` only."""

    seq = models.BigIntegerField(primary_key=True)
    id = models.UUIDField(default=uuid.uuid4, unique=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    object = models.CharField(max_length=80, db_index=True)
    unit = models.BigIntegerField(null=True)
    origin = models.CharField(max_length=20)
    request_id = models.CharField(max_length=64)
    payload = models.TextField()
    leaf = models.BinaryField()
    chain = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["unit", "-seq"], name="audit_unit_latest")]


class AuditHead(models.Model):
    """The one row that carries the end of the chain."""

    id = models.SmallIntegerField(primary_key=True)
    seq = models.BigIntegerField()
    chain = models.BinaryField()


class AuditCheckpoint(models.Model):
    """A signed Merkle root over all leaves up to `seq`, exported outside."""

    seq = models.BigIntegerField(unique=True)
    root = models.BinaryField()
    signature = models.BinaryField()
    key_id = models.CharField(max_length=64)
    at = models.DateTimeField()
