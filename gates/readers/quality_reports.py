"""Reports of Evidently and Deepchecks on data as evidence: told by content, read under a cap, without their libraries."""

from __future__ import annotations

import json
from pathlib import Path

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.json_report import read_report_text
from governance.prefill import deepchecks_report, evidently_report
from governance.prefill.reported_tests import ReportedTests

_SIGNS = (b'"evidently:metric_v2:', b'"CheckResult"', b'"CheckFailure"', b'"SuiteResult"')
EXPECTED = "a report of Evidently (0.7 or later) or a suite result of Deepchecks, as JSON"
WAY_OUT = "Evidently: report.run(...).json(). Deepchecks: suite.run(...).to_json(with_display=False). Upload that text."
_DIGITS = 400


def looks_like(evidence: EvidenceInput) -> bool:
    """Whether the first bytes speak the words of one of the two."""
    with Path(evidence.path).open("rb") as file:
        head = file.read(65_536)
    return any(sign in head for sign in _SIGNS)


def read(evidence: EvidenceInput) -> ReportedTests:
    """The report. Raises EvidenceProblem for what is none, too large, no UTF-8 or no JSON; NaN, which both write, is no value."""
    text = read_report_text(evidence, expected=EXPECTED, way_out=WAY_OUT)
    try:
        data = json.loads(text, parse_constant=lambda _: None, parse_int=lambda digits: int(digits[:_DIGITS]))
    except (ValueError, RecursionError) as error:
        found = "JSON that nests without end" if isinstance(error, RecursionError) else f"no JSON ({error})"
        raise EvidenceProblem(file=evidence.name, expected=EXPECTED, found=found[:120], way_out=WAY_OUT) from error
    if evidently_report.is_report(data):
        return evidently_report.report_of(data)
    if deepchecks_report.is_report(data):
        return deepchecks_report.report_of(data)
    raise EvidenceProblem(file=evidence.name, expected=EXPECTED, found="another document", way_out=WAY_OUT)
