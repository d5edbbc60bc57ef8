"""Small evidence files for the reader tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gates.collecting import EvidenceInput

MAPPING = {"id": "case_id", "label": "y", "prediction": "pred", "score": "p"}


def evidence(
    path: Path, columns: Mapping[str, Any] | None = None, *, role: str = "candidate_predictions", fmt: str = ""
) -> EvidenceInput:
    """The file as a collector gets it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.stat().st_size < 50_000_000 else ""
    return EvidenceInput(role, str(path), path.name, digest, dict(columns or {}), fmt)


def csv_file(folder: Path, content: str | bytes, name: str = "p.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet_file(folder: Path, columns: Mapping[str, Sequence[Any]], name: str = "p.parquet") -> Path:
    path = folder / name
    pq.write_table(pa.table(dict(columns)), path)
    return path


def predictions_file(folder: Path, name: str = "p.parquet", **changes: Sequence[Any]) -> Path:
    """Four hundred cases, both classes, scores that agree with decisions at 0.5; columns can be replaced."""
    n = 400
    label = [int(i % 4 == 0) for i in range(n)]
    score = [round(0.02 + 0.9 * ((i * 37) % 100) / 100, 4) for i in range(n)]
    columns: dict[str, Sequence[Any]] = {
        "case_id": [f"C-{i:05d}" for i in range(n)],
        "y": label,
        "p": score,
        "pred": [int(s >= 0.5) for s in score],
        "sex": ["female" if i % 2 else "male" for i in range(n)],
    }
    columns.update(changes)
    return parquet_file(folder, {key: value for key, value in columns.items() if value is not None}, name)
