"""One measurement in a process of its own: seconds of the work without imports, processor seconds, peak memory, the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack import ROOT

MEBIBYTE = 1024


@dataclass(frozen=True)
class Measured:
    """`seconds` and `processor` are of the work alone; `megabytes` is the whole process's peak, imports included."""

    seconds: float
    processor: float
    megabytes: float
    answer: Any

    def quantities(self) -> dict[str, float]:
        return {"seconds": self.seconds, "processor": self.processor, "megabytes": self.megabytes}


def measured(words: Sequence[str], *, python: Path | None = None, timeout: float = 3_600) -> Measured:
    """Run `python words…` from the project's root. RuntimeError with the last words of a program that fails."""
    process = subprocess.Popen(
        [str(python or sys.executable), *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise RuntimeError(f"{words[-1]} took longer than {timeout:.0f} s") from None
    if process.returncode:
        said = (err or out).strip().splitlines()
        raise RuntimeError(said[-1] if said else f"ended with {process.returncode}")
    found = json.loads(out.strip().splitlines()[-1])
    return Measured(found["seconds"], found["processor"], found["peak_kib"] / MEBIBYTE, found["answer"])
