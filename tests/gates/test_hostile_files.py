"""Hostile files, read for real in the sandbox: each costs one check, none a worker."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.collecting import Inputs
from gates.sandbox import SandboxLimits, Status, run_modules
from tests.gates.readers.making import evidence

LIMITS = SandboxLimits(memory_bytes=2 * 1024**3, wall_seconds=60, cpu_seconds=60)


def a_billion_equal_numbers(path: Path) -> None:
    with pq.ParquetWriter(path, pa.schema([("x", pa.int64())])) as writer:
        group = pa.table({"x": np.zeros(20_000_000, dtype=np.int64)})
        for _ in range(5):
            writer.write_table(group, row_group_size=20_000_000)


def one_huge_cell(path: Path) -> None:
    pq.write_table(pa.table({"t": ["x" * 200_000_000]}), path, compression="zstd")


def a_huge_cell_repeated(path: Path) -> None:
    indices = pa.array(np.zeros(1_000_000, dtype=np.int32))
    pq.write_table(pa.table({"t": pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 1_000_000]))}), path)


def fifty_thousand_columns(path: Path) -> None:
    pq.write_table(pa.table({f"c{i}": pa.array([1]) for i in range(50_000)}), path)


def a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"a": list(range(1000))}))


def half_a_file(path: Path) -> None:
    pq.write_table(pa.table({"x": list(range(100_000))}), path)
    path.write_bytes(path.read_bytes()[:50_000])


def broken_pages(path: Path) -> None:
    pq.write_table(pa.table({"x": list(range(100_000)), "t": [str(i) for i in range(100_000)]}), path)
    content = bytearray(path.read_bytes())
    content[200:60_000] = np.random.default_rng(1).integers(0, 256, 59_800, dtype=np.uint8).tobytes()
    path.write_bytes(bytes(content))


def a_line_without_end(path: Path) -> None:
    path.write_bytes(b"a,b\n" + b"x" * 50_000_000)


def nul_bytes(path: Path) -> None:
    path.write_bytes(b"a,b\n1,2\n3,\x00\n")


def an_open_quote(path: Path) -> None:
    path.write_bytes(b'a,b\n"' + b"1,2\n" * 3_000_000)


@pytest.mark.parametrize(
    "make",
    [
        a_billion_equal_numbers,
        one_huge_cell,
        a_huge_cell_repeated,
        fifty_thousand_columns,
        a_pickle,
        half_a_file,
        broken_pages,
        a_line_without_end,
        nul_bytes,
        an_open_quote,
    ],
    ids=lambda make: make.__name__,
)
def test_it_is_refused_in_words_and_the_worker_lives(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "evidence.parquet"
    make(path)
    inputs = Inputs({"candidate_predictions": evidence(path)}, settings={"do": "load"})
    (got,) = run_modules([("load", "tests.gates.hostile", inputs)], limits=LIMITS)
    if make is a_billion_equal_numbers:
        # 100 million rows stand for the billion: they are over the cap on rows just the same
        assert got.collected is not None and "at most 50,000,000 rows" in got.collected.not_measured
    assert got.status is Status.DONE, (got.reason, got.detail)
    assert got.collected is not None
    assert got.collected.not_measured.startswith("evidence.parquet"), got.collected
    assert got.peak_megabytes < 1500
    assert got.seconds < 30
