"""One unit of work: a transaction, its audit events written last, its messages sent after commit.

    with unit_of_work(caller) as work:
        ...                                        # refuse first, write after
        work.note("submission.submitted", submission, {...})
        work.enqueue("gates.run_light", submission.pk)

If the events cannot be written, nothing is. The chain's lock is taken last, so that concurrent work does not queue behind it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import DatabaseError, connection, transaction

from governance.domain.canonical import canonical_json
from governance.domain.errors import Unavailable
from governance.models import PolicyPack, Submission
from governance.policy import Pack
from governance.selectors.access import Caller
from governance.selectors.facts import Background, background_of
from governance.selectors.policy import pack_in_force
from governance.services.messages import BOX, Message


@dataclass
class Work:
    """What one transaction has to say to the audit chain and to the workers."""

    caller: Caller
    events: list[dict[str, Any]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    _backgrounds: dict[int, Background] = field(default_factory=dict)
    _policies: dict[str, tuple[PolicyPack, Pack]] = field(default_factory=dict)

    def policy(self, kind: str) -> tuple[PolicyPack, Pack]:
        """The pack in force, the same one for everything this transaction judges. Raises `Conflict` when none is loaded."""
        if kind not in self._policies:
            self._policies[kind] = pack_in_force(kind)
        return self._policies[kind]

    def background(self, submission: Submission) -> Background:
        """What stands around the submission, read once in this transaction: its own changes do not alter it."""
        if submission.pk not in self._backgrounds:
            self._backgrounds[submission.pk] = background_of(submission)
        return self._backgrounds[submission.pk]

    def note(self, action: str, target: Any, data: Mapping[str, Any] | None = None, *, unit: int | None = None) -> None:
        """Add an audit event. `target`: a model instance (named `table:pk`) or a reference. `data`: JSON, no personal data."""
        if not isinstance(target, str):
            unit = unit if unit is not None else getattr(target, "unit_id", None)
            target = f"{target._meta.model_name}:{target.pk}"
        self.events.append({"action": action, "object": target, "unit": unit, "data": dict(data or {})})

    def enqueue(self, task: str, *ids: int | str, priority: int = 0) -> None:
        """Wake a worker after commit. Losing the message only costs time: the row is the truth."""
        message = Message(task, ids, priority)
        if message not in self.messages:
            self.messages.append(message)


@contextmanager
def unit_of_work(caller: Caller, *, durable: bool = True) -> Iterator[Work]:
    """Open the transaction; on success append the events and commit, then send the messages."""
    work = Work(caller)
    with transaction.atomic(durable=durable):
        yield work
        _append(work)
        for message in work.messages:
            transaction.on_commit(partial(BOX.post, message))


def send(task: str, *ids: int | str, priority: int = 0) -> bool:
    """Post a message by task name, outside a transaction. Returns at once; False when the post box is full."""
    return BOX.post(Message(task, ids, priority))


def _append(work: Work) -> None:
    if not work.events:
        return
    rows = []
    for event in work.events:
        at, seq = uuid.uuid4().hex, uuid.uuid4().hex
        body = {
            "id": str(uuid7()),
            "at": at,
            "seq": seq,
            "actor": work.caller.reference,
            "action": event["action"],
            "object": event["object"],
            "unit": event["unit"],
            "origin": work.caller.origin,
            "request_id": work.caller.request_id,
            "data": event["data"],
        }
        # the database fills in its own clock and the sequence number; both are part of what is hashed
        rows.append([canonical_json(body).decode(), at, seq])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT audit_append(%s::text[])", [rows])
    except DatabaseError as exc:
        raise Unavailable("The audit trail cannot be written, so nothing was changed. Please try again in a moment.") from exc


def uuid7() -> uuid.UUID:
    """A time-ordered UUID (RFC 9562, version 7)."""
    millis = time.time_ns() // 1_000_000
    value = (millis << 80) | (0x7 << 76) | (uuid.uuid4().int & ((1 << 76) - 1))
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
