"""B9: the drift collector on fifty features against Evidently and against SciPy on pandas columns."""

from __future__ import annotations

from tests.bench import collectors
from tests.bench.figures import Report
from tests.bench.servers import BenchStack
from tests.bench.size import Size

SCIPY, EVIDENTLY = "SciPy and pandas", "Evidently"


def measure(stack: BenchStack | None, size: Size) -> Report:
    """Ours gives PSI, KS, Wasserstein, Jensen-Shannon and Cramér's V; SciPy KS, Wasserstein and Jensen-Shannon."""
    report = Report("B9", "drift of fifty features")
    files = collectors.samples(size)
    collectors.shared_notes(report, f"40 numeric and 10 text features, {size.sample_rows:,} rows on each side")
    contenders = {"ours": collectors.of_ours("drift", files), SCIPY: collectors.of_ours("scipy_pandas", files)}
    evidently = collectors.of_evidently(files, report.notes)
    if evidently is not None:
        contenders[EVIDENTLY] = evidently
    found = collectors.in_turns(contenders, size.turns, report.notes)
    report.lines = collectors.lines(
        "B9",
        f"drift, 50 features × 2 × {size.sample_rows:,} rows",
        found,
        "ours",
        {SCIPY: "3", EVIDENTLY: "20 at a million rows, ours in 600 MB"},
    )
    if SCIPY in found:
        apart = collectors.difference(found[SCIPY].answer, found["ours"].answer)
        if apart > 1e-9:
            raise AssertionError(f"ours and SciPy's Kolmogorov-Smirnov distances differ by {apart}")
        report.notes.append(f"Largest difference from SciPy's Kolmogorov-Smirnov distance: {apart:.1g}.")
    return report
