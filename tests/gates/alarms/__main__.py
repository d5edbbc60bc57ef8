"""`python -m tests.gates.alarms [scale]`: run the campaign and write docs/false-alarms.md; scale 0.1 draws a tenth as often."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.gates.alarms import rules, whole
from tests.gates.alarms.case import SEED, Case, shares

PAGE = Path(__file__).resolve().parents[3] / "docs" / "false-alarms.md"
HEAD = f"""# False alarms, measured

How often a gate at its default limits raises an alarm although nothing is wrong, and how often it finds what is. Data are drawn
from known truth and go through the shipped statistics and judges; seed {SEED}. Written by `python -m tests.gates.alarms`; the
suite repeats a part of it (`tests/gates/test_false_alarms.py`), `pytest -m nightly tests/gates/test_false_alarms.py` all of it.
An error of the share is about the square root of share × (1 - share) / runs.

“Fails” is what blocks. “Warns” asks a person to look, mostly because there are too few rows to tell: with more rows it
disappears, as it should. “Cannot tell” routes to a person and never passes.
"""


def main(scale: float) -> None:
    """Run every case and write the page."""
    parts = [HEAD]
    for title, cases in (
        ("Gates on files in which nothing is wrong", whole.CASES),
        ("The rules alone, beside the figures measured when limits were chosen", rules.CASES),
    ):
        parts += [f"## {title}\n", _table(cases, scale)]
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    print(f"wrote {PAGE.name}")


def _table(cases: Sequence[Case], scale: float) -> str:
    rows = ["| Drawn | Size | Event | Share | When chosen | Runs |", "| --- | --- | --- | --- | --- | --- |"]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            runs = max(10, round(case.full * scale))
            found = shares(case, runs, Path(folder))
            print(case.key, {event: round(share, 4) for event, share in found.items() if share}, flush=True)
            rows += [_row(case, event, share, runs) for event, share in found.items() if _told(case, event, share)]
    return "\n".join([*rows, ""])


def _told(case: Case, event: str, share: float) -> bool:
    """Failing is always told, warnings and silence where there are any."""
    return share > 0 or event.endswith("fails") or event in (case.published or {})


def _row(case: Case, event: str, share: float, runs: int) -> str:
    chosen = (case.published or {}).get(event)
    beside = "–" if chosen is None else f"{chosen:.1%}"
    shown = f"{share:.1%}" if share else f"none (under {3 / runs:.1%})"
    return f"| {case.about} | {case.size} | {event} | {shown} | {beside} | {runs:,} |"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
