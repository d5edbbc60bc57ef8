"""Deepchecks: the conditions on data in a suite's result. What it says of drift is evidence, shown beside our own figures."""

from __future__ import annotations

from collections.abc import Iterator

from governance.domain.facts import Fact
from governance.prefill import deepchecks_report
from governance.prefill.from_reports import facts_of_report
from governance.prefill.source import Document, Form, Problem, Source

NAME = "deepchecks"
TITLE = "Deepchecks suite result"
FILLS = ("data.quality.evaluated", "data.quality.failed")


def recognises(name: str, document: Document) -> bool:
    return document.form is Form.JSON and deepchecks_report.is_report(document.data)


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    place = "results" if "results" in document.data else "conditions_results"
    yield from facts_of_report(deepchecks_report.report_of(document.data), source, place)
