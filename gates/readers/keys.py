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
DENSE = 16


def parts_for(rows: int, *, whole: bool) -> int:
    """Into how many parts `rows` keys are split for a join. `whole`: whole numbers on both sides."""
    return max(1, math.ceil(rows / (WHOLE_ROWS if whole else TEXT_ROWS)))


def in_part(key: str, part: int, parts: int) -> str:
    """SQL condition of a part; `key` is an SQL expression. Always true with one part."""
    return f"hash({key}) % {parts} = {part}" if parts > 1 else "true"


def missing_and_doubled(connection: duckdb.DuckDBPyConnection, view: str, column: str, kind: str) -> tuple[int, int]:
    """Rows without a key, and rows that repeat an earlier one's (0 where some are missing).

    Whole numbers, and the hashes of other keys, are looked at in numpy (8 bytes a row); only where hashes repeat are the keys
    themselves counted.
    """
    name, whole = quote_name(column), kind == "integer"
    ends = f"min({name}), max({name})" if whole else "NULL, NULL"
    rows, there, least, most = connection.execute(f"SELECT count(*), count({name}), {ends} FROM {view}").fetchall()[0]
    if there < rows or not rows:
        return rows - there, 0
    found = connection.execute(f"SELECT {name if whole else f'hash({name})'} AS k FROM {view}").fetchnumpy()["k"]
    doubled = _doubled(np.asarray(found), least, most)
    if doubled and not whole:
        parts = parts_for(len(found), whole=False)
        distinct = (
            _scalar(connection, f"SELECT count(DISTINCT {name}) FROM {view} WHERE {in_part(name, part, parts)}")
            for part in range(parts)
        )
        doubled = len(found) - sum(distinct)
    return 0, doubled


def _doubled(keys: np.ndarray, least: int | None, most: int | None) -> int:
    """Keys that fill their range (`least` to `most`, where they are numbers) are ticked off, others sorted."""
    if least is not None and most is not None and most - least < DENSE * len(keys):
        seen = np.zeros(most - least + 1, dtype=np.bool_)
        seen[keys - least if least else keys] = True
        return len(keys) - int(np.count_nonzero(seen))
    ordered = np.sort(keys)
    return int((ordered[1:] == ordered[:-1]).sum())


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
