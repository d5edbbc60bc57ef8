"""Checkpoints: a signed Merkle root over all audit events so far, written to the database and to sinks outside it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from governance.domain.canonical import canonical_json
from governance.domain.merkle import MerkleTree
from governance.models import AuditCheckpoint, AuditEvent


@dataclass(frozen=True)
class Checkpoint:
    """The tree's size and root at one time, signed."""

    seq: int
    root: bytes
    at: str
    key_id: str
    signature: bytes

    def to_json(self) -> dict[str, object]:
        return {
            "seq": self.seq,
            "root": self.root.hex(),
            "at": self.at,
            "key": self.key_id,
            "signature": base64.b64encode(self.signature).decode(),
        }


def signing_key() -> Ed25519PrivateKey:
    """The installation's checkpoint key: from `GUIDERAIL_AUDIT_KEY_FILE`, made on first use with owner-only rights."""
    path = Path(settings.AUDIT_KEY_FILE)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def key_id_of(key: Ed25519PublicKey) -> str:
    """Short name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public_bytes(key)).hexdigest()[:16]


def public_bytes(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def signed_text(seq: int, root: bytes, at: str) -> bytes:
    """What is signed."""
    return canonical_json({"guiderail": "audit-checkpoint/1", "seq": seq, "root": root.hex(), "at": at})


def write_checkpoint() -> Checkpoint | None:
    """Sign the tree as it stands and export it to every sink. None when nothing happened since the last one."""
    with transaction.atomic(), connection.cursor() as cursor:
        # the head's lock keeps the tree still between counting and signing
        cursor.execute("SELECT seq FROM governance_audithead WHERE id = 1 FOR UPDATE")
        (seq,) = cursor.fetchone()
        last = AuditCheckpoint.objects.order_by("-seq").first()
        if seq == 0 or (last is not None and last.seq == seq):
            return None
        tree = MerkleTree(
            bytes(leaf) for leaf in AuditEvent.objects.order_by("seq").values_list("leaf", flat=True).iterator(5000)
        )
        key, now = signing_key(), timezone.now()
        at = now.isoformat()
        signature = key.sign(signed_text(seq, tree.root(), at))
        found = Checkpoint(seq, tree.root(), at, key_id_of(key.public_key()), signature)
        AuditCheckpoint.objects.create(seq=seq, root=found.root, signature=signature, key_id=found.key_id, at=now)
    for sink in settings.AUDIT_SINKS:
        folder = Path(sink)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "checkpoints.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(found.to_json(), sort_keys=True) + "\n")
    return found


def exported_checkpoints() -> list[Checkpoint]:
    """Every checkpoint found in the sinks."""
    found = []
    for sink in settings.AUDIT_SINKS:
        path = Path(sink) / "checkpoints.jsonl"
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                found.append(
                    Checkpoint(row["seq"], bytes.fromhex(row["root"]), row["at"], row["key"], base64.b64decode(row["signature"]))
                )
    return found
