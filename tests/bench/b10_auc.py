"""B10: AUC of twelve groups with intervals against scikit-learn's AUC of each group; the whole performance collector's memory."""

from __future__ import annotations

from tests.bench import collectors
from tests.bench.figures import Line, Report
from tests.bench.servers import BenchStack
from tests.bench.size import Size

PEER = "scikit-learn by group"


def measure(stack: BenchStack | None, size: Size) -> Report:
    """Above two million rows ours counts by score bin; the error it promises must hold against scikit-learn."""
    report = Report("B10", "AUC by group")
    files = collectors.predictions(size)
    collectors.shared_notes(report, f"{size.rows:,} rows, twelve groups")
    contenders = {"ours": collectors.of_ours("group_auc", files), PEER: collectors.of_ours("sklearn_auc", files)}
    found = collectors.in_turns(contenders, size.turns, report.notes)
    report.lines = collectors.lines(
        "B10", f"AUC by 12 groups, {size.rows:,} rows", found, "ours", {PEER: "2.5 at 10 million rows"}
    )
    whole = collectors.in_turns({"performance": collectors.of_ours("performance", files)}, 1, report.notes).get("performance")
    if whole is not None:
        seconds, memory = whole.series("seconds", "s"), whole.series("megabytes", "MB")
        report.lines.append(
            Line(
                f"B10 performance collector, {size.rows:,} × {size.rows:,} rows of both versions joined on their ids",
                f"{seconds}, {memory}",
                ratio="target: 600 MB",
            )
        )
    bound = found["ours"].answer["bound"]
    if PEER in found:
        apart = collectors.difference(found[PEER].answer["auc"], found["ours"].answer["auc"])
        if apart > bound + 1e-12:
            raise AssertionError(f"AUC differs from scikit-learn's by {apart}, promised were {bound}")
        report.notes.append(
            f"Error promised with the AUC: at most {bound:.2g}; largest difference from scikit-learn: {apart:.2g}."
        )
    return report
