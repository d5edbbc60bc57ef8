"""Signed statements for programs that cannot ask us: DSSE envelopes, Ed25519, keys that can be replaced.

The newest key signs; the older ones stay published so that what they signed can still be checked. Method: DSSE v1
(github.com/secure-systems-lab/dsse), pre-authentication encoding over payload type and payload.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

from governance.domain.canonical import canonical_json
from governance.services.checkpoints import key_id_of, public_bytes

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def signing_keys() -> list[Ed25519PrivateKey]:
    """Every key of the installation, the newest last; the first one is made when there is none."""
    folder = Path(settings.PERMIT_KEYS_DIR)
    found = sorted(folder.glob("*.ed25519"))
    if not found:
        new_signing_key()
        found = sorted(folder.glob("*.ed25519"))
    return [Ed25519PrivateKey.from_private_bytes(path.read_bytes()) for path in found]


def new_signing_key() -> str:
    """Make the key that signs from now on. Returns its id."""
    folder = Path(settings.PERMIT_KEYS_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = max((int(path.stem) for path in folder.glob("*.ed25519")), default=0) + 1
    key = Ed25519PrivateKey.generate()
    # written whole under another name first: a web process never reads half a key, and two makers never share a number
    waiting = folder / f".{os.getpid()}"
    waiting.touch(mode=0o600)
    waiting.write_bytes(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    try:
        os.link(waiting, folder / f"{number:06d}.ed25519")
    except FileExistsError:
        key = signing_keys()[-1]
    finally:
        waiting.unlink()
    return key_id_of(key.public_key())


def published_keys() -> dict[str, Any]:
    """The public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {"keys": [_jwk(key.public_key()) for key in reversed(signing_keys())]}


def envelope(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement in a DSSE envelope."""
    key, payload = signing_keys()[-1], canonical_json(statement)
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {
                "keyid": key_id_of(key.public_key()),
                "sig": base64.b64encode(key.sign(encoded(PAYLOAD_TYPE, payload))).decode(),
            }
        ],
    }


def encoded(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    x = base64.urlsafe_b64encode(public_bytes(key)).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key_id_of(key), "x": x}
