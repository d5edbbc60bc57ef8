"""Whether each row has a key of its own, whichever way it is found out."""

from __future__ import annotations

import duckdb
import pytest

from gates.readers.keys import missing_and_doubled


@pytest.mark.parametrize(
    "keys",
    [
        [5],
        [-3, -2, -1, 0, 4],
        [1, 1, 2],
        [-5, -5],
        [3_000_000_000, 3_000_000_001],  # large and side by side: ticked off
        [1, 10**12],  # far apart: sorted
        [1, 10**12, 1],
        list(range(1_000)) * 2,
    ],
)
def test_doubled_whole_numbers_are_counted(keys: list[int]) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (k BIGINT)")
        connection.executemany("INSERT INTO t VALUES (?)", [[key] for key in keys])
        assert missing_and_doubled(connection, "t", "k", "integer") == (0, len(keys) - len(set(keys)))


def test_doubled_words_and_missing_keys_are_counted() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (k VARCHAR)")
        connection.execute("INSERT INTO t VALUES ('a'), ('b'), ('a'), ('a')")
        assert missing_and_doubled(connection, "t", "k", "text") == (0, 2)
        connection.execute("INSERT INTO t VALUES (NULL)")
        assert missing_and_doubled(connection, "t", "k", "text") == (1, 0)
