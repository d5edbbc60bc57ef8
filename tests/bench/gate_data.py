"""Evidence for the collectors' workloads, made once per size in Parquet: the same bytes for everybody who measures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = 1_000_000
RACES = ("a", "b", "c", "d", "e", "f")
SHARES = (0.34, 0.30, 0.20, 0.10, 0.05, 0.01)
SEXES = ("female", "male")
NUMERIC = 40
CATEGORICAL = 10
SHIFTED = {"n0": 0.5, "n5": 0.2, "n10": 0.3}
"""Numeric features whose current sample is moved by so many standard deviations; c0 gets other shares."""

PREDICTION_COLUMNS = {"id": "id", "label": "y", "prediction": "pred", "score": "score", "sensitive": ["race", "sex"]}
METRICS = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")


def predictions(folder: Path, rows: int) -> tuple[Path, Path]:
    """Candidate and champion on the same rows, the champion's in another order. Gives both paths."""
    candidate, champion = folder / f"candidate-{rows}.parquet", folder / f"champion-{rows}.parquet"
    if not (candidate.exists() and champion.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _write(candidate, _predictions(rows, champion=False))
        _write(champion, _predictions(rows, champion=True))
    return candidate, champion


def _predictions(rows: int, *, champion: bool) -> Iterator[pa.Table]:
    starts = list(range(0, rows, BLOCK))
    for start in reversed(starts) if champion else starts:
        size = min(BLOCK, rows - start)
        rng = np.random.default_rng([20260101, start])
        race = rng.choice(len(RACES), size, p=SHARES).astype(np.int8)
        sex = rng.integers(0, 2, size).astype(np.int8)
        label = (rng.random(size) < 0.2 + 0.02 * race).astype(np.int8)
        signal = rng.normal(size=size) + 1.2 * label
        score = 1 / (1 + np.exp(-(signal - 1.2)))
        other = 1 / (1 + np.exp(-(signal + 0.25 * rng.normal(size=size) - 1.2)))
        ids = np.arange(start, start + size, dtype=np.int64)
        columns = {
            "id": ids,
            "y": label,
            "score": other if champion else score,
            "pred": ((other if champion else score) >= 0.5).astype(np.int8),
            "race": _words(race, RACES),
            "sex": _words(sex, SEXES),
            "segment": _words((race * 2 + sex).astype(np.int8), [f"{a} {b}" for a in RACES for b in SEXES]),
        }
        table = pa.table(columns)
        yield table.take(pa.array(rng.permutation(size))) if champion else table


def samples(folder: Path, rows: int, numeric: int = NUMERIC, categorical: int = CATEGORICAL) -> tuple[Path, Path]:
    """Reference and current sample of 50 features, four of them moved. Gives both paths."""
    reference, current = folder / f"reference-{rows}.parquet", folder / f"current-{rows}.parquet"
    if not (reference.exists() and current.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _write(reference, _samples(rows, numeric, categorical, moved=False))
        _write(current, _samples(rows, numeric, categorical, moved=True))
    return reference, current


def _samples(rows: int, numeric: int, categorical: int, *, moved: bool) -> Iterator[pa.Table]:
    for start in range(0, rows, BLOCK // 4):
        size = min(BLOCK // 4, rows - start)
        rng = np.random.default_rng([7, start, int(moved)])
        columns: dict[str, object] = {}
        for at in range(numeric):
            name = f"n{at}"
            values = rng.normal(SHIFTED.get(name, 0.0) if moved else 0.0, 1.0, size)
            kind = at % 4
            if kind == 1:  # long tail
                values = np.exp(values)
            elif kind == 2:  # counts
                values = np.floor(np.abs(values) * 3)
            elif kind == 3:  # a heap at nought
                values = np.where(values < 0.2, 0.0, values)
            columns[name] = values
        for at in range(categorical):
            levels = 3 + 2 * at
            shares = np.arange(levels, 0, -1, dtype=float)
            if moved and at == 0:
                shares = shares[::-1]
            columns[f"c{at}"] = _words(
                rng.choice(levels, size, p=shares / shares.sum()).astype(np.int8), [f"v{n}" for n in range(levels)]
            )
        yield pa.table(columns)


def _words(codes: np.ndarray, levels: object) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(levels)))  # type: ignore[call-overload]


def _write(path: Path, tables: Iterator[pa.Table]) -> None:
    """Written beside and moved, so that what was cut short is never taken for whole."""
    part = path.with_suffix(".part")
    writer: pq.ParquetWriter | None = None
    for table in tables:
        writer = writer or pq.ParquetWriter(part, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=BLOCK // 4)
    assert writer is not None, "a table has rows"
    writer.close()
    part.replace(path)
