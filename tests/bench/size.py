"""How much is measured: the default stays within ten minutes on two cores, `BENCH_QUICK=1` only shows that it runs."""

from __future__ import annotations

import os
from dataclasses import dataclass


def _flag(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"}


@dataclass(frozen=True)
class Size:
    """Rounds, seconds of a stretch, rows of the big table, repetitions; for collectors rows of predictions, of samples, turns."""

    rounds: int = 5
    seconds: float = 4.0
    big: int = 100_000
    pages: int = 60
    submissions: int = 30
    starts: int = 3
    rows: int = 3_000_000
    sample_rows: int = 200_000
    turns: int = 2

    @classmethod
    def from_environment(cls) -> Size:
        """`BENCH_QUICK=1`: seconds instead of minutes. `BENCH_FULL=1`: a million rows."""
        if _flag("BENCH_QUICK"):
            return cls(
                rounds=2, seconds=1.0, big=5_000, pages=10, submissions=5, starts=1, rows=200_000, sample_rows=20_000, turns=1
            )
        return cls(big=1_000_000, rows=10_000_000, sample_rows=1_000_000) if _flag("BENCH_FULL") else cls()
