"""Data tables as evidence: the three ways to look at one. Every failure is an EvidenceProblem that says the way out.

- `inspect(evidence)`: columns with their kinds, rows, format;
- `load(evidence, columns)`: chosen columns as numpy arrays (bounded memory), with what was missing;
- `connect({alias: evidence})`: a DuckDB connection with one view per file and nothing else reachable.

Parquet and CSV only. Call it in the child process: the parsers behind it are not written for hostile files.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import csv_text, parquet
from gates.readers.caps import CAPS, Caps, bytes_in_words
from gates.readers.content import sniff
from gates.readers.typing_of import MISSING_WORDS, KindFinder, convert

NUMERIC = frozenset({"integer", "number", "boolean"})


@dataclass(frozen=True)
class TableInfo:
    """What a table holds. `columns`: (name, kind) in file order; kinds are those of `typing_of`.

    `oddities`: CSV column -> a short sentence part on why it is text though most of it is numbers (mixed types, decimal commas).
    """

    columns: tuple[tuple[str, str], ...]
    rows: int
    format: str
    oddities: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    def kind(self, name: str) -> str:
        """The kind of a column; KeyError when there is none of that name (see `require`)."""
        return dict(self.columns)[name]


class Table(dict[str, np.ndarray]):
    """Loaded columns by name.

    `integer` is int64 and `boolean` is bool where nothing is missing, else float64 with NaN; `number` is float64; `text` is
    object (str or None); `time` is datetime64[us]. `missing[name]` marks the cells that were empty or null (a NaN that was
    *written* is not missing).
    """

    def __init__(self, info: TableInfo) -> None:
        super().__init__()
        self.info = info
        self.missing: dict[str, np.ndarray] = {}

    @property
    def rows(self) -> int:
        return self.info.rows


def inspect(evidence: EvidenceInput, caps: Caps = CAPS) -> TableInfo:
    """Columns, kinds and rows. Parquet: from the footer; CSV: one pass over all cells. Remembered per file content in this
    process.
    """
    fmt = sniff(evidence, caps)
    stat = Path(evidence.path).stat()
    return _inspect(evidence.path, evidence.name, evidence.format, fmt, stat.st_size, stat.st_mtime_ns, caps)


@functools.lru_cache(maxsize=64)
def _inspect(path: str, name: str, declared: str, fmt: str, size: int, mtime: int, caps: Caps) -> TableInfo:
    evidence = EvidenceInput(role="", path=path, name=name, sha256="", format=declared)
    if fmt == "parquet":
        file = parquet.footer(evidence, caps)
        columns = tuple((field.name, parquet.kind_of_type(field.type)) for field in file.schema_arrow)
        return TableInfo(columns, file.metadata.num_rows, "parquet", {})
    shape = csv_text.layout(evidence, caps)
    finders = {column: KindFinder() for column in shape.columns}
    rows = 0
    for batch in csv_text.batches(evidence, shape.columns, caps):
        rows += batch.num_rows
        for column, finder in finders.items():
            finder.add(batch.column(column))
    if rows * len(finders) > caps.cells:
        raise EvidenceProblem(
            file=name,
            expected=f"at most {caps.cells:,} cells",
            found=f"{rows * len(finders):,}",
            way_out="Keep the columns that are needed.",
        )
    if not rows:
        raise EvidenceProblem(file=name, expected="rows under the header", found="none", way_out="Upload the file with its rows.")
    oddities = {}
    for column, finder in finders.items():
        if finder.kind == "text" and finder.decimal_commas and finder.decimal_commas == finder.not_numbers:
            oddities[column] = f"decimal commas (“{finder.example}”)"
        elif finder.mostly_numbers:
            oddities[column] = f"numbers mixed with text (“{finder.example[:20]}”)"
    return TableInfo(tuple((column, finder.kind) for column, finder in finders.items()), rows, "csv", oddities)


def require(evidence: EvidenceInput, info: TableInfo, columns: Sequence[str]) -> None:
    """Raise EvidenceProblem for the first column that the table lacks, naming the nearest ones."""
    for column in columns:
        if column not in info.names:
            near = difflib.get_close_matches(column, info.names, n=3, cutoff=0.5) or list(info.names[:5])
            raise EvidenceProblem(
                file=evidence.name,
                column=column,
                expected="a column of that name",
                found=f"none among {len(info.names):,} columns; nearest: {', '.join(near)}",
                way_out="Correct the column mapping of this file, or add the column.",
            )
        if info.kind(column) == "other":
            raise EvidenceProblem(
                file=evidence.name,
                column=column,
                expected="numbers, text, booleans or times",
                found="nested or binary values",
                way_out="Write the column as a flat one.",
            )


def load(evidence: EvidenceInput, columns: Sequence[str], caps: Caps = CAPS) -> Table:
    """Read the named columns into memory, under the byte cap. Raises EvidenceProblem."""
    info = inspect(evidence, caps)
    wanted = tuple(dict.fromkeys(columns))
    require(evidence, info, wanted)
    if info.format == "csv":
        chunks: dict[str, list[pa.Array]] = {column: [] for column in wanted}
        held = 0
        for batch in csv_text.batches(evidence, wanted, caps):
            for column in wanted:
                typed = convert(batch.column(column), info.kind(column))
                typed = typed.dictionary_encode() if info.kind(column) == "text" else typed
                chunks[column].append(typed)
                held += typed.nbytes
            if held > caps.decoded_bytes:
                raise EvidenceProblem(
                    file=evidence.name,
                    expected=f"at most {bytes_in_words(caps.decoded_bytes)} in memory for the columns needed",
                    found="more",
                    way_out="Draw a stated sample of the rows, or save as Parquet.",
                )
    else:
        chunks = {column: [] for column in wanted}
        for batch in parquet.batches(evidence, wanted, caps):
            for column in wanted:
                chunks[column].append(batch.column(column))

    table = Table(info)
    for column in wanted:
        parts = chunks.pop(column)
        missing = np.concatenate([np.asarray(part.is_null()) for part in parts])
        table[column] = np.concatenate([_to_numpy(part, info.kind(column), bool(missing.any())) for part in parts])
        table.missing[column] = missing
    return table


def _to_numpy(part: pa.Array, kind: str, missing: bool) -> np.ndarray:
    if pa.types.is_dictionary(part.type):
        levels = np.array([*part.dictionary.to_pylist(), None], dtype=object)
        return np.asarray(levels[np.asarray(part.indices.fill_null(len(levels) - 1))])
    if kind == "text":
        return np.array(part.to_pylist(), dtype=object)
    if kind == "time":
        flat = part.cast(pa.timestamp("us", part.type.tz) if pa.types.is_timestamp(part.type) else pa.timestamp("us"), safe=False)
        return np.asarray(flat.cast(pa.int64()).fill_null(np.iinfo(np.int64).min)).astype("datetime64[us]")
    if kind == "number" or missing:
        return np.asarray(part.cast(pa.float64(), safe=False).fill_null(float("nan")), dtype=np.float64)
    return np.asarray(part, dtype=np.bool_ if kind == "boolean" else np.int64)


def connect(
    tables: Mapping[str, EvidenceInput], caps: Caps = CAPS, *, only: Mapping[str, Sequence[str]] | None = None
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with one typed view per alias, locked: no other file, no network, no extension, bounded memory.

    Parquet is verified by a counted pass first, because the query engine trusts what it reads. Aliases must be identifiers.
    `only`: the columns a view has, where not all are needed; the others are then neither verified nor there.
    """
    prepared: list[tuple[str, EvidenceInput, TableInfo]] = []
    for alias, evidence in tables.items():
        if not alias.isidentifier():
            raise ValueError(f"{alias!r} is not a plain name")
        info = inspect(evidence, caps)
        if only is not None and alias in only:
            require(evidence, info, only[alias])
            kept = tuple((name, kind) for name, kind in info.columns if name in set(only[alias]))
            info = replace(info, columns=kept)
        if info.format == "parquet":
            verify(evidence, caps, info.names)
        prepared.append((alias, evidence, info))
    connection = duckdb.connect()
    paths = ", ".join(_text(evidence.path) for evidence in tables.values())
    for statement in (
        f"SET memory_limit = {_text(caps.duckdb_memory)}",
        f"SET threads = {caps.duckdb_threads}",
        "SET temp_directory = ''",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        f"SET allowed_paths = [{paths}]",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(statement)
    for alias, evidence, info in prepared:
        connection.execute(f"CREATE VIEW {_name(alias)} AS {_select(evidence, info)}")
    return connection


def verify(evidence: EvidenceInput, caps: Caps = CAPS, columns: Sequence[str] | None = None) -> None:
    """Decode a Parquet file once, column by column, and throw the data away: damage and oversized cells show here.

    `columns`: those that will be used, all when not said. What was verified once in this process is not decoded again.
    """
    stat = Path(evidence.path).stat()
    wanted = sorted(name for name, kind in inspect(evidence, caps).columns if kind in ("text", "other"))
    if columns is not None:
        wanted = [name for name in wanted if name in columns]

    def once(column: str) -> None:
        _verify(evidence.path, evidence.name, evidence.format, column, stat.st_size, stat.st_mtime_ns, caps)

    with ThreadPoolExecutor(caps.duckdb_threads) as pool:  # decoding lets other threads run
        for verified in [pool.submit(once, column) for column in wanted]:
            verified.result()


@functools.lru_cache(maxsize=4_096)
def _verify(path: str, name: str, declared: str, column: str, size: int, mtime: int, caps: Caps) -> None:
    # A file that fails raises, which is not remembered.
    # Columns one at a time keep the peak at one batch; the byte cap is per column, since nothing is held.
    for _ in parquet.batches(EvidenceInput(role="", path=path, name=name, sha256="", format=declared), (column,), caps):
        pass


def _select(evidence: EvidenceInput, info: TableInfo) -> str:
    cells = [(name, kind) for name, kind in info.columns if kind != "other"]
    if info.format == "parquet":
        casts = {"text": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN", "integer": "BIGINT", "time": "TIMESTAMP"}
        chosen = ", ".join(f"CAST({_name(name)} AS {casts[kind]}) AS {_name(name)}" for name, kind in cells)
        return f"SELECT {chosen} FROM read_parquet({_text(evidence.path)})"
    shape = csv_text.layout(evidence)
    types = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in shape.columns)
    chosen = ", ".join(f"{_typed(name, kind)} AS {_name(name)}" for name, kind in cells)
    return (
        f"SELECT {chosen} FROM read_csv({_text(evidence.path)}, auto_detect=false, header=true, columns={{{types}}}, "
        f"delim={_text(shape.delimiter)}, quote='\"', escape='\"', max_line_size={CAPS.line_bytes + 2}, compression='none')"
    )


def _typed(name: str, kind: str) -> str:
    if kind == "text":
        return f"nullif({_name(name)}, '')"
    words = ", ".join(_text(word) for word in MISSING_WORDS)
    cell = f"trim({_name(name)})"
    target = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "time": "TIMESTAMP"}[kind]
    return f"CAST(CASE WHEN {cell} IN ({words}) THEN NULL ELSE {cell} END AS {target})"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quote_name(text: str) -> str:
    """A column name as an SQL identifier, for queries on a `connect` view."""
    return _name(text)


