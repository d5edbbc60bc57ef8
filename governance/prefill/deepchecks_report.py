"""Deepchecks' suite result as JSON (`suite.run(...).to_json(with_display=False)`): conditions on data, and drift by feature.

A check without a condition says nothing about good or bad and is not counted; one that Deepchecks could not run is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from governance.prefill.reported_tests import ReportedDrift, ReportedTest, ReportedTests, figure, part, rows, words

TOOL = "Deepchecks"
_FEATURE_DRIFT = frozenset({"Feature Drift", "Train Test Feature Drift"})
_QUALITY = frozenset(
    {
        *("Columns Info", "Mixed Nulls", "String Mismatch", "Mixed Data Types", "Is Single Value", "Special Characters"),
        *("String Length Out Of Bounds", "Data Duplicates", "Conflicting Labels", "Class Imbalance", "Percent Of Nulls"),
        *("Outlier Sample Detection", "Feature Label Correlation", "Feature Feature Correlation", "Identifier Label Correlation"),
        *("Category Mismatch Train Test", "New Category Train Test", "New Label Train Test", "Datasets Size Comparison"),
        *("Date Train Test Leakage Duplicates", "Date Train Test Leakage Overlap", "Index Train Test Leakage"),
        *("Feature Label Correlation Change", "String Mismatch Comparison", "Train Test Samples Mix"),
    }
)
_TYPES = ("CheckResult", "CheckFailure")


def is_report(data: Any) -> bool:
    """Whether a document is a suite's result, or that of a single check."""
    if not isinstance(data, Mapping):
        return False
    return _is_check(data) or (data.get("type") == "SuiteResult" and isinstance(data.get("results"), list))


def report_of(data: Any) -> ReportedTests:
    """Conditions and drift of a suite; what has not the form of one is left out."""
    checks = [("", data)] if _is_check(data) else [(f"results[{at}]", row) for at, row in rows(data, "results") if _is_check(row)]
    tests, drift, not_run, others = list[ReportedTest](), list[ReportedDrift](), list[str](), 0
    for place, row in checks:
        name = words(part(row, "check").get("name"), 80)
        if row.get("type") == "CheckFailure":
            not_run.append(words(row.get("header"), 120) or name)
        elif name in _FEATURE_DRIFT:
            drift.extend(_drift(row))
        elif name in _QUALITY:
            tests.extend(_conditions(row, name, place))
        elif row.get("conditions_results"):
            others += 1
    return ReportedTests(TOOL, tuple(tests), tuple(drift), tuple(not_run), others)


def _is_check(row: Any) -> bool:
    return isinstance(row, Mapping) and row.get("type") in _TYPES and bool(part(row, "check"))


def _conditions(row: Mapping[str, Any], name: str, place: str) -> Iterator[ReportedTest]:
    header, value = words(row.get("header"), 120) or name, figure(row.get("value"))
    for at, condition in rows(row, "conditions_results"):
        status = str(condition.get("Status"))
        held = status == "PASS"
        says = words(condition.get("Condition"))
        yield ReportedTest(
            name, "" if held else ", ".join(_named(row, condition))[:200], held, f"{header}: {says}" if says else header,
            f"{place}.conditions_results[{at}]".lstrip("."), "warning" if status == "WARN" else "critical",
            None, 100 * value if value is not None and 0 <= value <= 1 else None, status not in ("PASS", "WARN", "FAIL"),
        )  # fmt: skip


def _named(row: Mapping[str, Any], condition: Mapping[str, Any]) -> list[str]:
    """Columns of the check's value that the condition's text names: the text itself may quote cells, and is not kept."""
    said = condition.get("More Info")
    columns = part(row, "value")
    known = columns.get("columns") if isinstance(columns.get("columns"), Mapping) else columns
    if not isinstance(said, str) or not isinstance(known, Mapping):
        return []
    return [words(name, 80) for name in list(known)[:2_000] if isinstance(name, str) and f"'{name}'" in said]


def _drift(row: Mapping[str, Any]) -> Iterator[ReportedDrift]:
    conditions = [condition for _, condition in rows(row, "conditions_results")]
    failed = {name for each in conditions if each.get("Status") != "PASS" for name in _named(row, each)}
    judged = any(each.get("Status") in ("PASS", "WARN", "FAIL") for each in conditions)
    for name, found in list(part(row, "value").items())[:2_000]:
        raw = found.get("Drift score") if isinstance(found, Mapping) else None
        score = figure(raw.get("value") if isinstance(raw, Mapping) else raw)
        if score is not None and words(name):
            yield ReportedDrift(
                words(name), words(found.get("Method"), 60), score, None, words(name) in failed if judged else None
            )
