"""Real files of others, read where they are: MLmodel of MLflow 1, 2 and 3, and Hugging Face's own test cards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from governance.prefill.reading import Reading, read_source
from tests.governance.prefill.looking import advice, errors, values


def _read(shared_data: Path, name: str) -> Reading:
    path = shared_data / "model_metadata" / name
    return read_source(path.name, path.read_bytes())


SKLEARN: dict[str, Any] = {
    "model.predict_method": "predict",
    "model.framework": "scikit-learn",
    "model.serialization": "cloudpickle",
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mlflow-1x-sklearn.MLmodel", {"model.framework_version": "1.5.2", "model.signature_present": False}),
        (
            "bank-credit.MLmodel",
            {"model.framework_version": "1.5.2", "model.signature_present": False, "model.size_bytes": 358068},
        ),
        (
            "credit-risk-mlflow3.MLmodel",
            {
                "model.framework_version": "1.7.1",
                "model.signature_present": False,
                "model.size_bytes": 301728,
                "training.run_id": "10d9bd0789bd4a9aa4bbdb21cf9355b2",
            },
        ),
        (
            "mslearn-diabetes.MLmodel",
            {
                "model.framework_version": "0.24.1",
                "model.signature_present": True,
                "training.run_id": "calm_garden_gzd94mfzcr",
                "model.features": [
                    "Pregnancies",
                    "PlasmaGlucose",
                    "DiastolicBloodPressure",
                    "TricepsThickness",
                    "SerumInsulin",
                    "BMI",
                    "DiabetesPedigree",
                    "Age",
                ],
            },
        ),
    ],
)
def test_real_mlmodel_files(shared_data: Path, name: str, expected: dict[str, Any]) -> None:
    reading = _read(shared_data, name)
    assert reading.reader == "mlflow_mlmodel"
    assert values(reading) == {**SKLEARN, **expected}
    assert errors(reading) == []
    assert any("cloudpickle" in words for words in advice(reading))
    assert any("no signature" in words for words in advice(reading)) is not expected["model.signature_present"]


def test_a_windows_path_is_named_without_repeating_it(shared_data: Path) -> None:
    found = advice(_read(shared_data, "credit-risk-mlflow3.MLmodel"))
    assert any(words.startswith("artifact_path: ") and "Windows drive" in words for words in found)
    assert not any("skillrack" in words or "Users" in words for words in found)


@pytest.mark.parametrize(
    ("name", "expected", "problem"),
    [
        (
            "hf/sample_simple_model_index.md",
            {
                "model.framework": "timm",
                "model.license": "mit",
                "data.sources": ["beans"],
                "model.name": "my-cool-model",
                "performance.metrics": {"accuracy": 0.9, "f1": 0.66},
                "performance.metric": "accuracy",
                "performance.candidate": 0.9,
                "model.task": "image-classification",
            },
            "",
        ),
        (
            "hf/sample_invalid_model_index.md",
            {"model.framework": "timm", "model.license": "mit", "data.sources": ["beans"], "model.name": "my-cool-model"},
            "model-index[0].results[0]: A result needs dataset with type and name",
        ),
        (
            "hf/sample_invalid_card_data.md",
            {},
            "front matter: The front matter has to be a mapping of names to values; found a list.",
        ),
        ("hf/sample_no_metadata.md", {}, ""),
        ("hf/sample_windows_line_breaks.md", {"model.license": "mit"}, ""),
        ("hf/modelcard_template.md", {}, ""),
    ],
)
def test_hugging_face_cards(shared_data: Path, name: str, expected: dict[str, Any], problem: str) -> None:
    reading = _read(shared_data, name)
    assert reading.reader == "huggingface_card"
    assert values(reading) == expected
    found = errors(reading)
    assert len(found) == (1 if problem else 0)
    assert all(words.startswith(problem) for words in found)


def test_a_card_without_metadata_is_told_what_to_add(shared_data: Path) -> None:
    assert any("no metadata between two --- lines" in words for words in advice(_read(shared_data, "hf/sample_no_metadata.md")))


@pytest.mark.parametrize("name", ["cyclonedx/valid-machine-learning-1.7.json", "sagemaker_model_card_schema.json"])
def test_other_formats_are_not_taken_for_metrics(shared_data: Path, name: str) -> None:
    reading = _read(shared_data, name)
    assert (reading.reader, reading.facts) == (None, ())
