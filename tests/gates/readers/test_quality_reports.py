"""Evidently's and Deepchecks' reports as evidence: real files, what counts and what does not, and nothing that breaks a check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gates import registry
from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import data_quality, drift
from gates.pictures.render import draw
from gates.readers import quality_reports
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict
from governance.prefill import deepchecks_report, evidently_report
from tests.gates.readers.model_files import evidence

DATA = Path(__file__).resolve().parents[2] / "data"
EVIDENTLY, DEEPCHECKS = DATA / "reports" / "evidently-0.7.23.quality.json", DATA / "reports" / "deepchecks-0.19.1.data.json"
ROLE = "data_quality_report"


def report(path: Path) -> EvidenceInput:
    return evidence(ROLE, path)


def quality(path: Path) -> tuple[Collected, GateResult]:
    found = data_quality.collect(Inputs({ROLE: report(path)}))
    gate = registry.gate("GD101")
    return found, gate.judge(Measured(found.measures, {"data_quality": found.not_measured}), gate.limits)


def written(folder: Path, name: str, data: Any) -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_evidently_s_failed_tests_of_data_quality_fail_like_expectations() -> None:
    found, result = quality(EVIDENTLY)
    assert result.verdict is Verdict.FAIL
    assert result.says == "Column “income”: Column 'income' missing values: Less or Equal 0.010."
    assert any("Duplicated row count in dataset: Equal 0.000" in note for note in result.notes)
    assert [(row.value, row.n) for row in found.measures if row.metric == "quality.failed_expectations"] == [(2.0, 5)]
    assert any("1 tests are about something else" in note for note in found.notes), "drift is not data quality"
    assert [row.value for row in found.measures if row.metric == "quality.failed_expectation"] == [45.0, 5.0]


def test_deepchecks_conditions_fail_or_warn_and_what_it_did_not_run_is_named() -> None:
    found, result = quality(DEEPCHECKS)
    assert result.verdict is Verdict.FAIL and "“same”" in result.says and "only a single value" in result.says
    assert result.notes == ("The table: Data Duplicates - Test Dataset: Duplicate data ratio is less or equal to 0%.",)
    assert any("did not run Date Train Test Leakage Overlap, Train Test Performance" in note for note in found.notes)


def test_a_report_of_drift_alone_says_nothing_about_quality(tmp_path: Path) -> None:
    for name in ("evidently-0.7.23.report.json", "deepchecks-0.19.1.suite.json"):
        found, result = quality(DATA / "metadata" / name)
        assert result.verdict is Verdict.NOT_ASSESSED and "report on the data's quality" in found.not_measured


def test_warnings_errors_and_what_was_left_out(tmp_path: Path) -> None:
    data = json.loads(EVIDENTLY.read_text())
    row = next(test for test in data["tests"] if test["metric_config"]["params"]["type"].endswith("RowCount"))
    for status, verdict in (("WARNING", Verdict.WARN), ("ERROR", Verdict.FAIL), ("odd", Verdict.FAIL), ("SUCCESS", Verdict.PASS)):
        path = written(tmp_path, "e.json", {"metrics": data["metrics"], "tests": [{**row, "status": status}]})
        assert quality(path)[1].verdict is verdict, status
    found, _ = quality(written(tmp_path, "e.json", {"metrics": data["metrics"], "tests": [{**row, "status": "SKIPPED"}]}))
    assert found.not_measured
    suite = json.loads(DEEPCHECKS.read_text())
    check = next(row for row in suite["results"] if row["header"] == "Data Duplicates - Train Dataset")
    check["conditions_results"][0].update(Status="ERROR", **{"More Info": "ValueError: 4111 1111 1111 1111"})
    found, result = quality(written(tmp_path, "d.json", check))
    assert result.verdict is Verdict.FAIL and "could not be evaluated" in result.says
    assert "4111" not in repr(found), "what a report printed is not kept"


def test_a_distance_is_large_and_a_p_value_small_where_a_column_drifted() -> None:
    def metric(method: str, value: Any, threshold: Any = 0.1) -> dict[str, Any]:
        config = {"type": "evidently:metric_v2:ValueDrift", "column": "a", "method": method, "threshold": threshold}
        return {"metrics": [{"id": "1", "config": config, "value": value}], "tests": []}

    for method, value, drifted in (
        ("PSI", 0.1, True), ("PSI", 0.099, False), ("K-S p_value", 0.1, False), ("K-S p_value", 0.099, True), ("PSI", None, None),
    ):  # fmt: skip
        (found,) = evidently_report.report_of(metric(method, value)).drift
        assert found.drifted is drifted, (method, value)
    (found,) = evidently_report.report_of(metric("PSI", 0.3, "much")).drift
    assert found.drifted is None


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, EvidenceInput]:
    """`age` moves here as Evidently says; `region` does not, though it says so."""
    folder = tmp_path_factory.mktemp("samples")
    generator = np.random.default_rng(5)
    found = {}
    for role, shift in (("reference_sample", 0), ("current_sample", 15)):
        frame = pd.DataFrame({
            "age": generator.normal(40 + shift, 10, 800), "income": generator.lognormal(10, 0.5, 800),
            "region": generator.choice(["N", "S", "W"], 800),
        })  # fmt: skip
        frame.to_parquet(folder / f"{role}.parquet")
        found[role] = evidence(role, folder / f"{role}.parquet")
    return found


def test_reported_drift_is_shown_beside_ours_and_decides_nothing(samples: dict[str, EvidenceInput]) -> None:
    gate = registry.gate("GD104")
    alone = drift.collect(Inputs(samples))
    both = drift.collect(Inputs({**samples, ROLE: report(EVIDENTLY)}))
    without, result = (gate.judge(Measured(each.measures), gate.limits) for each in (alone, both))
    assert (result.verdict, result.observed, result.says) == (without.verdict, without.observed, without.says)
    assert both.facts == alone.facts, "no fact comes from a report"
    (note,) = set(result.notes) - set(without.notes)
    assert note.startswith(
        "region: Evidently reports drift (chi-square p_value: 2.26e-112, its limit 0.05); measured here: PSI 0."
    )
    assert any("Evidently reports drift in 2 of 3 columns (age, region)" in note for note in both.notes)
    (picture,) = [each for each in both.pictures if each.key == "drift_reported"]
    assert draw(picture.spec) and picture.rows[0][0] == "age" and picture.rows[0][2] == "drift"
    spoken = drift.collect(Inputs({**samples, ROLE: report(DEEPCHECKS)}))
    assert any("Deepchecks reports drift in 1 of 4 columns (age)" in note for note in spoken.notes)


def test_without_samples_reported_drift_does_not_stand_for_a_measurement(tmp_path: Path) -> None:
    found = drift.collect(Inputs({ROLE: report(EVIDENTLY)}))
    assert not found.measures and "needs both samples" in found.not_measured
    assert "Evidently reports drift in 2 of 3 columns" in found.not_measured and "decides nothing" in found.not_measured
    broken = drift.collect(Inputs({ROLE: report(written(tmp_path, "b.json", EVIDENTLY.read_text()[:400]))}))
    assert "could not be read" in broken.not_measured
    assert "needs both samples" in drift.collect(Inputs()).not_measured


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"metrics": [{"config": {"type": "evidently:metric_v2:RowCount"', "no JSON"),
        ('{"type": "SuiteResult"', "no JSON"),
        ('["CheckResult"]', "another document"),
        ('{"type": "SuiteResult", "results": 3}', "another document"),
        ('{"CheckResult": ' + "[" * 100_000, "nests without end"),
    ],
)
def test_what_is_none_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = report(written(tmp_path, "x.json", text))
    assert quality_reports.looks_like(file)
    with pytest.raises(EvidenceProblem, match=words):
        quality_reports.read(file)


def test_nan_as_both_tools_write_it_is_no_value(tmp_path: Path) -> None:
    text = EVIDENTLY.read_text().replace("0.2557660907963351", "NaN")
    drifts = {each.column: each for each in quality_reports.read(report(written(tmp_path, "n.json", text))).drift}
    assert drifts["income"].score is None and drifts["income"].drifted is False, "its own test said so"


NOISE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["CheckResult", "SuiteResult", "evidently:metric_v2:ValueDrift", "FAIL", "PASS", "Feature Drift"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["metrics", "tests", "config", "type", "value", "results", "check", "name", "status", "metric_config",
                         "params", "conditions_results", "Status", "More Info", "Drift score", "id", "a"]),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(NOISE, NOISE)
def test_nothing_breaks_the_reading(one: Any, two: Any) -> None:
    check = {"type": "CheckResult", "check": one, "conditions_results": [two], "value": one}
    for data in (one, {"metrics": [one, two], "tests": [two]}, {"type": "SuiteResult", "results": [one, check]}, check):
        for tool in (evidently_report, deepchecks_report):
            tool.is_report(data)
            assert len(repr(tool.report_of(data))) < 100_000
