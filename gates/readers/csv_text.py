"""CSV, strictly: UTF-8, one header, a known delimiter, every cell text first. Numbers are converted by `typing_of`, not guessed.

The raw bytes are scanned once before parsing (NUL, encoding, longest line, number of lines), so that the parser never meets
a line or a count beyond the caps.
"""

from __future__ import annotations

import codecs
import csv
import functools
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from gates.collecting import EvidenceInput, EvidenceProblem, working_on
from gates.readers.caps import CAPS, Caps, bytes_in_words

BLOCK = 4 * 1024 * 1024
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_REFUSED_DELIMITERS = {"|": "vertical bars", ":": "colons"}


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How a CSV file is written: its columns in order, its delimiter, whether it quotes cells, and its number of lines."""

    columns: tuple[str, ...]
    delimiter: str
    quoted: bool
    lines: int


def layout(evidence: EvidenceInput, caps: Caps = CAPS) -> CsvLayout:
    """Scan the bytes and read the header. Raises EvidenceProblem for NUL, non-UTF-8, long lines, too many columns or rows."""
    stat = Path(evidence.path).stat()
    return _layout(evidence.path, evidence.name, stat.st_size, stat.st_mtime_ns, caps)


@functools.lru_cache(maxsize=64)
def _layout(path: str, name: str, size: int, mtime: int, caps: Caps) -> CsvLayout:
    lines, quoted = _scan(path, name, caps)
    with Path(path).open("rb") as file:
        sample = file.read(256 * 1024).removeprefix(codecs.BOM_UTF8)
    text = sample.decode("utf-8", errors="ignore")
    rows = text.splitlines()[:20]
    if not rows or not rows[0].strip():
        raise EvidenceProblem(
            file=name, expected="a header in the first line", found="an empty line", way_out="Add column names."
        )
    delimiter = _delimiter(rows, name)
    header = [cell.strip() for cell in next(csv.reader(io.StringIO(text), delimiter=delimiter))]
    header = [cell or f"unnamed_{index + 1}" for index, cell in enumerate(header)]
    if len(header) > caps.columns:
        raise EvidenceProblem(
            file=name,
            expected=f"at most {caps.columns:,} columns",
            found=f"{len(header):,}",
            way_out="Keep the columns that are needed.",
        )
    doubles = sorted({cell for cell in header if header.count(cell) > 1}) if len(set(header)) < len(header) else []
    if doubles:
        raise EvidenceProblem(
            file=name,
            expected="each column name once",
            found=f"“{doubles[0]}” more than once",
            way_out="Rename or drop one of them.",
            column=doubles[0],
        )
    if lines < 2:
        raise EvidenceProblem(
            file=name, expected="rows under the header", found="a header only", way_out="Upload the file with its rows."
        )
    if all(_is_number(cell) for cell in header):
        raise EvidenceProblem(
            file=name,
            expected="column names in the first line",
            found=f"only numbers there (“{delimiter.join(header)[:40]}”)",
            way_out="Write the file with a header.",
        )
    return CsvLayout(tuple(header), delimiter, quoted, lines - 1)


def _scan(path: str, name: str, caps: Caps) -> tuple[int, bool]:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    lines, run, quoted, last = 0, 0, False, b""
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK):
            nul = block.find(b"\0")
            if nul >= 0:
                line = lines + block.count(b"\n", 0, nul) + 1
                raise EvidenceProblem(
                    file=name,
                    expected="text",
                    found=f"a NUL byte in line {line:,}",
                    way_out="Export the table again as UTF-8 CSV.",
                )
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                line = lines + block.count(b"\n", 0, max(error.start, 0)) + 1
                raise EvidenceProblem(
                    file=name,
                    expected="UTF-8 text",
                    found=f"another encoding near line {line:,}",
                    way_out="Save the file as UTF-8 (in spreadsheets: “CSV UTF-8”).",
                ) from error
            breaks = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10)
            if len(breaks):
                longest = max(run + int(breaks[0]), int(np.diff(breaks).max()) if len(breaks) > 1 else 0)
                run = len(block) - int(breaks[-1]) - 1
            else:
                run += len(block)
                longest = run
            if max(longest, run) > caps.line_bytes:
                raise EvidenceProblem(
                    file=name,
                    expected=f"lines of at most {bytes_in_words(caps.line_bytes)}",
                    found=f"a longer one near line {lines + 1:,}",
                    way_out="Check the line ends (LF or CRLF) and drop long free-text columns.",
                )
            lines += len(breaks)
            if lines > caps.rows:
                raise EvidenceProblem(
                    file=name, expected=f"at most {caps.rows:,} rows", found="more", way_out="Draw a stated sample of the rows."
                )
            quoted = quoted or b'"' in block
            last = block
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise EvidenceProblem(
            file=name, expected="UTF-8 text", found="a file that breaks off inside a character", way_out="Upload the whole file."
        ) from error
    return lines + (0 if last.endswith(b"\n") else 1), quoted


def _delimiter(rows: Sequence[str], name: str) -> str:
    """The delimiter that splits the header most, provided the first rows agree with it."""
    header = rows[0]
    best = max(_DELIMITERS, key=lambda mark: (header.count(mark), mark == ","))
    if header.count(best):
        return best
    for mark, words in _REFUSED_DELIMITERS.items():
        if header.count(mark) and all(row.count(mark) == header.count(mark) for row in rows if row):
            raise EvidenceProblem(
                file=name,
                expected="columns separated by comma, semicolon or tab",
                found=words,
                way_out="Export the table with commas.",
            )
    return ","


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def batches(evidence: EvidenceInput, columns: Sequence[str], caps: Caps = CAPS) -> Iterator[pa.RecordBatch]:
    """Stream the wanted columns as text. Raises EvidenceProblem for ragged lines and a repeated header."""
    shape = layout(evidence, caps)
    bad: list[str] = []

    def ragged(row: Any) -> str:
        bad.append(f"{row.actual_columns} cells in {'line ' + format(row.number, ',') if row.number else 'a line'}")
        return "error"

    try:
        reader = arrow_csv.open_csv(
            evidence.path,
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=BLOCK, column_names=list(shape.columns), skip_rows=1, encoding="utf8"
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=shape.delimiter, newlines_in_values=shape.quoted, invalid_row_handler=ragged
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={column: pa.string() for column in shape.columns},
                include_columns=list(columns),
                strings_can_be_null=False,
            ),
        )
        first = 2
        for batch in reader:
            _refuse_second_header(batch, evidence.name, first)
            first += batch.num_rows
            working_on(f"reading {{}} rows of {evidence.name}", first - 2)
            yield batch
    except (pa.ArrowInvalid, pa.ArrowCapacityError) as error:
        hint = " Decimal commas in a comma-separated file look like this." if shape.delimiter == "," else ""
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"{len(shape.columns)} cells in every line, separated by {_DELIMITERS[shape.delimiter]}",
            found=bad[0] if bad else "a line that cannot be split (an open quotation mark?)",
            way_out=f"Put cells with the separator in quotation marks, or save as Parquet.{hint}",
        ) from error


def _refuse_second_header(batch: pa.RecordBatch, name: str, first: int) -> None:
    if not batch.num_rows or not batch.num_columns:
        return
    same = functools.reduce(
        pc.and_, (pc.equal(pc.utf8_trim_whitespace(batch.column(i)), batch.schema.names[i]) for i in range(batch.num_columns))
    )
    at = pc.index(same, pa.scalar(True)).as_py()
    if at >= 0:
        raise EvidenceProblem(
            file=name,
            expected="the header once",
            found=f"it again in line {first + at:,}",
            way_out="Two files were probably joined: remove the second header.",
        )
