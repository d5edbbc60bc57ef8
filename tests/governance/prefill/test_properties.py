"""Whatever the bytes: a reading, facts that can be stored and hashed, and no reader that trips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from governance.domain.canonical import digest
from governance.domain.facts import FactSet
from governance.prefill.derive import derive
from governance.prefill.fact_types import FACT_TYPES, check_value
from governance.prefill.reading import Reading, read_source

FOLDER = Path(__file__).parents[2] / "data" / "metadata"
SAMPLES = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir())}
NAMES = [*SAMPLES, "MLmodel", "README.md", "metrics.json", "x"]

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "NaN", "[]", '{"uri": "s3://a"}', '[{"name": "age"}]', "2026-11-21", "guiderail", "\ud800", "1e400"])
)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6
)
questions = st.dictionaries(st.sampled_from(sorted(FACT_TYPES)), anything, max_size=4)


def check(reading: Reading) -> None:
    """What holds for every reading, whatever was read."""
    assert isinstance(reading, Reading)
    assert not any("could not go on" in problem.detail for problem in reading.problems), reading.problems
    assert reading.facts or reading.problems or reading.reader is not None
    for problem in reading.problems:
        assert problem.detail and "\n" not in problem.detail and len(problem.detail) < 1_500
    facts = FactSet.of(reading.facts)
    assert digest(facts.to_json()).startswith("sha256:")
    for fact in reading.facts:
        json.dumps(fact.to_json()).encode().decode("utf-8")
        assert fact.name in FACT_TYPES, fact.name
        assert fact.value is None or check_value(fact.name, fact.value) == (fact.value, ""), fact
    for champion in (None, facts):
        found = derive(
            facts, champion=champion, champion_version="1", approved_sources=["s3://"], approved_features=[], approvals={}
        )
        digest(FactSet.of(found).to_json())
        assert all(fact.assurance <= 3 for fact in found)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    rows = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        rows += _paths(item, (*path, key))
    return rows


def _replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copy


JSON_SAMPLES = {name: json.loads(data) for name, data in SAMPLES.items() if name.endswith(".json")}
JSON_PLACES = [(name, path) for name, value in JSON_SAMPLES.items() for path in _paths(value)]
MLMODEL = yaml.safe_load(SAMPLES["mlflow-3.17.2.MLmodel.yaml"])
CARD = yaml.safe_load(SAMPLES["hf-model-card.README.md"].decode().split("---")[1])


@given(st.sampled_from(NAMES), st.binary(max_size=300))
def test_arbitrary_bytes(name: str, data: bytes) -> None:
    check(read_source(name, data))


@given(st.text(max_size=30), st.text(max_size=300))
@example("README.md", "---\n{{ card_data }}\n---\n# x")
@example("x.md", "---\r\n? [a]\r\n: b\r\n---\r\n")
def test_arbitrary_text(name: str, words: str) -> None:
    check(read_source(name, words.encode("utf-8", "surrogatepass")))


@given(st.sampled_from(list(SAMPLES)), st.integers(0, 9_000), st.integers(0, 40), st.binary(max_size=12))
def test_samples_with_bytes_changed(name: str, at: int, cut: int, new: bytes) -> None:
    data = SAMPLES[name]
    at %= len(data)
    check(read_source(name, data[:at] + new + data[at + cut :]))


@given(st.sampled_from(JSON_PLACES), anything)
def test_json_samples_with_a_value_replaced(place: tuple[str, tuple[str | int, ...]], new: Any) -> None:
    name, path = place
    check(read_source(name, json.dumps(_replaced(JSON_SAMPLES[name], path, new)).encode()))


@given(st.sampled_from(_paths(MLMODEL)), anything)
def test_mlmodel_with_a_value_replaced(path: tuple[str | int, ...], new: Any) -> None:
    words = json.dumps(_replaced(MLMODEL, path, new), allow_nan=True)
    check(read_source("MLmodel", words.encode()))
    check(read_source("MLmodel", yaml.safe_dump(json.loads(words), sort_keys=False).encode("utf-8", "surrogatepass")))


@given(st.sampled_from(_paths(CARD)), anything, st.text(max_size=100))
def test_card_with_a_value_replaced(path: tuple[str | int, ...], new: Any, body: str) -> None:
    front = yaml.safe_dump(_replaced(CARD, path, new))
    check(read_source("README.md", f"---\n{front}---\n{body}".encode("utf-8", "surrogatepass")))


@given(questions)
def test_the_convention_with_any_value(block: dict[str, Any]) -> None:
    check(read_source("MLmodel", json.dumps({**MLMODEL, "metadata": {"guiderail": block}}).encode()))
    tags = {f"guiderail.{name}": json.dumps(value) for name, value in block.items()}
    run = _replaced(JSON_SAMPLES["mlflow-3.17.2.run.json"], ("data", "tags"), tags)
    check(read_source("run.json", json.dumps(run).encode()))


@given(
    st.recursive(
        st.none() | st.floats() | st.sampled_from(["results", "a\nb"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "results",
                        "success",
                        "meta",
                        "statistics",
                        "run_results",
                        "validation_results",
                        "validation_result",
                        "expectation_config",
                        "kwargs",
                        "column",
                        "type",
                        "metrics",
                        "model",
                        "info",
                        "data",
                        "flavors",
                        "signature",
                        "inputs",
                        "dataset_inputs",
                        "dataset",
                        "tags",
                        "key",
                        "value",
                        "name",
                        "version",
                        "aliases",
                        "run",
                        "run_id",
                        "model_id",
                        "source_run_id",
                        "model_version",
                        "params",
                        "guiderail",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=25,
    )
)
def test_documents_of_known_names_in_unknown_shapes(value: Any) -> None:
    check(read_source("x.json", json.dumps(value).encode()))


CARD_NAMES = [
    "model_overview", "model_owner", "algorithm_type", "intended_uses", "risk_rating", "evaluation_details", "metric_groups",
    "metric_data", "training_details", "training_job_details", "hyper_parameters", "container_image", "training_environment",
    "additional_information", "custom_details", "Content", "ModelCardName", "ModelCard", "ModelCardContent", "CreatedBy",
    "model_details", "owners", "licenses", "model_parameters", "sensitive", "sensitive_data", "quantitative_analysis",
    "performance_metrics", "considerations", "limitations", "slice", "type", "value", "name", "data", "error", "workspace", "",
    "bomFormat", "components", "metadata", "component", "modelCard", "modelParameters", "datasets", "ref", "bom-ref", "hashes",
    "properties", "quantitativeAnalysis", "performanceMetrics", "licenses", "pedigree", "contents", "@context", "@type", "@id",
    "conformsTo", "recordSet", "field", "source", "extract", "dataType", "rai:personalSensitiveInformation", "rai:dataBiases",
    "rai:dataCollectionTimeframe", "items", "size", "artifactType", "customProperties", "registeredModelId", "metadataType",
    "int_value", "string_value", "modelFormatName", "stages", "deps", "outs", "cmd", "params", "artifacts", "package", "version",
]  # fmt: skip
said = st.none() | st.sampled_from(
    ["CycloneDX", "machine-learning-model", "http://mlcommons.org/croissant/1.0", "Dataset", "model-artifact", "metric", "auc",
     "0.9", "test", "none", "2026-01-01", "{}", "guiderail.data.sources", "High", 0.5, 3, True]
)  # fmt: skip
card = st.recursive(
    said,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(CARD_NAMES), inner, max_size=5),
    max_leaves=25,
)
MARKS: list[dict[str, Any]] = [
    {"model_overview": {}, "intended_uses": {}},
    {"Content": "{}", "ModelCardName": "n"},
    {"model_details": {}, "considerations": {}},
    {"bomFormat": "CycloneDX", "components": [{"type": "machine-learning-model", "modelCard": {}}]},
    {"@context": {}, "@type": "Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0"},
    {"items": [{"artifactType": "model-artifact"}], "size": 1},
    {"stages": {"a": {"cmd": "c"}}},
]


@given(st.sampled_from(MARKS), st.dictionaries(st.sampled_from(CARD_NAMES), card, max_size=5))
def test_cards_and_registries_in_unknown_shapes(mark: dict[str, Any], value: dict[str, Any]) -> None:
    check(read_source("x.json", json.dumps({**mark, **value}).encode()))
    check(read_source("dvc.yaml", json.dumps({**value, **mark}).encode()))


@given(st.sampled_from([name for name in JSON_SAMPLES if not name.startswith(("mlflow", "gx"))]), st.data(), card)
def test_new_samples_with_a_value_replaced(name: str, data: st.DataObject, new: Any) -> None:
    path = data.draw(st.sampled_from(_paths(JSON_SAMPLES[name])))
    check(read_source(name, json.dumps(_replaced(JSON_SAMPLES[name], path, new)).encode()))


PACKAGE_LINES = [
    "torch", "torch==2.5", "xgboost >= 3", " \\", "--hash=sha256:a", "# x", "==", "a @ https://b", "[[package]]",
    'name = "torch"',
    'version = "2"', 'source = { editable = "." }', "x = [", "]", "a.b = 1", '"""', "dependencies = [{ name = 'torch' }]",
]  # fmt: skip


@given(st.lists(st.sampled_from(PACKAGE_LINES) | st.text(max_size=20), max_size=12))
def test_lines_of_packages(lines: list[str]) -> None:
    words = "\n".join(lines).encode("utf-8", "surrogatepass")
    check(read_source("requirements.txt", words))
    check(read_source("uv.lock", b"version = 1\n" + words))
