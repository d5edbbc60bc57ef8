"""ONNX: a look through the protobuf before the runtime opens it, without the `onnx` package (its external-data loader had
several holes).

Refused: data kept outside the file, operators of other domains than ONNX's own, local functions, training parts, and
anything that loops or branches (`Loop`, `Scan`, `If`: a loop of 2^62 rounds is legal ONNX). What remains is a plain chain
of tensor operators.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gates.readers.models_refusal import ModelRefused

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
REFUSED_OPERATORS = frozenset(
    {
        "Loop",
        "Scan",
        "If",
        "SequenceMap",
        "StringNormalizer",
        "TfIdfVectorizer",
        "RandomNormal",
        "RandomUniform",
        "RandomNormalLike",
        "RandomUniformLike",
        "Multinomial",
        "Bernoulli",
    }
)
MAX_NODES = 20_000
MAX_DEPTH = 8


def check(path: str | Path) -> None:
    """Raise ModelRefused when the file is damaged or holds anything of the list above."""
    data = Path(path).read_bytes()
    graphs = 0
    for field, value in _fields(data):
        if field == 7:
            graphs += 1
            _graph(_bytes(value, "graph"))
        elif field == 8:
            domain = _operator_domain(_bytes(value, "opset_import"))
            if domain not in DOMAINS:
                raise ModelRefused("operators of ONNX only", f"domain “{domain[:60]}”")
        elif field == 20:
            raise ModelRefused("a model for inference", "a training part")
        elif field == 25:
            raise ModelRefused("no local functions", "a function")
    if graphs != 1:
        raise ModelRefused("one graph", str(graphs))


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Walk one protobuf message: (field number, integer or bytes)."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield field, value
            continue
        if wire == 2:
            length, at = _varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ModelRefused("a whole ONNX file", f"wire type {wire} at byte {at}")
        if field == 0 or at + length > end:
            raise ModelRefused("a whole ONNX file", "a part that reaches past the end")
        yield field, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if not byte & 0x80:
            return value, at
        shift += 7
    raise ModelRefused("a whole ONNX file", "a number that does not end")


def _bytes(value: int | bytes, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise ModelRefused(f"“{what}” as a message", "a number")
    return value


def _operator_domain(data: bytes) -> str:
    return next((_bytes(value, "domain").decode("utf-8", "replace") for field, value in _fields(data) if field == 1), "")


def _graph(data: bytes) -> None:
    nodes = 0
    for field, value in _fields(data):
        if field == 1:
            nodes += 1
            if nodes > MAX_NODES:
                raise ModelRefused(f"at most {MAX_NODES} operators", "more")
            _node(_bytes(value, "node"))
        elif field == 5:
            _tensor(_bytes(value, "initializer"))
        elif field == 15:
            for part, inner in _fields(_bytes(value, "sparse_initializer")):
                if part in (1, 2):
                    _tensor(_bytes(inner, "sparse tensor"))


def _node(data: bytes) -> None:
    for field, value in _fields(data):
        if field == 4 and (name := _bytes(value, "op_type").decode("utf-8", "replace")) in REFUSED_OPERATORS:
            raise ModelRefused("operators that neither loop, branch nor draw random numbers", f"“{name}”")
        if field == 7 and (domain := _bytes(value, "domain").decode("utf-8", "replace")) not in DOMAINS:
            raise ModelRefused("operators of ONNX only", f"domain “{domain[:60]}”")
        if field == 5:
            _attribute(_bytes(value, "attribute"))


def _attribute(data: bytes) -> None:
    for field, value in _fields(data):
        if field in (6, 11):
            raise ModelRefused("operators without a graph inside", "a nested graph")
        if field in (5, 10):
            _tensor(_bytes(value, "tensor"))
        elif field in (22, 23):
            for part, inner in _fields(_bytes(value, "sparse tensor")):
                if part in (1, 2):
                    _tensor(_bytes(inner, "tensor"))


def _tensor(data: bytes) -> None:
    for field, value in _fields(data):
        if field == 13 or (field == 14 and value != 0):
            raise ModelRefused("all data inside the file", "a reference to another file")


def session(path: str | Path) -> Any:
    """Open a checked file with onnxruntime: one thread, no graph rewriting to disk, errors as ModelRefused."""
    import onnxruntime  # noqa: PLC0415 (half a second; only where a model of this format is opened)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(Path(path).read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many classes of its own, all with a message
        raise ModelRefused("an ONNX model that onnxruntime opens", str(error).splitlines()[0][:200]) from error
