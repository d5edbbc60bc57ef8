"""`python -m tests.bench [B1 B4 …]`: measure, print the table, write docs/benchmarks.md when everything ran.

Environment: `BENCH_QUICK=1` a smoke run, `BENCH_FULL=1` a million submissions in B4 and ten million rows in B8 to B11,
`BENCH_PEERS=0` without peers, `BENCH_MLFLOW` and `BENCH_EVIDENTLY` a Python that has it, `BENCH_DATA` where evidence is kept,
`BENCH_WRITE=1` write the page even for a part or a smoke run.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time

from tests.bench.figures import FILE, Report, table, written
from tests.bench.servers import BenchStack
from tests.bench.size import Size

WORKLOADS = {
    "B1": "b1_submitting",
    "B2": "b2_preview",
    "B3": "b3_verdict",
    "B4": "b4_queue",
    "B5": "b5_review",
    "B6": "b6_engine",
    "B7": "b7_whole_case",
    "B8": "b8_fairness",
    "B9": "b9_drift",
    "B10": "b10_auc",
    "B11": "b11_flips",
    "B12": "b12_audit",
    "B13": "b13_backtest",
    "B14": "b14_permit",
    "B15": "b15_memory",
    "B16": "b16_growth",
    "B17": "b17_client",
}

ALONE = frozenset({"B8", "B9", "B10", "B11", "B17"})
"""Workloads of collectors, and the client's start: they need no server."""


def main(wanted: list[str]) -> int:
    """Run the workloads named, all when none is. Gives the exit code."""
    unknown = [name for name in wanted if name not in WORKLOADS]
    if unknown:
        print(f"There is no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}.", file=sys.stderr)
        return 2
    size, begun, load = Size.from_environment(), time.monotonic(), os.getloadavg()[0]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    stack = BenchStack.make()
    assert isinstance(stack, BenchStack)
    reports: list[Report] = []
    try:
        if set(wanted or WORKLOADS) - ALONE:
            os.environ.update(stack.environment())
            os.environ["DJANGO_SETTINGS_MODULE"] = "governance.config.settings"
            stack.start_servers()
            stack.prepare()
            _django()
        for code in wanted or WORKLOADS:
            print(f"{code} …", flush=True)
            at = time.monotonic()
            report: Report = importlib.import_module(f"tests.bench.{WORKLOADS[code]}").measure(stack, size)
            report.seconds = time.monotonic() - at
            reports.append(report)
            print(
                "\n".join(["", table([report]), *(f"  {note}" for note in report.notes), f"  ({report.seconds:.0f} s)", ""]),
                flush=True,
            )
    finally:
        stack.stop()
    print(table(reports))
    whole = len(reports) == len(WORKLOADS) and size.rounds >= Size().rounds
    if whole or os.environ.get("BENCH_WRITE"):
        FILE.parent.mkdir(exist_ok=True)
        remark = "" if whole else "This was a smoke run or a part: it shows that everything runs, and its figures are rough."
        page = written(reports, command="make bench", load=(load, os.getloadavg()[0]), remark=remark)
        FILE.write_text(page, encoding="utf-8")
        print(f"\nwrote {FILE.relative_to(FILE.parents[1])}")
    print(f"\n{time.monotonic() - begun:.0f} s in all")
    return 0


def _django() -> None:
    """Not before the environment says which database and broker."""
    importlib.import_module("django").setup()
    importlib.import_module("governance.config.celery")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
