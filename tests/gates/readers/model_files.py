"""Small real models with known truth, written once per session, and ways to damage their files."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost

from gates.collecting import EvidenceInput

ROWS = 2_000


def sample(seed: int = 0, rows: int = ROWS) -> tuple[pd.DataFrame, np.ndarray]:
    """Five numbers and a sex column with a known score: 1.5 a - b + 0.7 c where d > 0; e and sex carry nothing."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({name: generator.normal(size=rows) for name in "abcde"})
    frame["sex"] = generator.integers(0, 2, rows)
    odds = 1.5 * frame.a - frame.b + 0.7 * frame.c * (frame.d > 0)
    label = (generator.random(rows) < 1 / (1 + np.exp(-odds))).astype(int).to_numpy()
    return frame, label


def train_xgboost(path: Path, frame: pd.DataFrame, label: np.ndarray, seed: int = 1, rounds: int = 60) -> Path:
    """An XGBoost classifier saved to `path` (its ending picks JSON or UBJSON)."""
    options = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.1, "subsample": 0.8, "nthread": 1, "seed": seed}
    data = xgboost.DMatrix(frame, label=label, enable_categorical=True)
    xgboost.train(options, data, rounds).save_model(str(path))
    return path


def train_lightgbm(path: Path, frame: pd.DataFrame, label: np.ndarray, seed: int = 1, rounds: int = 60) -> Path:
    """A LightGBM classifier saved as text."""
    options = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.1, "seed": seed, "verbose": -1, "num_threads": 1}
    lightgbm.train(options, lightgbm.Dataset(frame, label), rounds).save_model(str(path))
    return path


def evidence(role: str, path: Path, **columns: Any) -> EvidenceInput:
    """An evidence file as a collector gets it; the digest is the path's, which only has to differ."""
    return EvidenceInput(role, str(path), path.name, f"digest of {path}", columns)


def edited_json(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of an XGBoost JSON with one change to its document."""
    document = json.loads(source.read_text())
    change(document)
    target.write_text(json.dumps(document))
    return target


def first_tree(document: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = document["learner"]["gradient_booster"]["model"]["trees"][0]
    return tree


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = b""
    while True:
        out += bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
        value >>= 7
        if not value:
            return out


def _floats(name: str, values: np.ndarray, *, external: bool = False) -> bytes:
    dims = b"".join(_number(1, size) for size in values.shape)
    raw = _field(9, struct.pack(f"<{values.size}f", *values.ravel().tolist()))
    if external:
        raw = _field(13, _field(1, b"location") + _field(2, b"../../etc/passwd")) + _number(14, 1)
    return dims + _number(2, 1) + _field(8, name.encode()) + raw


def _tensor_type(name: str, *shape: int | str) -> bytes:
    dims = b"".join(_field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode())) for size in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, 1) + _field(2, dims)))


def _node(operator: str, inputs: list[str], output: str, domain: str = "", attribute: bytes = b"") -> bytes:
    body = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode()) + _field(4, operator.encode())
    return body + (_field(7, domain.encode()) if domain else b"") + (_field(5, attribute) if attribute else b"")


def onnx_logistic(
    path: Path,
    weights: np.ndarray,
    bias: float,
    *,
    operator: str = "Sigmoid",
    domain: str = "",
    external: bool = False,
    subgraph: bool = False,
) -> Path:
    """A logistic regression as ONNX bytes, written by hand: `prob = Sigmoid(X W + b)`; the options make hostile variants."""
    attribute = _field(1, b"body") + _field(6, b"") if subgraph else b""
    nodes = [_node("MatMul", ["X", "W"], "m"), _node("Add", ["m", "B"], "z"), _node(operator, ["z"], "prob", domain, attribute)]
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"g")
    graph += _field(5, _floats("W", weights.reshape(-1, 1), external=external)) + _field(5, _floats("B", np.array([bias])))
    graph += _field(11, _tensor_type("X", "n", len(weights))) + _field(12, _tensor_type("prob", "n", 1))
    path.write_bytes(
        _number(1, 8) + _field(2, b"guiderail-tests") + _field(7, graph) + _field(8, _field(1, b"") + _number(2, 13))
    )
    return path
