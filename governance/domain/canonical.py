"""One canonical form for everything that is hashed: RFC 8785 JSON, then SHA-256."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 canonical JSON bytes of `value`.

    Raises `ValueError` for what JSON cannot carry: NaN, infinity, integers beyond 2**53, non-string keys.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as exc:
        raise ValueError(str(exc)) from exc


def digest(value: Any) -> str:
    """Return `sha256:<hex>` over the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()
