"""AUC by group with DeLong's variance: exact to two million rows, from counts by (group, label, score bin) above.

Above that memory does not grow with the rows: ten thousand bins of equal width, counted by DuckDB in one scan. Where scores are
bunched (all below 0.01, say) these say too little: then the bins are quantiles of the scores. The bound on the error is computed
from the counts and given with the AUC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from gates.collecting import EvidenceInput
from gates.metrics.statistics.auc import BINS, EXACT_ROWS, Aucs, delong, of_bins
from gates.readers import counting, tables
from gates.readers import predictions as reader
from gates.readers.tables import quote_name

REBIN_ABOVE = 2.5e-4
BATCH_ROWS = 500_000
SAMPLED = 500_000


@dataclass(frozen=True)
class GroupAuc:
    """One group's AUC, or None where a class is missing; `positives`, `negatives`: labelled rows."""

    positives: int
    negatives: int
    found: Aucs | None


def by_group(
    evidence: EvidenceInput, attribute: str, edges: Sequence[float] | None = None, *, exact_rows: int = EXACT_ROWS
) -> dict[str, GroupAuc]:
    """AUC per value of one attribute (per band with `edges`), in order of the values.

    The file has been checked before: the score is a number from 0 to 1 in every row, the label is binary.
    """
    info = tables.inspect(evidence)
    score = f"CAST({quote_name(reader.column_of(evidence, 'score'))} AS DOUBLE)"
    group = counting.group_sql(quote_name(attribute), info.kind(attribute), edges)
    with tables.connect({"c": evidence}) as connection:
        label = counting.binary_sql(connection, "c", evidence, info, reader.column_of(evidence, "label"), "label")
        if info.rows <= exact_rows:
            return _exact(connection, group, label, score)
        found = _of_counts(_equal_width(connection, group, label, score))
        if any(one.found is not None and one.found.bound > REBIN_ABOVE for one in found.values()):
            found = _of_counts(_quantiles(connection, list(found), group, label, score))
    return found


def _of_counts(counts: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, GroupAuc]:
    out = {}
    for name, (negative, positive) in counts.items():
        sizes = int(positive.sum()), int(negative.sum())
        out[name] = GroupAuc(*sizes, of_bins(positive, negative) if all(sizes) else None)
    return out


def _exact(connection: duckdb.DuckDBPyConnection, group: str, label: str, score: str) -> dict[str, GroupAuc]:
    names = [str(name) for (name,) in connection.execute(f"SELECT DISTINCT {group} AS g FROM c ORDER BY g").fetchall()]
    query = f"SELECT {_numbered(group, names)} AS g, {label} AS y, {score} AS s FROM c WHERE y IS NOT NULL"
    rows = connection.execute(query).fetchnumpy()
    at, y, s = (np.asarray(rows[name]) for name in ("g", "y", "s"))
    out = {}
    for number, name in enumerate(names):
        chosen = at == number
        sizes = int((y[chosen] == 1).sum()), int((y[chosen] == 0).sum())
        out[name] = GroupAuc(*sizes, delong(y[chosen], s[chosen]) if all(sizes) else None)
    return out


def _numbered(group: str, names: Sequence[str]) -> str:
    """SQL of a group's place in `names`."""
    cases = " ".join(f"WHEN '{name.replace(chr(39), chr(39) * 2)}' THEN {at}" for at, name in enumerate(names))
    return f"CASE {group} {cases} END"


def _equal_width(
    connection: duckdb.DuckDBPyConnection, group: str, label: str, score: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rows = connection.execute(
        f"SELECT {group} AS g, {label} AS y, CAST(least(floor({score} * {BINS}), {BINS - 1}) AS INTEGER) AS b, count(*) AS n "
        "FROM c WHERE y IS NOT NULL GROUP BY ALL"
    ).fetchnumpy()
    names, which = np.unique(np.asarray(rows["g"]).astype(str), return_inverse=True)
    at = (which * 2 + np.asarray(rows["y"]).astype(np.int64)) * BINS + np.asarray(rows["b"])
    counts = np.bincount(at, weights=np.asarray(rows["n"], dtype=np.float64), minlength=len(names) * 2 * BINS)
    table = counts.reshape(len(names), 2, BINS)
    return {str(name): (table[i, 0], table[i, 1]) for i, name in enumerate(names)}


def _quantiles(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], group: str, label: str, score: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rows = counting.scalar(connection, "SELECT count(*) FROM c")
    step = max(1, rows // SAMPLED)
    sample, seen = [], 0
    for batch in _batches(connection, f"SELECT {score} AS s FROM c"):
        sample.append(batch["s"][-seen % step :: step])
        seen += len(batch["s"])
    edges = np.unique(np.quantile(np.concatenate(sample), np.linspace(0, 1, BINS + 1)[1:-1]))
    width = len(edges) + 1
    counts = np.zeros(len(names) * 2 * width, dtype=np.int64)
    query = f"SELECT {_numbered(group, names)} * 2 + CAST({label} AS INTEGER) AS k, {score} AS s FROM c WHERE {label} IS NOT NULL"
    for batch in _batches(connection, query):
        at = batch["k"].astype(np.int64) * width + np.searchsorted(edges, batch["s"], "right")
        counts += np.bincount(at, minlength=len(counts))
    table = counts.reshape(len(names), 2, width)
    return {name: (table[i, 0], table[i, 1]) for i, name in enumerate(names)}


def _batches(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[dict[str, np.ndarray]]:
    for batch in connection.sql(query).to_arrow_reader(BATCH_ROWS):
        yield {name: np.asarray(batch.column(name)) for name in batch.schema.names}
