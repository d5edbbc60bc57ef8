"""Facts from another tool's report on data: how many tests there were and which failed, as its reader found them."""

from __future__ import annotations

from collections.abc import Iterator

from governance.domain.facts import Fact
from governance.prefill.reported_tests import ReportedTests
from governance.prefill.source import Problem, Source


def facts_of_report(report: ReportedTests, source: Source, place: str) -> Iterator[Fact | Problem]:
    """`data.quality.*` where the report tests the data; advice on what it does not say."""
    if report.tests:
        failed = [
            {
                "expectation": test.kind,
                "column": test.column,
                "count": test.count,
                "percent": test.percent,
                "severity": test.severity,
                **({"error": True} if test.error else {}),
            }
            for test in report.failed
        ]
        yield source.fact("data.quality.evaluated", len(report.tests), place)
        yield source.fact("data.quality.failed", failed, place)
    else:
        yield source.advice(
            place, f"This report of {report.tool} tests nothing about the data's quality, so no question is filled."
        )
    if report.not_run:
        yield source.advice(place, f"{report.tool} did not run: {', '.join(report.not_run[:10])}. That is not counted.")
    if report.drift:
        yield source.advice(
            place, "Reported drift is evidence: upload the same file as data_quality_report to see it beside ours."
        )
