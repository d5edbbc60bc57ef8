"""Parquet, footer first: caps on columns, rows and cells, then batches that are counted as they decode.

Text columns are read as dictionaries, so that a file repeating one huge string a million times costs that string once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gates.collecting import EvidenceInput, EvidenceProblem, working_on
from gates.readers.caps import CAPS, Caps, bytes_in_words

BATCH_ROWS = 65_536
FIRST_BATCH_ROWS = 256


def footer(evidence: EvidenceInput, caps: Caps = CAPS) -> pq.ParquetFile:
    """Open by the footer alone and check what it declares against the caps. Raises EvidenceProblem."""
    path = Path(evidence.path)
    with path.open("rb") as file:
        file.seek(-8, 2)
        length = struct.unpack("<I", file.read(4))[0]
    if length > min(caps.footer_bytes, path.stat().st_size):
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"a Parquet footer of at most {bytes_in_words(caps.footer_bytes)}",
            found=f"one that says {bytes_in_words(length)}",
            way_out="The file is damaged or has far too many columns. Write it again.",
        )
    try:
        file_schema = pq.ParquetFile(path, thrift_string_size_limit=64_000_000, thrift_container_size_limit=2_000_000)
        names = file_schema.schema_arrow.names
        meta = file_schema.metadata
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise _damaged(evidence) from error
    for what, value, cap in (
        ("columns", len(names), caps.columns),
        ("rows", meta.num_rows, caps.rows),
        ("cells", meta.num_rows * len(names), caps.cells),
    ):
        if value > cap:
            raise EvidenceProblem(
                file=evidence.name,
                expected=f"at most {cap:,} {what}",
                found=f"{value:,}",
                way_out="Keep the columns that are needed, or draw a stated sample of the rows.",
            )
    if meta.num_rows == 0:
        raise EvidenceProblem(
            file=evidence.name, expected="rows", found="a table without any", way_out="Upload the file with its rows."
        )
    doubles = [name for name in names if names.count(name) > 1] if len(set(names)) < len(names) else []
    if doubles:
        raise EvidenceProblem(
            file=evidence.name,
            column=doubles[0],
            expected="each column name once",
            found="it more than once",
            way_out="Rename or drop one of them.",
        )
    text = [field.name for field in file_schema.schema_arrow if _is_text(field.type)]
    return pq.ParquetFile(path, read_dictionary=text, thrift_string_size_limit=64_000_000, thrift_container_size_limit=2_000_000)


def kind_of_type(kind: pa.DataType) -> str:
    """The column kind (see `typing_of`) of an Arrow type."""
    if pa.types.is_dictionary(kind):
        return kind_of_type(kind.value_type)
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_uint64(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    return "text" if _is_text(kind) or pa.types.is_null(kind) else "other"


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def batches(evidence: EvidenceInput, columns: Sequence[str], caps: Caps = CAPS) -> Iterator[pa.RecordBatch]:
    """Stream columns; refuses a cell over the cap, more bytes than the cap, or more rows than the footer said.

    The first batch is small, so that oversized cells are seen before much is decoded. Raises EvidenceProblem.
    """
    file = footer(evidence, caps)
    declared = file.metadata.num_rows
    decoded = rows = 0
    try:
        for step in (FIRST_BATCH_ROWS, BATCH_ROWS):
            done = rows
            for batch in file.iter_batches(batch_size=step, columns=list(columns), use_threads=False):
                if done:  # the small first batch was handed out already: skip its rows
                    skip = min(done, batch.num_rows)
                    batch, done = batch.slice(skip), done - skip
                rows += batch.num_rows
                decoded += _expanded_bytes(batch)
                _check_cells(batch, evidence, caps)
                if decoded > caps.decoded_bytes or rows > declared:
                    raise EvidenceProblem(
                        file=evidence.name,
                        expected=(
                            f"a table that opens to at most {bytes_in_words(caps.decoded_bytes)} and "
                            f"{declared:,} rows, as it says itself"
                        ),
                        found="more while reading it",
                        way_out="Keep the columns that are needed, or draw a stated sample of the rows.",
                    )
                working_on(f"reading {{}} rows of {evidence.name}", rows, declared)
                if batch.num_rows:
                    yield batch
                if step == FIRST_BATCH_ROWS:
                    break
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise _damaged(evidence) from error
    if rows != declared:
        raise _damaged(evidence)


def _expanded_bytes(batch: pa.RecordBatch) -> int:
    """What the batch takes when every repeated text is written out, without writing it out."""
    total = 0
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            lengths = pc.binary_length(column.dictionary).cast(pa.int64())
            total += pc.sum(lengths.take(column.indices)).as_py() or 0
        else:
            total += column.nbytes
    return total


def _check_cells(batch: pa.RecordBatch, evidence: EvidenceInput, caps: Caps) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        values = column.dictionary if pa.types.is_dictionary(column.type) else column
        if not _is_text(values.type):
            continue
        longest = pc.max(pc.binary_length(values)).as_py() or 0
        if longest > caps.cell_bytes:
            raise EvidenceProblem(
                file=evidence.name,
                column=name,
                expected=f"cells of at most {bytes_in_words(caps.cell_bytes)}",
                found=f"one of {bytes_in_words(longest)}",
                way_out="Drop this column or shorten its text.",
            )


def _damaged(evidence: EvidenceInput) -> EvidenceProblem:
    return EvidenceProblem(
        file=evidence.name,
        expected="a Parquet file that can be read to the end",
        found="a damaged one, or one that needs far more memory than its size",
        way_out="Write the file again (pandas: to_parquet) and check that the upload was complete.",
    )
