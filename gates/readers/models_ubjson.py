"""A strict reader for the part of UBJSON that XGBoost writes (draft 12: objects, counted arrays, typed arrays, strings, numbers).

Only for looking at a file before a native library opens it: anything XGBoost would not write is refused, so that this reader and
XGBoost's own cannot disagree about the content. Typed arrays come back as numpy arrays.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from gates.readers.models_refusal import ModelRefused

_SCALARS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"}
_ARRAYS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
MAX_DEPTH = 32


def decode(data: bytes) -> Any:
    """Return the one value `data` holds; `ModelRefused` when it is cut short, nested too deeply or not UBJSON."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise ModelRefused("one UBJSON value", f"{len(data) - reader.at} bytes after its end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise ModelRefused("a complete UBJSON file", f"an end after {len(self.data)} bytes where more were announced")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def scalar(self, marker: bytes) -> Any:
        form = _SCALARS[marker]
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def count(self) -> int:
        marker = self.take(1)
        if marker not in _SCALARS or marker in b"dD":
            raise ModelRefused("a UBJSON length", f"marker {marker!r} at byte {self.at - 1}")
        number = int(self.scalar(marker))
        if number < 0 or number > len(self.data):
            raise ModelRefused("a UBJSON length within the file", str(number))
        return number

    def text(self) -> str:
        try:
            return self.take(self.count()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ModelRefused("UTF-8 text", f"other bytes near byte {self.at}") from error

    def value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ModelRefused(f"at most {MAX_DEPTH} levels", "deeper nesting")
        marker = self.take(1)
        if marker == b"{":
            return self.mapping(depth)
        if marker == b"[":
            return self.array(depth)
        if marker == b"S":
            return self.text()
        if marker in (b"Z", b"T", b"F"):
            return {b"Z": None, b"T": True, b"F": False}[marker]
        if marker in _SCALARS:
            return self.scalar(marker)
        raise ModelRefused("a UBJSON marker", f"{marker!r} at byte {self.at - 1}")

    def mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.data[self.at : self.at + 1] != b"}":
            name = self.text()
            if name in found:
                raise ModelRefused("each name once", f"“{name[:60]}” twice")
            found[name] = self.value(depth + 1)
        self.at += 1
        return found

    def array(self, depth: int) -> Any:
        mark = self.data[self.at : self.at + 1]
        if mark == b"$":
            self.take(1)
            kind = self.take(1)
            if kind not in _ARRAYS or self.take(1) != b"#":
                raise ModelRefused("a typed UBJSON array", f"type {kind!r} at byte {self.at - 1}")
            count = self.count()
            dtype = np.dtype(_ARRAYS[kind])
            return np.frombuffer(self.take(count * dtype.itemsize), dtype=dtype).astype(dtype.newbyteorder("="))
        if mark == b"#":
            self.take(1)
            return [self.value(depth + 1) for _ in range(self.count())]
        items = []
        while self.data[self.at : self.at + 1] != b"]":
            items.append(self.value(depth + 1))
        self.at += 1
        return items
