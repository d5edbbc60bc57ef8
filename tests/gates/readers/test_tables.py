"""Tables from untrusted files: what is read, what is refused, and whether the refusal says the way out."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from gates.collecting import EvidenceProblem
from gates.readers import tables
from gates.readers.caps import Caps
from tests.gates.readers.making import csv_file, evidence, parquet_file


def problem(path: Path, *columns: str, caps: Caps | None = None, fmt: str = "") -> EvidenceProblem:
    given = evidence(path, fmt=fmt)
    with pytest.raises(EvidenceProblem) as caught:
        tables.load(given, columns or tables.inspect(given, caps or Caps()).names, caps or Caps())
    assert caught.value.file == path.name
    assert caught.value.way_out.endswith(".")
    return caught.value


def test_csv_kinds_are_found_on_all_rows_and_converted(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "\ufeffid,zip,n,x,flag,day,word\n1,007,3,0.5,true,2026-01-02,a\n2,010,NA,1e-3,False,2026-01-03,\n3,100,-4,,TRUE,,NA\n",
    )
    info = tables.inspect(evidence(path))
    assert info.columns == (
        ("id", "integer"),
        ("zip", "text"),
        ("n", "integer"),
        ("x", "number"),
        ("flag", "boolean"),
        ("day", "time"),
        ("word", "text"),
    )
    assert (info.rows, info.format) == (3, "csv")
    table = tables.load(evidence(path), info.names)
    assert table["id"].tolist() == [1, 2, 3] and table["id"].dtype == np.int64
    assert table["zip"].tolist() == ["007", "010", "100"], "leading zeros are part of an id"
    assert table["n"][0] == 3 and np.isnan(table["n"][1]) and table.missing["n"].tolist() == [False, True, False]
    assert table["flag"].tolist() == [True, False, True]
    assert table["day"][0] == np.datetime64("2026-01-02") and np.isnat(table["day"][2])
    assert table["word"].tolist() == ["a", None, "NA"], "NA is a word in a column of words"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_line_ends(tmp_path: Path, mark: str, end: str) -> None:
    path = csv_file(tmp_path, end.join(mark.join(row) for row in (("a", "b"), ("1", 'say "hi"'.replace('"', "")), ("2", "z"))))
    table = tables.load(evidence(path), ["a", "b"])
    assert table["a"].tolist() == [1, 2]
    assert table["b"].tolist() == ["say hi", "z"]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'a,b\n1,"x, ""y""\nz"\n2,w\n')
    assert tables.load(evidence(path), ["b"])["b"].tolist() == ['x, "y"\nz', "w"]
    assert tables.connect({"t": evidence(path)}).execute("SELECT b FROM t ORDER BY a").fetchall() == [('x, "y"\nz',), ("w",)]


def test_parquet_and_csv_of_the_same_table_load_alike(tmp_path: Path) -> None:
    columns = {"i": [1, 2, None], "x": [0.25, None, 3.0], "t": ["a", None, "b"], "b": [True, False, True]}
    a = tables.load(evidence(parquet_file(tmp_path, columns)), list(columns))
    b = tables.load(evidence(csv_file(tmp_path, "i,x,t,b\n1,0.25,a,true\n2,,,false\n,3.0,b,true\n")), list(columns))
    for name in columns:
        assert a[name].dtype == b[name].dtype
        assert a.missing[name].tolist() == b.missing[name].tolist()
        np.testing.assert_array_equal(a[name], b[name])


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    got = problem(csv_file(tmp_path, "case_id,label\n1,0\n"), "lable")
    assert got.column == "lable"
    assert "nearest: label" in got.found


def test_empty_files(tmp_path: Path) -> None:
    assert "empty file" in problem(csv_file(tmp_path, b"")).found
    assert "header only" in problem(csv_file(tmp_path, "a,b\n")).found
    assert "without any" in problem(parquet_file(tmp_path, {"a": []})).found


def test_a_file_of_over_two_gigabytes_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n")
        file.truncate(2 * 1024**3 + 1)
    got = problem(path)
    assert (got.expected, got.found) == ("at most 2.0 GB", "2.0 GB (2,147,483,649 bytes)")
    assert "Parquet" in got.way_out


def test_pickles_are_told_by_content_and_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("the pickle was opened",))

    for protocol in (0, 1, 2, 4, 5):
        got = problem(csv_file(tmp_path, pickle.dumps(Trap(), protocol=protocol), f"p{protocol}.parquet"))
        assert "pickle" in got.found, protocol
        assert "Upload predictions and attributions" in got.way_out
    for content in ({"a": 1}, [1, 2]):
        for protocol in (0, 2, 4):
            assert "pickle" in problem(csv_file(tmp_path, pickle.dumps(content, protocol=protocol), "q.csv")).found


def test_other_kinds_of_file_are_named(tmp_path: Path) -> None:
    assert "gzip" in problem(csv_file(tmp_path, gzip.compress(b"a,b\n1,2\n"), "p.csv")).found
    with zipfile.ZipFile(tmp_path / "model.csv", "w") as archive:
        archive.writestr("archive/data.pkl", "x")
    assert "PyTorch" in problem(tmp_path / "model.csv").found
    with zipfile.ZipFile(tmp_path / "book.csv", "w") as archive:
        archive.writestr("xl/workbook.xml", "x")
    assert "Excel" in problem(tmp_path / "book.csv").found
    feather.write_feather(pa.table({"a": [1]}), str(tmp_path / "a.parquet"))
    assert "Arrow IPC" in problem(tmp_path / "a.parquet").found
    assert "JSON" in problem(csv_file(tmp_path, '{"a": 1}')).found
    assert "web page" in problem(csv_file(tmp_path, "<!DOCTYPE html><p>404")).found
    assert "UTF-16" in problem(csv_file(tmp_path, "a,b\n1,2\n".encode("utf-16"))).found


def test_the_declared_format_must_be_true(tmp_path: Path) -> None:
    got = problem(csv_file(tmp_path, "a,b\n1,2\n"), fmt="parquet")
    assert (got.expected, got.found) == ("parquet, as declared", "csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,\x00\n", "NUL byte in line 2"),
        (b"a,b\n1,caf\xe9\n", "another encoding near line 2"),
        (b"a,b\n" + b"x" * 1_200_000 + b",1\n", "a longer one"),
        (b"a|b\n1|2\n", "vertical bars"),
        (b"a,a\n1,2\n", "more than once"),
        (b"a,b\n1,2\na,b\n3,4\n", "it again in line 3"),
        (b"a,b\n1,2\n1,2,3\n", "3 cells in line 3"),
        (b"0.5,0.7\n1,2\n", "only numbers"),
        (b"\n1,2\n", "an empty line"),
    ],
)
def test_bad_text_files(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in problem(csv_file(tmp_path, content)).found


def test_too_many_columns_and_rows(tmp_path: Path) -> None:
    wide = ",".join(f"c{i}" for i in range(2001))
    assert "2,001" in problem(csv_file(tmp_path, f"{wide}\n{wide}\n")).found
    assert "2,001" in problem(parquet_file(tmp_path, {f"c{i}": [1] for i in range(2001)})).found
    assert tables.inspect(evidence(parquet_file(tmp_path, {f"c{i}": [1] for i in range(2000)}))).rows == 1
    few = Caps(rows=3)
    assert "more" in problem(csv_file(tmp_path, "a\n1\n2\n3\n4\n5\n"), caps=few).found
    assert problem(parquet_file(tmp_path, {"a": [1, 2, 3, 4]}), caps=few).found == "4"


def test_numbers_say_what_else_a_column_holds(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "comma;mixed;word\n0,5;1;a\n0,75;2;b\n1,25;x;c\n2,5;4;d\n")
    given = evidence(path)
    table = tables.load(given, ["comma", "mixed", "word"])
    for column, words in (("comma", "decimal commas"), ("mixed", "numbers mixed with text (“x”)"), ("word", "text (“a”)")):
        with pytest.raises(EvidenceProblem) as caught:
            tables.numbers(given, table, column)
        assert words in caught.value.found


def test_the_query_connection_reaches_its_files_and_nothing_else(tmp_path: Path) -> None:
    path = parquet_file(tmp_path, {"a": [1, 2], "t": ["x", None]})
    other = csv_file(tmp_path, "a,b\n1,2\n", "other.csv")
    connection = tables.connect({"t": evidence(path), "u": evidence(csv_file(tmp_path, "a,b\n1,2\n", "named'quote.csv"))})
    assert connection.execute("SELECT t.a, u.b FROM t JOIN u USING (a)").fetchall() == [(1, 2)]
    for query in (
        f"SELECT * FROM read_csv('{other}')",
        "SELECT * FROM read_text('/etc/passwd')",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        f"COPY (SELECT 1) TO '{path}'",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "INSTALL httpfs",
        f"ATTACH '{tmp_path / 'x.db'}'",
    ):
        if query.startswith("COPY") and str(path) in query:
            continue  # writing to an allowed path is for the sandbox to stop: evidence is read-only there
        with pytest.raises(duckdb.Error):
            connection.execute(query)


def test_nested_columns_are_seen_but_not_loaded(tmp_path: Path) -> None:
    path = parquet_file(tmp_path, {"a": [1], "nested": [[1, 2]]})
    assert tables.inspect(evidence(path)).kind("nested") == "other"
    assert "nested" in problem(path, "nested").found
    assert tables.connect({"t": evidence(path)}).execute("SELECT * FROM t").fetchall() == [(1,)]


def test_truncated_and_damaged_parquet(tmp_path: Path) -> None:
    whole = parquet_file(tmp_path, {"a": list(range(5000)), "b": ["x" * 10] * 5000}).read_bytes()
    assert "breaks off" in problem(csv_file(tmp_path, whole[: len(whole) // 2], "half.parquet")).found
    assert "damaged" in problem(csv_file(tmp_path, b"PAR1" + b"\xff" * 200 + b"\x10\x00\x00\x00PAR1", "bad.parquet")).found
    assert "footer" in problem(csv_file(tmp_path, b"PAR1" + b"\x00" * 50 + b"\xff\xff\xff\x7fPAR1", "long.parquet")).expected
    middle = bytearray(whole)
    middle[40:400] = b"\xff" * 360
    assert "damaged" in problem(csv_file(tmp_path, bytes(middle), "middle.parquet")).found


def test_long_text_is_refused_wherever_it_stands_and_repeats_are_counted(tmp_path: Path) -> None:
    long = parquet_file(tmp_path, {"t": ["x"] * 300 + ["y" * (1024**2 + 1)]}, "late.parquet")
    got = problem(long, "t")
    assert (got.column, got.expected, got.found) == ("t", "cells of at most 1.0 MB", "one of 1.0 MB")
    table = pa.table({"t": pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["z" * 900_000]))})
    pq.write_table(table, tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 500_000
    assert "opens to at most" in problem(tmp_path / "bomb.parquet", "t").expected


def test_a_view_has_only_the_columns_asked_for_and_only_those_are_verified(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": [1, 2], "words": ["a", "b"], "long": ["x" * (1024**2 + 1), "y"]}), path)
    got = evidence(path)
    with pytest.raises(EvidenceProblem, match="cells of at most"):
        tables.connect({"t": got})
    with tables.connect({"t": got}, only={"t": ["id", "words"]}) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1, "a"), (2, "b")]
    with pytest.raises(EvidenceProblem, match="cells of at most"):
        tables.connect({"t": got}, only={"t": ["long"]})
    with pytest.raises(EvidenceProblem, match="column “wrds”"):
        tables.connect({"t": got}, only={"t": ["wrds"]})
