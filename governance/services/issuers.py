"""The public keys of identity issuers: fetched from the issuer itself, kept for ten minutes, asked for at most once a minute.

The issuer's address comes from a trust rule, never from a token alone. Its discovery document has to name itself as the issuer
and keys on the same host: a document that points elsewhere is not followed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from jwt import InvalidKeyError, PyJWK, PyJWTError

from governance.services.outgoing import Unreachable, ask

KEEP_SECONDS, PAUSE_SECONDS = 600, 60
MOST_KEYS, MOST_BYTES, MOST_ISSUERS = 50, 256 * 1024, 100
ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
"""Algorithms that are taken, and the kind of key each needs."""

_kept: dict[str, tuple[float, dict[str, PyJWK]]] = {}
_lock = threading.Lock()


class NoKey(Exception):
    """The issuer has no such key, or could not be asked. Says which."""


def signing_key(issuer: str, kid: str, algorithm: str) -> PyJWK:
    """The issuer's key of that id for that algorithm. Raises `NoKey`."""
    if algorithm not in ALGORITHMS:
        raise NoKey(f"Tokens are signed with {' or '.join(ALGORITHMS)}, not {algorithm[:20]!r}.")
    with _lock:
        fetched, keys = _kept.get(issuer, (float("-inf"), {}))
        age = time.monotonic() - fetched
        if age > KEEP_SECONDS or (kid not in keys and age > PAUSE_SECONDS):
            keys = _fetch(issuer)
            if len(_kept) >= MOST_ISSUERS:
                _kept.clear()
            _kept[issuer] = (time.monotonic(), keys)
    key = keys.get(kid)
    if key is None or key.key_type != ALGORITHMS[algorithm] or key.algorithm_name != algorithm:
        raise NoKey("The issuer has no key of that id for that algorithm.")
    return key


def forget() -> None:
    """Ask anew next time: when an operator rotated keys by hand, and in tests."""
    with _lock:
        _kept.clear()


def _fetch(issuer: str) -> dict[str, PyJWK]:
    document = _json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    where = document.get("jwks_uri")
    if document.get("issuer") != issuer or not isinstance(where, str) or _origin(where) != _origin(issuer):
        raise NoKey("The issuer's discovery document names another issuer, or keys on another host.")
    rows = _json(where).get("keys")
    keys: dict[str, PyJWK] = {}
    for row in rows[:MOST_KEYS] if isinstance(rows, list) else []:
        if not isinstance(row, Mapping) or row.get("use", "sig") != "sig" or not isinstance(row.get("kid"), str):
            continue
        if row.get("kty") not in ALGORITHMS.values():
            continue
        try:
            keys[row["kid"]] = PyJWK(dict(row), algorithm=row.get("alg") or _default(row))
        except (InvalidKeyError, PyJWTError, ValueError, TypeError, KeyError):
            continue  # a key of a kind we do not take is no reason to refuse the others
    return keys


def _default(row: Mapping[str, Any]) -> str:
    return {"RSA": "RS256", "EC": "ES256"}.get(str(row.get("kty")), "none")


def _json(url: str) -> dict[str, Any]:
    try:
        reply = ask("GET", url, seconds=5, most=MOST_BYTES)
        found = json.loads(reply.body) if reply.status == 200 else None
    except (Unreachable, ValueError, RecursionError) as exc:
        raise NoKey(f"The issuer's keys cannot be had: {exc}"[:300]) from exc
    if not isinstance(found, dict):
        raise NoKey(f"The issuer's keys cannot be had: {urlsplit(url).hostname} answered {reply.status}.")
    return found


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
