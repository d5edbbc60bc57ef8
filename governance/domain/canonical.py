"""One canonical form for everything that is hashed: RFC 8785 JSON, then SHA-256."""

from __future__ import annotations

import hashlib
from json.encoder import JSONEncoder
from typing import Any

import rfc8785

_LARGEST = 2**53 - 1

# Where nothing needs the RFC's own rules for numbers and order, its form is what the standard library's C encoder writes.
_ENCODER = JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


class _Unusual(Exception):
    """Something the C encoder would write otherwise than RFC 8785 does, or not refuse as it does."""


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 canonical JSON bytes of `value`.

    Raises `ValueError` for what JSON cannot carry: NaN, infinity, integers beyond 2**53, non-string keys.
    """
    try:
        plain = _without_points(value) if _has_whole_float(value) else value
        return _ENCODER.encode(plain).encode()
    except (_Unusual, UnicodeEncodeError, RecursionError):
        pass
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as exc:
        raise ValueError(str(exc)) from exc


def _has_whole_float(value: Any) -> bool:
    """Whether a number such as 1.0 is in it, which the RFC writes "1". Raises `_Unusual` where the encoders would differ.

    They agree on text, true, false, null, whole numbers up to 2**53, numbers whose shortest form Python and JavaScript write
    alike (they turn to exponents in different places), and objects with ASCII keys (others may sort differently in UTF-16).
    """
    kind, found = type(value), False
    if kind is str or value is None or kind is bool:
        return False
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise _Unusual
            if type(item) is not str and _has_whole_float(item):
                found = True
    elif kind is list or kind is tuple:
        for item in value:
            if type(item) is not str and _has_whole_float(item):
                found = True
    elif kind is int:
        if not -_LARGEST <= value <= _LARGEST:
            raise _Unusual
    elif kind is float and (value == 0.0 or 1e-4 <= abs(value) < 1e15):
        found = value.is_integer()
    elif not isinstance(value, str):  # members of text enumerations are written as their text
        raise _Unusual
    return found


def _without_points(value: Any) -> Any:
    """The same with whole floats as integers."""
    kind = type(value)
    if kind is dict:
        return {key: _without_points(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_without_points(item) for item in value]
    return int(value) if kind is float and value.is_integer() else value


def digest(value: Any) -> str:
    """Return `sha256:<hex>` over the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()
