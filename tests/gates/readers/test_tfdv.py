"""TFDV's anomalies and statistics: text and JSON say the same; the gate names column and reason; what is none is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gates.catalog import gd101_data_quality as gd101
from gates.collecting import EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import data_quality
from gates.readers import tfdv
from gates.spec import Measured
from governance.domain.vocabulary import Verdict

# as tfdv.write_anomalies_text writes it (the Chicago taxi example of TFDV's guide)
TEXT = """
baseline {
  feature { name: "payment_type" type: BYTES }
  feature { name: "company" type: BYTES }
  feature { name: "tips" type: FLOAT }
}
anomaly_info {
  key: "payment_type"
  value {
    description: "Examples contain values missing from the schema: Prcard (<1%). "
    severity: ERROR
    short_description: "Unexpected string values"
    reason {
      type: ENUM_TYPE_UNEXPECTED_STRING_VALUES
      short_description: "Unexpected string values"
      description: "Examples contain values missing from the schema: Prcard (<1%). "
    }
    path { step: "payment_type" }
  }
}
anomaly_info {
  key: "company"
  value {
    severity: WARNING
    reason {
      type: FEATURE_TYPE_LOW_FRACTION_PRESENT
      short_description: "Column dropped"
      description: "The feature was present in fewer examples than \\"expected\\"."
    }
    path { step: "company" }
  }
}
anomaly_name_format: SERIALIZED_PATH
"""
JSON: dict[str, Any] = {
    "baseline": {"feature": [{"name": "payment_type"}, {"name": "company"}, {"name": "tips"}]},
    "anomalyInfo": {
        "payment_type": {
            "severity": "ERROR",
            "reason": [
                {
                    "type": "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
                    "shortDescription": "Unexpected string values",
                    "description": "Examples contain values missing from the schema: Prcard (<1%). ",
                }
            ],
            "path": {"step": ["payment_type"]},
        },
        "company": {
            "severity": "WARNING",
            "reason": [
                {
                    "type": "FEATURE_TYPE_LOW_FRACTION_PRESENT",
                    "shortDescription": "Column dropped",
                    "description": 'The feature was present in fewer examples than "expected".',
                }
            ],
            "path": {"step": ["company"]},
        },
    },
}
STATISTICS: dict[str, Any] = {
    "datasets": [
        {
            "name": "serving",
            "numExamples": "4000",
            "features": [
                {"path": {"step": ["tips"]}, "type": "FLOAT", "numStats": {"commonStats": {"numNonMissing": "3000"}}},
                {
                    "name": "company",
                    "type": "STRING",
                    "stringStats": {"commonStats": {"numNonMissing": "3960", "numMissing": "40"}},
                },
                {"path": {"step": ["fare"]}, "type": "FLOAT", "numStats": {"commonStats": {"numNonMissing": "4000"}}},
            ],
        }
    ]
}


def report(folder: Path, content: str) -> EvidenceInput:
    path = folder / "anomalies.pbtxt"
    path.write_text(content)
    return EvidenceInput("data_quality_report", str(path), path.name, "a" * 64)


def test_text_and_json_say_the_same(tmp_path: Path) -> None:
    text = tfdv.read(report(tmp_path, TEXT))
    assert text == tfdv.read(report(tmp_path, json.dumps(JSON)))
    snake = json.dumps(JSON).replace("anomalyInfo", "anomaly_info").replace("shortDescription", "short_description")
    assert text == tfdv.read(report(tmp_path, snake))
    assert text.checked == 3
    assert [(row.column, row.severity) for row in text.anomalies] == [("payment_type", "critical"), ("company", "warning")]


def test_the_gate_names_column_and_reason(tmp_path: Path) -> None:
    collected = data_quality.collect(Inputs({"data_quality_report": report(tmp_path, TEXT)}))
    result = gd101.judge(Measured(collected.measures), gd101.LIMITS)
    assert result.verdict is Verdict.FAIL
    assert "payment_type" in result.says and "Prcard" in result.says
    assert any("company" in note and 'fewer examples than "expected"' in note for note in result.notes)
    none = report(tmp_path, json.dumps({"baseline": JSON["baseline"]}) + " " * 0)
    clean = tfdv.read(none)
    assert clean.anomalies == () and clean.checked == 3


def test_no_anomaly_passes_and_only_warnings_warn(tmp_path: Path) -> None:
    def verdict(document: dict[str, Any]) -> Verdict:
        collected = data_quality.collect(Inputs({"data_quality_report": report(tmp_path, json.dumps(document))}))
        return gd101.judge(Measured(collected.measures), gd101.LIMITS).verdict

    assert verdict({"anomalyInfo": {}, "baseline": JSON["baseline"]}) is Verdict.PASS
    assert verdict({**JSON, "anomalyInfo": {"company": JSON["anomalyInfo"]["company"]}}) is Verdict.WARN
    whole = {
        "datasetAnomalyInfo": {"severity": "ERROR", "reason": [{"type": "DATASET_LOW_NUM_EXAMPLES", "description": "Too few."}]}
    }
    assert verdict(whole) is Verdict.FAIL


def test_statistics_give_rows_and_missing_values(tmp_path: Path) -> None:
    collected = data_quality.collect(Inputs({"data_quality_report": report(tmp_path, json.dumps(STATISTICS))}))
    measured = Measured(collected.measures)
    rows = measured.one("quality.rows")
    assert rows is not None and rows.value == 4_000
    shares = {row.group: row.value for row in measured.all("quality.reported_missing")}
    assert shares == {"column=tips": 0.25, "column=company": 0.01}
    assert gd101.judge(measured, gd101.LIMITS).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "content",
    [
        'anomaly_info { key: "a" value { severity: ERROR',
        "anomaly_info } {",
        '{"anomalyInfo": ',
        '["anomalyInfo"]',
        "anomaly_info " + "{ x " * 60,
        "\x00anomaly_info\x01",
    ],
)
def test_what_is_broken_is_named_with_the_way_out(tmp_path: Path, content: str) -> None:
    with pytest.raises(EvidenceProblem, match="write_anomalies_text"):
        tfdv.read(report(tmp_path, content))
