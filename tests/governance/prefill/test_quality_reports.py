"""Evidently's and Deepchecks' tests of data quality fill what Great Expectations' results fill, from real reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.prefill.reading import Reading
from tests.governance.prefill.looking import advice, errors, fact, values

REPORTS = Path(__file__).parents[2] / "data" / "reports"
Read = Callable[..., Reading]


def test_evidently(read: Read) -> None:
    reading = read("evidently.json", (REPORTS / "evidently-0.7.23.quality.json").read_bytes())
    assert reading.reader == "evidently" and not errors(reading)
    assert values(reading)["data.quality.evaluated"] == 5
    failed = values(reading)["data.quality.failed"]
    assert [(row["expectation"], row["column"], row["count"], row["severity"]) for row in failed] == [
        ("MissingValueCount", "income", 45, "critical"),
        ("DuplicatedRowCount", "", 5, "critical"),
    ]
    assert failed[0]["percent"] == pytest.approx(5.59, abs=0.01)
    assert fact(reading, "data.quality.failed").locator == "tests"
    assert any("Reported drift is evidence" in line for line in advice(reading))


def test_deepchecks(read: Read) -> None:
    data = json.loads((REPORTS / "deepchecks-0.19.1.data.json").read_bytes())
    reading = read("suite.json", data)
    assert reading.reader == "deepchecks"
    assert all("This value is nan" in line for line in errors(reading)), "Deepchecks writes NaN where it has no importance"
    assert values(reading)["data.quality.evaluated"] == 9
    assert [(row["expectation"], row["column"], row["severity"]) for row in values(reading)["data.quality.failed"]] == [
        ("Is Single Value", "same", "critical"),
        ("Is Single Value", "same", "critical"),
        ("Data Duplicates", "", "warning"),
    ]
    assert any("did not run: Date Train Test Leakage Overlap, Train Test Performance" in line for line in advice(reading))
    one = next(row for row in data["results"] if row["header"] == "Data Duplicates - Test Dataset")
    broken = {**one, "conditions_results": [{"Status": "ERROR", "Condition": "x"}]}
    alone = read("check.json", broken)
    assert fact(alone, "data.quality.failed").locator == "conditions_results"
    assert values(alone)["data.quality.failed"][0]["error"] is True


def test_what_tells_nothing_is_left_out(read: Read) -> None:
    """Parts that are no tests of a report cost nothing but themselves."""
    metric = {"id": "1", "config": {"type": "evidently:metric_v2:Accuracy"}, "value": 0.9}
    test = {"status": "FAIL", "name": "Accuracy", "metric_config": {"metric_id": "1", "params": metric["config"]}}
    skipped = {**test, "status": "SKIPPED", "metric_config": {"params": {"type": "evidently:metric_v2:RowCount"}}}
    unnamed = {"config": {"type": "evidently:metric_v2:ValueDrift"}}
    reading = read("e.json", {"metrics": [metric, unnamed, 3], "tests": [test, skipped, None]})
    assert not reading.facts and any("did not run: Accuracy" in line for line in advice(reading))
    checks = [
        {"type": "CheckResult", "check": {"name": "Train Test Performance"}, "conditions_results": [{"Status": "FAIL"}]},
        {"type": "CheckResult", "check": {"name": "Columns Info"}},
        {"type": "CheckResult", "check": {"name": "Model Info"}},
        {"type": "CheckResult", "check": {"name": "Feature Drift"}, "value": {"a": 3, "b": {"Drift score": "x"}}},
        {"type": "CheckResult", "check": {"name": "Mixed Nulls"}, "value": {"columns": 3},
         "conditions_results": [{"Status": "FAIL", "More Info": 3}]},
        {"type": "Other"},
    ]  # fmt: skip
    reading = read("d.json", {"type": "SuiteResult", "results": checks})
    assert values(reading)["data.quality.evaluated"] == 1
    assert read("list.json", [1]).reader is None
