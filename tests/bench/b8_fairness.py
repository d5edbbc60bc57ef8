"""B8: the fairness collector on raw rows against Fairlearn on raw rows, five metrics and two attributes."""

from __future__ import annotations

from tests.bench import collectors
from tests.bench.figures import Report
from tests.bench.servers import BenchStack
from tests.bench.size import Size


def measure(stack: BenchStack | None, size: Size) -> Report:
    """Ours with intervals, pairs and pictures; Fairlearn without. Both must say the same to 1e-9."""
    report = Report("B8", "fairness of decisions by group")
    files = collectors.predictions(size)
    collectors.shared_notes(report, f"{size.rows:,} rows, attributes of six and two values")
    contenders = {
        "ours": collectors.of_ours("fairness", files),
        "Fairlearn on raw rows": collectors.of_ours("fairlearn", files),
    }
    found = collectors.in_turns(contenders, size.turns, report.notes)
    report.lines = collectors.lines(
        "B8", f"fairness, {size.rows:,} rows", found, "ours", {"Fairlearn on raw rows": "100 at 10 million rows, ours in 600 MB"}
    )
    if len(found) == 2:
        apart = collectors.difference(found["Fairlearn on raw rows"].answer, found["ours"].answer)
        if apart > 1e-9:
            raise AssertionError(f"ours and Fairlearn's rates differ by {apart}")
        report.notes.append(f"Largest difference from Fairlearn's rates on the raw rows: {apart:.1g}.")
    return report