def iter_batches(evidence: EvidenceInput, columns: Sequence[str], caps: Caps = CAPS) -> Iterator[pa.RecordBatch]:
    """Stream typed columns as Arrow batches, for one pass over a file larger than memory allows."""
    info = inspect(evidence, caps)
    require(evidence, info, columns)
    if info.format == "parquet":
        yield from parquet.batches(evidence, columns, caps)
        return
    for batch in csv_text.batches(evidence, columns, caps):
        arrays = [convert(batch.column(column), info.kind(column)) for column in columns]
        yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def numbers(evidence: EvidenceInput, table: Table, column: str) -> np.ndarray:
    """A column as float64 (NaN where missing), or EvidenceProblem saying what else it holds."""
    kind = table.info.kind(column)
    if kind in NUMERIC:
        return np.asarray(table[column], dtype=np.float64)
    odd = table.info.oddities.get(column, "")
    example = next((str(value) for value in table[column] if value is not None), "") if kind == "text" else ""
    raise EvidenceProblem(
        file=evidence.name,
        column=column,
        expected="numbers",
        found=odd or (f"text (“{example[:20]}”)" if example else kind),
        way_out="Use decimal points." if "decimal" in odd else "Write numbers only and leave missing cells empty.",
    )


__all__ = ["Table", "TableInfo", "connect", "inspect", "iter_batches", "load", "numbers", "quote_name", "require", "verify"]
