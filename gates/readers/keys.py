"""Row keys of tables with millions of rows, in bounded memory: does each row have one of its own, and in how many parts to join.

Used on the views of `tables.connect`. DuckDB may use a stated amount of memory and no disk, so joins over many keys are done in
parts: `WHERE hash(key) % parts = part` on both sides.
"""

from __future__ import annotations

import math

import duckdb
import numpy as np

from gates.readers.tables import quote_name

WHOLE_ROWS = 12_000_000
TEXT_ROWS = 4_000_000
MOST_PARTS = 256
DENSE, MOST_BITS = 16, 1_000_000_000


def parts_for(rows: int, *, whole: bool) -> int:
    """Into how many parts `rows` keys are split for a join. `whole`: whole numbers on both sides."""
    return max(1, math.ceil(rows / (WHOLE_ROWS if whole else TEXT_ROWS)))


def in_part(key: str, part: int, parts: int) -> str:
    """SQL condition of a part; `key` is an SQL expression. Always true with one part."""
    return f"hash({key}) % {parts} = {part}" if parts > 1 else "true"


def missing_and_doubled(connection: duckdb.DuckDBPyConnection, view: str, column: str, kind: str) -> tuple[int, int]:
    """Rows without a key, and rows that repeat an earlier one's (0 where some are missing).

    Whole numbers that fill their range are ticked off by DuckDB; others, and the hashes of other keys, are looked at in numpy (8
    bytes a row); only where hashes repeat are the keys themselves counted.
    """
    name, whole = quote_name(column), kind == "integer"
    ends = f"min({name}), max({name})" if whole else "NULL, NULL"
    rows, there, least, most = connection.execute(f"SELECT count(*), count({name}), {ends} FROM {view}").fetchall()[0]
    if there < rows or not rows:
        return rows - there, 0
    if whole and most - least < min(DENSE * rows, MOST_BITS):
        # keys that fill their range are ticked off while they are read, a bit for each
        ticked = f"SELECT bit_count(bitstring_agg({name}, {least}, {most})) FROM {view}"
        return 0, rows - _scalar(connection, ticked)
    found = connection.execute(f"SELECT {name if whole else f'hash({name})'} AS k FROM {view}").fetchnumpy()["k"]
    ordered = np.sort(np.asarray(found))
    doubled = int((ordered[1:] == ordered[:-1]).sum())
    if doubled and not whole:
        parts = parts_for(len(found), whole=False)
        distinct = (
            _scalar(connection, f"SELECT count(DISTINCT {name}) FROM {view} WHERE {in_part(name, part, parts)}")
            for part in range(parts)
        )
        doubled = len(found) - sum(distinct)
    return 0, doubled


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
