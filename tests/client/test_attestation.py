"""The offline verifier: whatever is changed in the envelope, the keys or the artefact, it is not allowed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.services.signing import envelope, new_signing_key, published_keys
from guiderail_client.attestation import verify
from guiderail_client.exits import Problem

DIGEST = "ab" * 32
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, settings: Any) -> None:
    settings.PERMIT_KEYS_DIR = tmp_path / "keys"


def statement(**ours: Any) -> dict[str, Any]:
    own = {"environment": "production", "expiresAt": "2026-12-01T00:00:00Z", "system": "demo", "version": "1", **ours}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "demo@1", "digest": {"sha256": DIGEST}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {"verificationResult": "PASSED", "guiderail": own},
    }


def judged(tmp_path: Path, body: Any, keys: Any = None, digest: str = DIGEST, **more: Any) -> int:
    """0 or the code of the problem."""
    for name, content in (("permit.json", body), ("keys.json", keys or published_keys())):
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    try:
        verify(
            tmp_path / "permit.json",
            tmp_path / "keys.json",
            digest=digest,
            environment=more.get("environment", "production"),
            exposure=more.get("exposure", 100),
            now=more.get("now", NOW),
        )
    except Problem as problem:
        return problem.code
    return 0


def test_what_was_signed_holds_until_its_day_and_after_a_new_key(tmp_path: Path) -> None:
    signed = envelope(statement())
    assert judged(tmp_path, signed) == 0
    new_signing_key()
    assert len(published_keys()["keys"]) == 2
    assert judged(tmp_path, signed) == 0, "the older key stays published"
    later = envelope(statement())
    assert later["signatures"][0]["keyid"] == published_keys()["keys"][0]["kid"] != signed["signatures"][0]["keyid"]
    assert judged(tmp_path, signed, now=NOW + timedelta(days=30)) == 1
    assert judged(tmp_path, signed, environment="staging") == 1
    assert judged(tmp_path, signed, digest="cd" * 32) == 1
    few = envelope(statement(exposurePercent=5))
    assert [judged(tmp_path, few, exposure=share) for share in (5, 6, 100)] == [0, 1, 1]


def flipped(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The envelope with one bit changed, at every byte of payload and signature."""
    payload, signature = base64.b64decode(body["payload"]), base64.b64decode(body["signatures"][0]["sig"])
    for index in range(len(payload)):
        changed = bytearray(payload)
        changed[index] ^= 1
        yield {**body, "payload": base64.b64encode(changed).decode()}
    for index in range(len(signature)):
        changed = bytearray(signature)
        changed[index] ^= 1
        yield {**body, "signatures": [{**body["signatures"][0], "sig": base64.b64encode(changed).decode()}]}


def test_one_flipped_bit_anywhere_denies(tmp_path: Path) -> None:
    assert {judged(tmp_path, body) for body in flipped(envelope(statement()))} == {1}


def test_another_servers_key_and_odd_envelopes_deny(tmp_path: Path, settings: Any) -> None:
    signed, keys = envelope(statement()), published_keys()
    settings.PERMIT_KEYS_DIR = tmp_path / "other"
    assert judged(tmp_path, envelope(statement()), keys) == 1
    # a key of their own under our key's name
    forged = {"keys": [{**published_keys()["keys"][0], "kid": keys["keys"][0]["kid"]}]}
    assert judged(tmp_path, signed, forged) == 1
    for odd in (
        {},
        [],
        {**signed, "signatures": []},
        {**signed, "payloadType": "text/plain"},
        {**signed, "payload": "%%%"},
        {**signed, "signatures": "x"},
    ):
        assert judged(tmp_path, odd, keys) in (1, 2)
    for wrong in ({"keys": [{"kty": "RSA"}]}, {"keys": 1}, []):
        assert judged(tmp_path, signed, wrong) in (1, 2)


@pytest.mark.parametrize(
    "ours",
    [{"expiresAt": "never"}, {"expiresAt": None}, {"environment": None}, {"expiresAt": "2026-11-21T12:00:00Z"}],
)
def test_signed_nonsense_is_no_permit(tmp_path: Path, ours: dict[str, Any]) -> None:
    assert judged(tmp_path, envelope(statement(**ours))) == 1


def test_a_statement_that_did_not_pass_is_no_permit(tmp_path: Path) -> None:
    failed = statement()
    failed["predicate"]["verificationResult"] = "FAILED"
    other = {**statement(), "predicateType": "https://slsa.dev/provenance/v1"}
    for body in (failed, other, {**statement(), "_type": "x"}, {}, []):
        assert judged(tmp_path, envelope(body)) == 1  # type: ignore[arg-type]
