"""The counting queries: nulls, bounds, distinct keys and out-of-range values of every column in one pass over a view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from gates.collecting import EvidenceInput
from gates.readers import tables
from gates.readers.tables import quote_name

FEW_CODES = 50


@dataclass(frozen=True)
class ColumnCounts:
    """What one pass says about a column. `present`: neither null nor NaN; `outside`: values beyond the reference's bounds."""

    name: str
    kind: str
    present: int
    distinct: int
    distinct_keys: int = 0
    low: float | None = None
    high: float | None = None
    outside: int | None = None

    def missing(self, rows: int) -> float:
        """Share of rows without a value."""
        return 1 - self.present / rows if rows else 0.0

    @property
    def constant(self) -> bool:
        return self.present > 0 and self.distinct == 1

    @property
    def key_like(self) -> bool:
        """Whole numbers that nearly all differ: a key, which is always beyond what was seen."""
        return self.kind == "integer" and self.present >= 100 and self.distinct > 0.9 * self.present

    @property
    def categorical(self) -> bool:
        """Text, or whole numbers with few values: codes."""
        return self.kind == "text" or (self.kind == "integer" and 0 < self.distinct <= FEW_CODES)


@dataclass(frozen=True)
class Counts:
    """Rows of a table and what is in its columns."""

    rows: int
    columns: tuple[ColumnCounts, ...]


def count_table(
    connection: duckdb.DuckDBPyConnection, view: str, evidence: EvidenceInput, before: Counts | None, only: Sequence[str] = ()
) -> Counts:
    """Count every column of `view` (or `only` those) in one query; with `before`, also how many values lie beyond its bounds."""
    info = tables.inspect(evidence)
    key = evidence.columns.get("id")
    bounds = {column.name: (column.low, column.high) for column in before.columns} if before is not None else {}
    chosen = [(name, kind) for name, kind in info.columns if kind != "other" and (not only or name in only)]
    parts = ["count(*)"]
    for name, kind in chosen:
        cell = quote_name(name)
        good = f"{cell} IS NOT NULL" + (f" AND NOT isnan({cell})" if kind == "number" else "")
        parts.append(f"count(*) FILTER (WHERE {good})")
        # Exact up to two values, which is what "constant" needs; the estimate serves to tell codes from amounts.
        parts.append(f"CASE WHEN min({cell}) = max({cell}) THEN 1 ELSE greatest(2, approx_count_distinct({cell})) END")
        parts.append(f"count(DISTINCT {cell})" if name == key else "0")
        numeric = kind in ("integer", "number")
        finite = f"{cell}::DOUBLE" if numeric else "NULL"
        where = f" FILTER (WHERE isfinite({cell}::DOUBLE))" if numeric else ""
        parts += [f"min({finite}){where}", f"max({finite}){where}"]
        low, high = bounds.get(name, (None, None))
        known = numeric and low is not None and high is not None
        parts.append(f"count(*) FILTER (WHERE {good} AND ({cell} < {low!r} OR {cell} > {high!r}))" if known else "NULL")
    row = connection.execute(f"SELECT {', '.join(parts)} FROM {view}").fetchone()
    if row is None:
        return Counts(0, ())
    columns = []
    for at, (name, kind) in enumerate(chosen):
        present, distinct, keys, low, high, outside = row[1 + 6 * at : 7 + 6 * at]
        columns.append(
            ColumnCounts(
                name, kind, int(present), int(distinct or 0), int(keys), low, high, None if outside is None else int(outside)
            )
        )
    return Counts(int(row[0]), tuple(columns))


def duplicate_rows(connection: duckdb.DuckDBPyConnection, view: str, evidence: EvidenceInput) -> int:
    """Rows beyond the first of each set of equal rows, the row key left out (64-bit hashes of all cells; a false double is a
    matter of 1 in 10^7 per million rows).
    """
    key = evidence.columns.get("id")
    cells = [quote_name(name) for name, kind in tables.inspect(evidence).columns if kind != "other" and name != key]
    if not cells:
        return 0
    row = connection.execute(f"SELECT count(*) - count(DISTINCT hash({', '.join(cells)})) FROM {view}").fetchone()
    return int(row[0]) if row is not None else 0


def unseen_rows(connection: duckdb.DuckDBPyConnection, now: Counts, before: Counts) -> dict[str, tuple[int, int]]:
    """Per column of codes: rows with a value the reference never has, and how many such values. Key-like text is left out."""
    known = {column.name: column for column in before.columns}
    found = {}
    for column in now.columns:
        old = known.get(column.name)
        if (
            old is None
            or not old.categorical
            or (old.kind == "text") != (column.kind == "text")
            or old.distinct > 0.5 * max(1, old.present)
        ):
            continue
        cell = quote_name(column.name)
        row = connection.execute(
            f"SELECT coalesce(sum(n), 0), count(*) FROM (SELECT {cell} AS v, count(*) AS n FROM data WHERE {cell} "
            "IS NOT NULL GROUP BY 1) AS present "
            f"WHERE v NOT IN (SELECT DISTINCT {cell} FROM reference WHERE {cell} IS NOT NULL)"
        ).fetchone()
        if row is not None:
            found[column.name] = (int(row[0]), int(row[1]))
    return found
