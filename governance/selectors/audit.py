"""The audit trail: reading it, and recomputing all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from json.encoder import encode_basestring
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, transaction
from django.db.models import QuerySet

from governance.domain.merkle import GENESIS, MerkleTree, chain_hash, leaf_hash
from governance.models import AuditEvent, AuditHead, Submission


class Outcome(IntEnum):
    """What `audit verify` found; also its exit code."""

    OK = 0
    TAMPERED = 2
    SHORTER = 3
    KEY_UNKNOWN = 4


@dataclass(frozen=True)
class Verification:
    """The result. `seq`: the first bad event, or the last good one when all is well."""

    outcome: Outcome
    events: int
    seq: int
    says: str


class Signed(Protocol):
    """A checkpoint as verification reads it."""

    @property
    def seq(self) -> int: ...
    @property
    def root(self) -> bytes: ...
    @property
    def at(self) -> str: ...
    @property
    def key_id(self) -> str: ...
    @property
    def signature(self) -> bytes: ...


def events_about(reference: str) -> QuerySet[AuditEvent]:
    """The events of one object, oldest first."""
    return AuditEvent.objects.filter(object=reference).order_by("seq")


def verify(
    *,
    checkpoints: Iterable[Signed] = (),
    keys: Mapping[str, bytes] | None = None,
    signed_text: Callable[[int, bytes, str], bytes] | None = None,
    states: bool = True,
) -> Verification:
    """Recompute leaves, chain, contiguity and columns; hold checkpoints against the tree and state tables against the events.

    `keys`: key id -> raw Ed25519 public key. `states=False` leaves the state tables out (for an export).
    """
    wanted: dict[int, list[Signed]] = {}
    for checkpoint in checkpoints:
        wanted.setdefault(checkpoint.seq, []).append(checkpoint)
    tree, chain, expected = MerkleTree(), GENESIS, 0
    state_of: dict[str, str] = {}
    for row in _rows():
        expected += 1
        if bad := _wrong_event(row, expected, chain):
            return Verification(Outcome.TAMPERED, expected - 1, row.seq, bad)
        chain = bytes(row.chain)
        tree.append(bytes(row.leaf))
        for checkpoint in wanted.pop(expected, []):
            if problem := _wrong_checkpoint(checkpoint, tree.root(), keys or {}, signed_text):
                return problem
        if states and row.object.startswith("submission:") and '"to":' in row.payload:
            data = json.loads(row.payload)["data"]
            if "to" in data:
                state_of[row.object] = data["to"]
    if wanted:
        last = max(wanted)
        return Verification(
            Outcome.SHORTER, expected, expected, f"A checkpoint covers {last} events, the table holds {expected}."
        )
    head = AuditHead.objects.get(pk=1)
    if head.seq != expected or bytes(head.chain) != chain:
        return Verification(
            Outcome.TAMPERED,
            expected,
            expected,
            f"The head says {head.seq} events, the table holds {expected}, or the chain ends elsewhere.",
        )
    if states and (wrong := _wrong_states(state_of)):
        return Verification(Outcome.TAMPERED, expected, expected, wrong)
    return Verification(Outcome.OK, expected, expected, f"{expected} events: chain, numbers, columns and states agree.")


@dataclass(frozen=True, slots=True)
class _Row:
    """An event as it is stored; `at` as payloads write it."""

    seq: int
    id: str
    at: str
    actor: str
    action: str
    object: str
    unit: int | None
    origin: str
    request_id: str
    payload: str
    leaf: bytes
    chain: bytes

    def says_what_it_holds(self) -> bool:
        """Whether the columns are those of the payload, read off its text: its keys are sorted, so all but `data` stand at its
        two ends. False also where the text is another but means the same.
        """
        unit = "null" if self.unit is None else self.unit
        return self.payload.startswith(
            f'{{"action":{_text(self.action)},"actor":{_text(self.actor)},"at":"{self.at}","data":{{'
        ) and self.payload.endswith(
            f'}},"id":"{self.id}","object":{_text(self.object)},"origin":{_text(self.origin)},'
            f'"request_id":{_text(self.request_id)},"seq":{self.seq},"unit":{unit}}}'
        )


_text = encode_basestring
_READ = """SELECT seq, id::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor, action, object, unit,
  origin, request_id, payload, leaf, chain FROM governance_auditevent ORDER BY seq"""


def _rows() -> Iterator[_Row]:
    """All events in order, a few thousand in memory. Years of them are read, so no instances are made of them."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_READ)
        while rows := cursor.fetchmany(5_000):
            for row in rows:
                yield _Row(*row)


def _wrong_event(row: _Row, expected: int, chain: bytes) -> str:
    if row.seq != expected:
        return f"Event {expected} is missing; the next one is {row.seq}."
    leaf = leaf_hash(row.payload.encode())
    if leaf != row.leaf:
        return f"Event {expected}: the payload is not the one that was recorded."
    if chain_hash(chain, leaf) != row.chain:
        return f"Event {expected}: the chain does not continue from the event before it."
    if row.says_what_it_holds():
        return ""
    body = json.loads(row.payload)
    names = ("id", "at", "seq", "actor", "action", "object", "unit", "origin", "request_id")
    odd = [name for name in names if body.get(name) != getattr(row, name)]
    return f"Event {expected}: {', '.join(odd)} in the row differ from what was recorded." if odd else ""


def _wrong_checkpoint(
    checkpoint: Signed, root: bytes, keys: Mapping[str, bytes], signed_text: Callable[[int, bytes, str], bytes] | None
) -> Verification | None:
    if root != checkpoint.root:
        says = f"History up to event {checkpoint.seq} is not the one that the checkpoint of {checkpoint.at} covers."
        return Verification(Outcome.TAMPERED, checkpoint.seq, checkpoint.seq, says)
    key = keys.get(checkpoint.key_id)
    if key is None or signed_text is None:
        return Verification(
            Outcome.KEY_UNKNOWN,
            checkpoint.seq,
            checkpoint.seq,
            f"The checkpoint of {checkpoint.at} is signed by an unknown key {checkpoint.key_id}.",
        )
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(checkpoint.signature, signed_text(checkpoint.seq, root, checkpoint.at))
    except InvalidSignature:
        return Verification(
            Outcome.TAMPERED, checkpoint.seq, checkpoint.seq, f"The signature of the checkpoint of {checkpoint.at} is wrong."
        )
    return None


def _wrong_states(state_of: Mapping[str, str]) -> str:
    """Submissions whose state is not what the last event about it says. A draft that never moved has no such event."""
    for pk, state in Submission.objects.order_by("pk").values_list("pk", "state").iterator(5000):
        recorded = state_of.get(f"submission:{pk}", "draft")
        if recorded != state:
            return f"S-{pk} is {state}, but its last event says {recorded}."
    missing = set(state_of) - {f"submission:{pk}" for pk in Submission.objects.values_list("pk", flat=True)}
    return f"{sorted(missing)[0]} has events but is gone." if missing else ""
