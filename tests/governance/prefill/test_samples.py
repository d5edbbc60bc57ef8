"""Every sample made with the named tools gives exactly these facts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.domain.vocabulary import Assurance
from governance.prefill.reading import Reading
from tests.governance.prefill.looking import advice, errors, fact, values

Sample = Callable[[str], Reading]
RUN = "cfb9fffd7d7f43ab9a2a26f69a098829"
METRICS = {
    "auc": 0.91,
    "score": 0.855,
    "true_negatives": 173.0,
    "false_positives": 24.0,
    "false_negatives": 34.0,
    "true_positives": 169.0,
    "example_count": 400.0,
    "accuracy_score": 0.855,
    "recall_score": 0.8325123152709359,
    "precision_score": 0.8756476683937824,
    "f1_score": 0.8535353535353535,
    "log_loss": 0.3549502247042428,
    "roc_auc": 0.9228326373434023,
    "precision_recall_auc": 0.9331298290569798,
}


def test_mlmodel_of_mlflow_3(sample: Sample) -> None:
    reading = sample("mlflow-3.17.2.MLmodel.yaml")
    assert reading.reader == "mlflow_mlmodel"
    assert reading.media == "application/yaml"
    assert reading.problems == ()
    assert values(reading) == {
        "model.predict_method": "predict",
        "model.framework": "scikit-learn",
        "model.framework_version": "1.9.1",
        "model.serialization": "skops",
        "model.signature_present": True,
        "model.features": ["age", "income", "tenure", "region_code"],
        "training.run_id": RUN,
        "model.size_bytes": 11590,
        "system.owner": "risk-ml",
        "model.intended_use": "credit limit",
    }
    assert fact(reading, "model.features").locator == "signature.inputs[0..3].name"
    assert fact(reading, "system.owner").locator == "metadata.owner"


def test_run(sample: Sample) -> None:
    reading = sample("mlflow-3.17.2.run.json")
    assert reading.reader == "mlflow_run"
    found = values(reading)
    parameters = found.pop("training.parameters")
    assert (parameters["C"], len(parameters)) == ("0.5", 14)
    assert found == {
        "training.run_id": RUN,
        "training.started_at": "2026-11-21T05:19:12.703Z",
        "training.ended_at": "2026-11-21T05:19:27.892Z",
        "training.contributors": ["root"],
        "training.code_commit": "deadbeef",
        "training.dataset_digest": "e75f0b96",
        "system.owner": "risk",
        "performance.metrics": METRICS,
        "performance.metric": "roc_auc",
        "performance.candidate": 0.9228326373434023,
        "model.architecture": "LogisticRegression",
        "data.sources": ["s3://bucket/credit.parquet"],
        "data.columns": ["age", "income", "tenure", "region_code", "y"],
        "model.feature_sources": {
            name: ["s3://bucket/credit.parquet"] for name in ("age", "income", "tenure", "region_code", "y")
        },
    }
    assert fact(reading, "performance.candidate").locator == "data.metrics.roc_auc"
    assert fact(reading, "data.sources").locator == "inputs.dataset_inputs[0].dataset.source"
    assert errors(reading) == []
    assert len(advice(reading)) == 1
    assert "placeholder" in advice(reading)[0]


def test_logged_model(sample: Sample) -> None:
    reading = sample("mlflow-3.17.2.logged_model.json")
    assert reading.reader == "mlflow_logged_model"
    assert reading.problems == ()
    found = values(reading)
    assert len(found.pop("training.parameters")) == 14
    assert found == {
        "training.run_id": RUN,
        "training.contributors": ["root"],
        "model.architecture": "LogisticRegression",
        "performance.metrics": METRICS,
        "performance.metric": "roc_auc",
        "performance.candidate": 0.9228326373434023,
        "evaluation.dataset_digest": "e75f0b96",
    }
    assert fact(reading, "performance.candidate").locator == "metrics[25].value"
    assert fact(reading, "evaluation.dataset_digest").locator == "metrics[25].dataset_digest"


def test_model_version(sample: Sample) -> None:
    reading = sample("mlflow-3.17.2.model_version.json")
    assert reading.reader == "mlflow_model_version"
    assert reading.problems == ()
    assert values(reading) == {"model.name": "credit-risk", "training.run_id": RUN}


def test_card(sample: Sample) -> None:
    reading = sample("hf-model-card.README.md")
    assert reading.reader == "huggingface_card"
    assert reading.media == "text/markdown"
    assert reading.problems == ()
    assert values(reading) == {
        "model.framework": "scikit-learn",
        "model.license": "apache-2.0",
        "data.sources": ["acme/credit"],
        "model.name": "credit-risk",
        "performance.metrics": {"roc_auc": 0.91},
        "performance.metric": "roc_auc",
        "performance.candidate": 0.91,
        "evaluation.dataset_digest": "e75f0b96",
        "model.task": "tabular-classification",
    }
    assert fact(reading, "performance.candidate").locator == "model-index[0].results[0].metrics[0].value"
    assert fact(reading, "evaluation.dataset_digest").locator == "model-index[0].results[0].dataset.revision"


def test_validation_result(sample: Sample) -> None:
    reading = sample("gx-1.24.1.validation_result.json")
    assert reading.reader == "great_expectations"
    assert reading.problems == ()
    assert values(reading) == {
        "data.quality.evaluated": 2,
        "data.quality.failed": [
            {
                "expectation": "expect_column_values_to_be_between",
                "column": "age",
                "count": 1,
                "percent": 33.33333333333333,
                "severity": "critical",
            },
            {
                "expectation": "expect_column_values_to_not_be_null",
                "column": "target",
                "count": 1,
                "percent": 25.0,
                "severity": "warning",
            },
        ],
        "data.columns": ["age", "target"],
        "data.snapshot_date": "2026-11-21",
    }
    assert fact(reading, "data.snapshot_date").locator == "meta.batch_markers.ge_load_time"


@pytest.mark.parametrize("name", ["deepchecks-0.19.1.suite.json", "evidently-0.7.23.report.json"])
def test_reports_of_drift_alone_fill_nothing_and_are_sent_to_evidence(sample: Sample, name: str) -> None:
    reading = sample(name)
    assert (reading.reader, reading.facts) == (name.partition("-")[0], ())
    said = " ".join(advice(reading))
    assert "tests nothing about the data's quality" in said and "upload the same file as data_quality_report" in said


def test_what_nobody_reads_is_named_with_what_is_read(read: Callable[..., Reading]) -> None:
    (said,) = errors(read("report.json", {"outcome": "fine"}))
    assert "is not recognised; these are read: " in said and "MLflow MLmodel" in said and "upload it as evidence" in said


def test_every_fact_says_where_it_comes_from(sample: Sample, metadata: Path) -> None:
    names = sorted(path.name for path in metadata.iterdir())
    assert len(names) >= 19
    seen = 0
    for name in names:
        digest = "sha256:" + hashlib.sha256((metadata / name).read_bytes()).hexdigest()
        for found in sample(name).facts:
            seen += 1
            assert (found.assurance, found.origin, found.digest) == (Assurance.FILE, name, digest)
            assert found.locator
    assert seen > 40
