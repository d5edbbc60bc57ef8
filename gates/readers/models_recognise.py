"""Which model format a file really is, told by its bytes and never by its name.

Nothing is loaded or executed here: only the first bytes, the end, and the directory of a zip are looked at. Formats that
can run code when opened (pickle and its family) are named so that the caller can refuse them with a way out.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ModelFormat(StrEnum):
    """What the bytes are. The first five can be opened; the others are refused."""

    XGBOOST_JSON = "xgboost_json"
    XGBOOST_UBJ = "xgboost_ubj"
    LIGHTGBM_TEXT = "lightgbm_text"
    ONNX = "onnx"
    SKOPS = "skops"
    PICKLE = "pickle"
    TORCH = "torch"
    COMPRESSED = "compressed"
    HDF5 = "hdf5"
    NUMPY = "numpy"
    XGBOOST_BINARY = "xgboost_binary"
    ARCHIVE = "archive"
    EMPTY = "empty"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """The name as people write it."""
        return _LABEL[self]

    @property
    def can_open(self) -> bool:
        """Whether the format holds data only, so that it may be opened in the child process."""
        return self in SAFE


_LABEL = {
    ModelFormat.XGBOOST_JSON: "XGBoost JSON",
    ModelFormat.XGBOOST_UBJ: "XGBoost UBJSON",
    ModelFormat.LIGHTGBM_TEXT: "LightGBM text",
    ModelFormat.ONNX: "ONNX",
    ModelFormat.SKOPS: "skops",
    ModelFormat.PICKLE: "Python pickle (joblib and cloudpickle are the same)",
    ModelFormat.TORCH: "PyTorch file with a pickle inside",
    ModelFormat.COMPRESSED: "compressed file (joblib writes such files around a pickle)",
    ModelFormat.HDF5: "HDF5 (Keras)",
    ModelFormat.NUMPY: "NumPy array file",
    ModelFormat.XGBOOST_BINARY: "XGBoost's old binary format",
    ModelFormat.ARCHIVE: "zip archive",
    ModelFormat.EMPTY: "empty file",
    ModelFormat.UNKNOWN: "unknown format",
}
SAFE = frozenset(
    {ModelFormat.XGBOOST_JSON, ModelFormat.XGBOOST_UBJ, ModelFormat.LIGHTGBM_TEXT, ModelFormat.ONNX, ModelFormat.SKOPS}
)
RUNS_CODE = frozenset({ModelFormat.PICKLE, ModelFormat.TORCH, ModelFormat.COMPRESSED, ModelFormat.HDF5, ModelFormat.NUMPY})
WAY_OUT = (
    "Save it as XGBoost UBJSON or JSON, LightGBM text, ONNX or skops; or upload predictions and "
    "attributions computed in your own pipeline, "
    "then no model is opened at all."
)

# Spellings people use when they declare a format, and what they may turn out to be.
DECLARED: dict[str, frozenset[ModelFormat]] = {
    "xgboost": frozenset({ModelFormat.XGBOOST_JSON, ModelFormat.XGBOOST_UBJ}),
    "xgboost_json": frozenset({ModelFormat.XGBOOST_JSON}),
    "json": frozenset({ModelFormat.XGBOOST_JSON}),
    "xgboost_ubj": frozenset({ModelFormat.XGBOOST_UBJ}),
    "ubj": frozenset({ModelFormat.XGBOOST_UBJ}),
    "ubjson": frozenset({ModelFormat.XGBOOST_UBJ}),
    "xgb": frozenset({ModelFormat.XGBOOST_JSON, ModelFormat.XGBOOST_UBJ}),
    "lightgbm": frozenset({ModelFormat.LIGHTGBM_TEXT}),
    "lightgbm_text": frozenset({ModelFormat.LIGHTGBM_TEXT}),
    "lgb": frozenset({ModelFormat.LIGHTGBM_TEXT}),
    "txt": frozenset({ModelFormat.LIGHTGBM_TEXT}),
    "onnx": frozenset({ModelFormat.ONNX}),
    "skops": frozenset({ModelFormat.SKOPS}),
    "pickle": frozenset({ModelFormat.PICKLE, ModelFormat.COMPRESSED}),
    "cloudpickle": frozenset({ModelFormat.PICKLE, ModelFormat.COMPRESSED}),
    "joblib": frozenset({ModelFormat.PICKLE, ModelFormat.COMPRESSED}),
    "torch": frozenset({ModelFormat.TORCH, ModelFormat.PICKLE}),
    "pytorch": frozenset({ModelFormat.TORCH, ModelFormat.PICKLE}),
    "h5": frozenset({ModelFormat.HDF5}),
    "keras": frozenset({ModelFormat.HDF5, ModelFormat.ARCHIVE}),
}
PICKLE_WORDS = frozenset({"pickle", "cloudpickle", "joblib", "torch", "pytorch", "pkl", "dill", "pt", "pth", "sav"})


@dataclass(frozen=True)
class Recognised:
    """`format`, and `detail`: what in the bytes gave it away, for the message."""

    format: ModelFormat
    detail: str


def recognise(path: str | Path) -> Recognised:
    """Tell the format of the file at `path` from its content. Raises only OSError."""
    file = Path(path)
    size = file.stat().st_size
    if size == 0:
        return Recognised(ModelFormat.EMPTY, "the file has no bytes")
    with file.open("rb") as handle:
        head = handle.read(4096)
        handle.seek(max(0, size - 16))
        tail = handle.read(16)
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return _zip(file)
    return _plain(head, tail)


def _plain(head: bytes, tail: bytes) -> Recognised:
    for magic, found, detail in (
        (b"\x1f\x8b", ModelFormat.COMPRESSED, "gzip header"),
        (b"BZh", ModelFormat.COMPRESSED, "bzip2 header"),
        (b"\xfd7zXZ", ModelFormat.COMPRESSED, "xz header"),
        (b"]\x00\x00\x80", ModelFormat.COMPRESSED, "lzma header"),
        (b"\x28\xb5\x2f\xfd", ModelFormat.COMPRESSED, "zstandard header"),
        (b"\x04\x22\x4d\x18", ModelFormat.COMPRESSED, "lz4 header"),
        (b"ZF0x", ModelFormat.COMPRESSED, "old joblib header"),
        (b"\x89HDF", ModelFormat.HDF5, "HDF5 header"),
        (b"\x93NUMPY", ModelFormat.NUMPY, "NumPy header"),
        (b"binf", ModelFormat.XGBOOST_BINARY, "XGBoost binary header"),
        (b"bs64", ModelFormat.XGBOOST_BINARY, "XGBoost binary header"),
    ):
        if head.startswith(magic):
            return Recognised(found, detail)
    if head[:1] == b"x" and head[1:2] in b"\x01\x5e\x9c\xda":
        return Recognised(ModelFormat.COMPRESSED, "zlib header")
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return Recognised(ModelFormat.PICKLE, f"pickle protocol {head[1]} header")
    if head.startswith(b"tree\n") or head.startswith(b"tree\r\n"):
        return Recognised(ModelFormat.LIGHTGBM_TEXT, "first line “tree”")
    if head[:1] == b"{" and head[1:2] in b"LliIU" and b"learner" in head[:64]:
        return Recognised(ModelFormat.XGBOOST_UBJ, "UBJSON object with a learner")
    if head.lstrip()[:1] == b"{":
        known = b'"learner"' in head or b'"version"' in head
        return Recognised(
            ModelFormat.XGBOOST_JSON if known else ModelFormat.UNKNOWN, "JSON object with a learner" if known else "JSON object"
        )
    if _old_pickle(head, tail):
        return Recognised(ModelFormat.PICKLE, "pickle opcodes of protocol 0 or 1")
    if _onnx(head):
        return Recognised(ModelFormat.ONNX, "protobuf that begins like an ONNX model")
    return Recognised(ModelFormat.UNKNOWN, f"first bytes {head[:4].hex()}")


def _old_pickle(head: bytes, tail: bytes) -> bool:
    """Protocols 0 and 1 have no header: they begin with a mark, a global or a container and end with the stop opcode."""
    return tail.rstrip(b"\n").endswith(b".") and (
        head[:2] in (b"(d", b"(l", b"(i", b"(c", b"}q", b"]q", b"cc")
        or head[:12].startswith((b"c__builtin__", b"ccopy_reg", b"cnumpy", b"csklearn"))
        or (head[:1] == b"c" and head.count(b"\n", 0, 200) >= 2 and b"\n(" in head[:400])
    )


def _onnx(head: bytes) -> bool:
    """Field 1 (`ir_version`) as a small varint, then another known field of ModelProto."""
    return head[:1] == b"\x08" and 1 <= head[1] <= 30 and len(head) > 8 and head[2] >> 3 in (2, 3, 4, 5, 6, 7, 8, 14)


def _zip(file: Path) -> Recognised:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [item.filename for item in archive.infolist()[:10_000]]
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return Recognised(ModelFormat.ARCHIVE, "a zip that cannot be read")
    if any(name.endswith(("data.pkl", ".pkl", ".pickle")) for name in names):
        return Recognised(ModelFormat.TORCH, "zip with a pickle inside")
    if "schema.json" in names:
        return Recognised(ModelFormat.SKOPS, "zip with schema.json")
    return Recognised(ModelFormat.ARCHIVE, f"zip with {len(names)} entries and no skops schema")
