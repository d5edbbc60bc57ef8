"""Real files of others, read where they are: MLmodel of MLflow 1, 2 and 3, and Hugging Face's own test cards."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("name", ["cyclonedx/bom-1.7.schema.json", "sagemaker_model_card_schema.json"])
def test_schemas_are_not_taken_for_what_they_describe(shared_data: Path, name: str) -> None:
    reading = _read(shared_data, name)
    assert (reading.reader, reading.facts) == (None, ())


def test_the_example_of_the_cyclonedx_specification(shared_data: Path) -> None:
    reading = _read(shared_data, "cyclonedx/valid-machine-learning-1.7.json")
    found = values(reading)
    assert reading.reader == "cyclonedx_model"
    assert (found["model.name"], found["model.task"]) == ("stable-diffusion", "task goes here")
    assert found["data.sources"] == ["https://example.com/path/to/dataset"]
    assert "performance.metrics" not in found
    place = "components[0].modelCard.quantitativeAnalysis.performanceMetrics[0].value: "
    assert len(errors(reading)) == 1 and errors(reading)[0].startswith(place)


def test_every_property_of_the_sagemaker_schema_that_is_a_text_may_be_a_list(shared_data: Path) -> None:
    """Exports write lists where the schema says text; what is read must not depend on it."""
    schema = json.loads((shared_data / "model_metadata" / "sagemaker_model_card_schema.json").read_text())["properties"]
    texts = {
        part: [name for name, kind in held["properties"].items() if kind.get("type") == "string"]
        for part, held in schema.items()
        if held["type"] == "object"
    }
    plain = {part: {name: f"{part} {name}" for name in names} for part, names in texts.items()}
    listed = {part: {name: [words] for name, words in held.items()} for part, held in plain.items()}
    as_text, as_list = (values(read_source("card.json", json.dumps(card).encode())) for card in (plain, listed))
    assert as_text == as_list
    assert "model_overview model_owner" in as_text["system.owner"]
