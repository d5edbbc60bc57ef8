"""The audit trail: reading it, and recomputing all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
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
            return Verification(Outcome.TAMPERED, expected - 1, row["seq"], bad)
        leaf = bytes(row["leaf"])
        chain = chain_hash(chain, leaf)
        tree.append(leaf)
        for checkpoint in wanted.pop(expected, []):
            if problem := _wrong_checkpoint(checkpoint, tree.root(), keys or {}, signed_text):
                return problem
        body = json.loads(row["payload"])
        if row["object"].startswith("submission:") and "to" in body["data"]:
            state_of[row["object"]] = body["data"]["to"]
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


def _rows() -> Iterator[dict[str, Any]]:
    fields = ("seq", "id", "at", "actor", "action", "object", "unit", "origin", "request_id", "payload", "leaf", "chain")
    yield from AuditEvent.objects.order_by("seq").values(*fields).iterator(5000)


def _wrong_event(row: Mapping[str, Any], expected: int, chain: bytes) -> str:
    if row["seq"] != expected:
        return f"Event {expected} is missing; the next one is {row['seq']}."
    leaf = leaf_hash(row["payload"].encode())
    if leaf != bytes(row["leaf"]):
        return f"Event {expected}: the payload is not the one that was recorded."
    if chain_hash(chain, leaf) != bytes(row["chain"]):
        return f"Event {expected}: the chain does not continue from the event before it."
    body = json.loads(row["payload"])
    columns = {
        "id": str(row["id"]),
        "at": row["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "seq": row["seq"],
        **{name: row[name] for name in ("actor", "action", "object", "unit", "origin", "request_id")},
    }
    odd = [name for name, value in columns.items() if body.get(name) != value]
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
