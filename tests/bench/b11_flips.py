"""B11: decision flips of two versions joined on the row key against the bare join in DuckDB."""

from __future__ import annotations

from tests.bench import collectors
from tests.bench.figures import Line, Report, number
from tests.bench.servers import BenchStack
from tests.bench.size import Size

JOIN, ASKED = "DuckDB, join and totals only", "DuckDB, asked the same"


def measure(stack: BenchStack | None, size: Size) -> Report:
    """Ours checks the keys, counts by group and direction, finds the largest moves and draws; the floor only joins."""
    report = Report("B11", "decision flips")
    files = collectors.predictions(size)
    collectors.shared_notes(report, f"{size.rows:,} rows in each file, the second in another order")
    contenders = {
        "ours": collectors.of_ours("flips", files),
        JOIN: collectors.of_ours("duckdb_flips", files),
        ASKED: collectors.of_ours("duckdb_answers", files),
    }
    found = collectors.in_turns(contenders, size.turns, report.notes)
    mine = found["ours"].series("seconds", "s")
    for name, words in ((JOIN, "floor: the join and its totals alone"), (ASKED, "peer: DuckDB asked all the same questions")):
        if name not in found:
            continue
        other = found[name].series("seconds", "s")
        more = found["ours"].series("processor", "s").median / found[name].series("processor", "s").median
        figures = f"{other}, {found[name].series('megabytes', 'MB')}"
        report.lines.append(
            Line(
                f"B11 flips, {size.rows:,} × {size.rows:,} rows; {words}",
                f"{mine}, {found['ours'].series('megabytes', 'MB')}",
                peer=figures if name == ASKED else "",
                floor=figures if name == JOIN else "",
                ratio=f"{number(mine.median / other.median)} × its time, {number(more)} × its processor time (target: 2)",
                spread=mine.spread,
            )
        )
        apart = collectors.difference(found[name].answer, found["ours"].answer)
        if apart > 1e-12:
            raise AssertionError(f"the flip rate differs from DuckDB's by {apart}")
    return report
