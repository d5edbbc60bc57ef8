"""Evidently: the tests of data quality in a report. What it says of drift is evidence, shown beside our own figures."""

from __future__ import annotations

from collections.abc import Iterator

from governance.domain.facts import Fact
from governance.prefill import evidently_report
from governance.prefill.from_reports import facts_of_report
from governance.prefill.source import Document, Form, Problem, Source

NAME = "evidently"
TITLE = "Evidently report"
FILLS = ("data.quality.evaluated", "data.quality.failed")


def recognises(name: str, document: Document) -> bool:
    return document.form is Form.JSON and evidently_report.is_report(document.data)


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    yield from facts_of_report(evidently_report.report_of(document.data), source, "tests")
