"""The digest of an evaluation set too large to hold: which cases with which labels, whatever the order of the file's rows."""

from __future__ import annotations

import hashlib
import itertools
import math

import duckdb
import numpy as np

from gates.collecting import EvidenceInput
from gates.readers import tables
from gates.readers.tables import quote_name

PART_ROWS = 1_500_000
"""Rows that are joined or sorted at a time: what bounds the memory."""


def digest_of(connection: duckdb.DuckDBPyConnection, evidence: EvidenceInput, column: str, label: str) -> str:
    """The digest of `Predictions.digest`: ids in order, then their labels. Sorted in ranges of ids that fit memory."""
    info = tables.inspect(evidence)
    whole = info.kind(column) == "integer"
    name = quote_name(column) if whole else f"CAST({quote_name(column)} AS VARCHAR)"
    content = hashlib.sha256()
    labels: list[np.ndarray] = []
    first = True
    for where in _ranges(connection, name, math.ceil(info.rows / (PART_ROWS if whole else PART_ROWS / 3))):
        query = (
            f"SELECT k, CAST(y AS TINYINT) FROM (SELECT {name} AS k, {label} AS y FROM c) "
            f"WHERE y IS NOT NULL AND {where} ORDER BY k"
        )
        # not as Arrow batches: the engine imports pandas for them
        values, marks = (np.asarray(column) for column in connection.execute(query).fetchnumpy().values())
        if whole:
            content.update(values.astype("<i8").tobytes())
        elif len(values):
            content.update(("" if first else "\n").encode() + "\n".join(values).encode())
            first = False
        labels.append(marks.astype(np.int8))
    for part in labels:
        content.update(part.astype("<f8").tobytes())
    return f"sha256:{content.hexdigest()}"


def _ranges(connection: duckdb.DuckDBPyConnection, name: str, parts: int) -> list[str]:
    """Conditions on `k` that split the keys into about equal ranges, in rising order. Where they split changes nothing."""
    if parts < 2:
        return ["true"]
    sample = connection.execute(f"SELECT {name} AS k FROM c USING SAMPLE reservoir(10000 ROWS) REPEATABLE (1)").fetchall()
    ordered = sorted({row[0] for row in sample})
    marks = sorted({ordered[len(ordered) * at // parts] for at in range(1, parts)})
    bounds = [str(mark) if isinstance(mark, int) else "'" + mark.replace("'", "''") + "'" for mark in marks]
    return [
        f"k < {bounds[0]}",
        *(f"k >= {low} AND k < {high}" for low, high in itertools.pairwise(bounds)),
        f"k >= {bounds[-1]}",
    ]
