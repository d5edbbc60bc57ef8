"""How much an evidence table may hold. Sizes beyond these are refused with the limit in the message.

A Parquet file's own footer is no bound (4 MB can decode to 8 GB), so the readers count what they decode as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of one evidence file. `decoded_bytes` bounds what one `load` may hold in memory."""

    file_bytes: int = 2 * 1024**3
    columns: int = 2_000
    rows: int = 50_000_000
    cells: int = 2_000_000_000
    cell_bytes: int = 1024**2
    line_bytes: int = 1024**2
    footer_bytes: int = 64 * 1024**2
    decoded_bytes: int = 2 * 1024**3
    duckdb_memory: str = "1GB"
    duckdb_threads: int = 2


CAPS = Caps()


def bytes_in_words(size: int) -> str:
    """`2147483648` as `2.0 GB`."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"
