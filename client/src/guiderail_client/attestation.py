"""Checking a permit without asking the server: signature, subject, environment, exposure and date of its attestation.

Needs the `cryptography` package: `pip install 'guiderail-client[verify]'`. A revocation after the attestation was fetched is
not seen here; who can reach the server asks `guiderail permit`.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from guiderail_client.exits import FAILED, INVALID, Problem

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/verification_summary/v1"


def verify(
    envelope: Path, keys: Path, *, digest: str, environment: str, exposure: int = 100, now: datetime | None = None
) -> dict[str, Any]:
    """The statement's own fields if everything holds. `digest`: hex sha256 of the artefact's bytes; `exposure`: percent.

    Raises `Problem` with code 1 when the attestation does not allow it, with code 2 when a file cannot be used.
    """
    body, public = _json(envelope), _public_keys(_json(keys), keys)
    payload = _checked_payload(body, public, envelope)
    try:
        statement = json.loads(payload)
        predicate, subjects = statement["predicate"], statement["subject"]
        kinds = statement["_type"], statement["predicateType"]
        ours, result = predicate["guiderail"], predicate["verificationResult"]
        digests = {str(subject["digest"]["sha256"]) for subject in subjects}
        until = datetime.strptime(ours["expiresAt"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        where = str(ours["environment"])
        up_to = int(ours.get("exposurePercent", 100))  # statements of before are about all of it
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Problem(FAILED, f"{envelope} is signed and says nothing this client understands. Update the client.") from error
    if kinds != (STATEMENT, PREDICATE) or result != "PASSED":
        raise Problem(FAILED, f"{envelope} is no permit that passed.")
    if digest not in digests:
        raise Problem(FAILED, f"These bytes (sha256:{digest[:12]}…) are not the ones that were approved.")
    if where != environment:
        raise Problem(FAILED, f"The permit is for {where}, not for {environment}.")
    if exposure > up_to:
        raise Problem(FAILED, f"The permit holds up to {up_to} % of traffic or people, and this is about {exposure} %.")
    if until <= (now or datetime.now(UTC)):
        raise Problem(FAILED, f"The permit expired on {until:%d %B %Y, %H:%M} UTC.")
    return dict(ours)


def _checked_payload(body: Any, public: dict[str, Any], path: Path) -> bytes:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 (needed by this command only)

    try:
        kind, payload = body["payloadType"], base64.b64decode(body["payload"], validate=True)
        signatures = [(row["keyid"], base64.b64decode(row["sig"], validate=True)) for row in body["signatures"]]
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise Problem(INVALID, f"{path} is no DSSE envelope.") from error
    if kind != PAYLOAD_TYPE:
        raise Problem(FAILED, f"{path} holds {kind!r}, not an in-toto statement.")
    signed = b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
    for name, signature in signatures:
        if name in public:
            try:
                public[name].verify(signature, signed)
            except InvalidSignature:
                continue
            return payload
    raise Problem(FAILED, f"No signature in {path} fits the keys given. It was changed, or another server signed it.")


def _public_keys(body: Any, path: Path) -> dict[str, Any]:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    except ImportError:
        raise Problem(INVALID, "Checking a signature needs: pip install 'guiderail-client[verify]'") from None
    try:
        return {
            row["kid"]: Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(row["x"] + "=" * (-len(row["x"]) % 4)))
            for row in body["keys"]
            if (row["kty"], row["crv"]) == ("OKP", "Ed25519")
        }
    except (KeyError, TypeError, ValueError) as error:
        raise Problem(INVALID, f"{path} is no key set. Fetch it from /.well-known/guiderail/keys.json.") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise Problem(INVALID, f"{path} cannot be read as JSON: {error}") from error
