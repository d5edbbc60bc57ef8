"""Signing by the Standard Webhooks specification, version 1 (standardwebhooks.com): HMAC-SHA256 over "id.timestamp.body".

A secret is 32 random bytes, shown once as `whsec_` and base64. It has to be known to sign, so it is kept encrypted (AES-256-GCM)
under a key derived from the installation's secret key, and never leaves in clear again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "whsec_"
_NONCE = 12


class SecretUnreadable(Exception):
    """The stored secret cannot be decrypted: the installation's secret key was changed since."""


def new_secret() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(32)


def shown(secret: bytes) -> str:
    """As the receiver's library takes it."""
    return PREFIX + base64.b64encode(secret).decode()


def seal(secret: bytes) -> bytes:
    """Encrypt a secret for keeping."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_key()).encrypt(nonce, secret, b"webhook")


def unseal(box: bytes | memoryview) -> bytes:
    """The secret again. Raises `SecretUnreadable`."""
    box = bytes(box)
    try:
        return AESGCM(_key()).decrypt(box[:_NONCE], box[_NONCE:], b"webhook")
    except InvalidTag as exc:
        raise SecretUnreadable("The secret cannot be read: the installation's key was changed. Rotate the secret.") from exc


def signature(keys: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,…` for each key, separated by spaces, so that a rotation breaks nobody."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)


def _key() -> bytes:
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"guiderail webhook secrets 1")
    return derive.derive(settings.SECRET_KEY.encode())
