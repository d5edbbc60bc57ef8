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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction

from governance.domain.canonical import canonical_json
from governance.domain.errors import Conflict, Unavailable
from governance.models import Answer, Evidence, MetadataSource, PolicyPack, RepeatedCall, Submission
from governance.policy import Pack
from governance.selectors.access import Caller
from governance.selectors.facts import Background, background_of
from governance.selectors.policy import pack_in_force
from governance.services.messages import BOX, Message


class CalledBefore(Conflict):
    """The same call, by its Idempotency-Key, was carried out in the same moment: this one changed nothing."""

    code = "called_before"


@dataclass(frozen=True)
class WorkingCopy:
    """The rows of a submission's working copy, in the order of their ids."""

    sources: tuple[MetadataSource, ...] = ()
    answers: tuple[Answer, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass
class Work:
    """What one transaction has to say to the audit chain and to the workers."""

    caller: Caller
    events: list[dict[str, Any]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    _last: dict[Callable[[Work, list[Any]], None], list[Any]] = field(default_factory=dict)
    # working copies this transaction has made itself and not changed since: nobody else can have
    made: dict[int, WorkingCopy] = field(default_factory=dict)
    _backgrounds: dict[int, Background] = field(default_factory=dict)
    _policies: dict[str, tuple[PolicyPack, Pack]] = field(default_factory=dict)
    _given: int | None = None

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

    def working_copy(self, submission: Submission) -> WorkingCopy:
        """The rows of the working copy: as this transaction made them, else read now. Files' contents stay where they are."""
        made = self.made.get(submission.pk)
        if made is not None:
            return made
        return WorkingCopy(
            tuple(submission.sources.defer("content").order_by("id")),
            tuple(submission.answers.order_by("id")),
            tuple(submission.evidence.select_related("file").order_by("id")),
        )

    def note(self, action: str, target: Any, data: Mapping[str, Any] | None = None, *, unit: int | None = None) -> None:
        """Add an audit event. `target`: a model instance (named `table:pk`) or a reference. `data`: JSON, no personal data."""
        if not isinstance(target, str):
            unit = unit if unit is not None else getattr(target, "unit_id", None)
            target = f"{target._meta.model_name}:{target.pk}"
        self.events.append({"action": action, "object": target, "unit": unit, "data": dict(data or {})})

    def gives(self, pk: int) -> None:
        """Say what this transaction makes: the same call with the same Idempotency-Key is answered with it."""
        self._given = pk

    def later(self, write: Callable[[Work, list[Any]], None], row: Any) -> None:
        """Keep a row for `write`, which is called once with all its rows right before the events: rows that many transactions
        want to lock are locked last, and in one order."""
        self._last.setdefault(write, []).append(row)

    def end(self) -> None:
        """Write what was kept for the end."""
        while self._last:
            write, rows = self._last.popitem()
            write(self, rows)
        if self.caller.repeat is not None and self._given is not None:
            _remember(self.caller, self._given)

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
        work.end()
        _append(work)
        for message in work.messages:
            transaction.on_commit(partial(BOX.post, message))


def send(task: str, *ids: int | str, priority: int = 0) -> bool:
    """Post a message by task name, outside a transaction. Returns at once; False when the post box is full."""
    return BOX.post(Message(task, ids, priority))


def _remember(caller: Caller, made: int) -> None:
    """Keep the key of a call with what it made. Raises `CalledBefore`, which undoes the change."""
    assert caller.repeat is not None and caller.person is not None
    try:
        RepeatedCall.objects.create(person=caller.person, key=caller.repeat.key, digest=caller.repeat.digest, made=made)
    except IntegrityError as exc:
        raise CalledBefore("The same call was carried out in the same moment.") from exc


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
