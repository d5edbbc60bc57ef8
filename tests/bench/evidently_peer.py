"""Evidently's default drift report, run by the Python of its own environment: `python evidently_peer.py REFERENCE CURRENT`.

Nothing of this project is imported: Evidently needs an older pandas than we have.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
from evidently import Report  # type: ignore[import-not-found]
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]


def main(reference: str, current: str) -> None:
    begun, processor = time.perf_counter(), time.process_time()
    before, after = pd.read_parquet(reference), pd.read_parquet(current)
    for frame in (before, after):
        for name in frame.select_dtypes("category"):
            frame[name] = frame[name].astype(str)
    snapshot = Report([DataDriftPreset()]).run(after, before)
    answer = {"metrics": len(snapshot.dict()["metrics"])}
    took = time.perf_counter() - begun, time.process_time() - processor
    # not getrusage: what it says begins with the largest size of the process that started this one
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    print(json.dumps({"seconds": took[0], "processor": took[1], "peak_kib": peak, "answer": answer}))


if __name__ == "__main__":
    main(*sys.argv[1:])
