"""Kubeflow Model Registry's REST answers as JSON: a registered model, a model version, an artefact, or a list of one of them.

Custom properties are typed values; `guiderail.` ones answer questions by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.card_values import Said
from governance.prefill.convention import stated_in_tags
from governance.prefill.estimators import framework_name
from governance.prefill.measures import number
from governance.prefill.metric_names import HIGHER_IS_BETTER, canonical_metric
from governance.prefill.metric_rows import MetricRow, row_facts
from governance.prefill.mlflow_tags import path_advice, plain_facts
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, shown, text

NAME = "kubeflow_registry"
TITLE = "Kubeflow Model Registry JSON"
FILLS = (
    "model.name",
    "business.context",
    "model.framework",
    "model.framework_version",
    "model.serialization",
    "model.task",
    "model.license",
    "model.intended_use",
    "model.limitations",
    "system.owner",
    "training.contributors",
    "training.run_id",
    "training.parameters",
    "performance.metric",
    "performance.candidate",
    "performance.metrics",
)
ORDER = 40

_VALUES = ("string_value", "double_value", "int_value", "bool_value")
_ARTIFACTS = ("model-artifact", "doc-artifact", "metric", "parameter", "dataset-artifact")
_RUNS = ("pipelinerun", "kfp", "notebook", "trainingjob")
_LONGEST_WHOLE = 16
_STORED_AS = {
    "onnx": "onnx",
    "safetensors": "safetensors",
    "keras": "keras",
    "skops": "skops",
    "pickle": "pickle",
    "joblib": "joblib",
}


def recognises(name: str, document: Document) -> bool:
    if document.form is not Form.JSON:
        return False
    data = mapping(document.data)
    if isinstance(data.get("items"), list) and {"size", "pageSize", "nextPageToken"} & set(data):
        return bool(data["items"]) and all(_is_resource(mapping(row)) for row in data["items"])
    return _is_resource(data)


def _is_resource(row: dict[str, Any]) -> bool:
    if row.get("artifactType") in _ARTIFACTS or "registeredModelId" in row:
        return True
    held = mapping(row.get("customProperties")).values()
    typed = bool(held) and all(_typed(value) for value in held)
    return "name" in row and (typed or ("createTimeSinceEpoch" in row and "lastUpdateTimeSinceEpoch" in row))


def _typed(value: Any) -> bool:
    return text(mapping(value).get("metadataType")).startswith("Metadata") or bool(set(_VALUES) & set(mapping(value)))


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    data = mapping(document.data)
    rows = [(mapping(row), child("items", i)) for i, row in enumerate(data["items"])] if _is_list(data) else [(data, "")]
    models = [row for row, _ in rows if not _is_beside(row)]
    if len(models) > 1:
        names = ", ".join(text(row.get("name")) or "without a name" for row in models[:5])
        detail = f"This list holds {len(models)} entries ({names}), and which one is submitted is not said."
        yield source.problem("items", f"{detail} Ask the registry for the one version, or its one model artefact.")
        return
    metrics: list[MetricRow] = []
    parameters: dict[str, Any] = {}
    for row, place in rows:
        kind = row.get("artifactType")
        if kind == "metric" and text(row.get("name")):
            metrics.append(MetricRow(text(row["name"]), row.get("value"), child(place, "value")))
        elif kind == "parameter" and text(row.get("name")):
            parameters[text(row["name"])] = row.get("value")
        elif not _is_beside(row):
            values, problems = _properties(row.get("customProperties"), source, child(place, "customProperties"))
            yield from problems
            yield from _resource_facts(row, source, place)
            yield from plain_facts(values, source, child(place, "customProperties"))
            yield from stated_in_tags(values, source, child(place, "customProperties"))
            metrics += _known_metrics(values, child(place, "customProperties"))
    if parameters:
        yield source.fact("training.parameters", parameters, "items[].value")
    yield from row_facts(metrics, source, "items" if _is_list(data) else "customProperties")


def _is_list(data: dict[str, Any]) -> bool:
    return isinstance(data.get("items"), list)


def _is_beside(row: dict[str, Any]) -> bool:
    """Whether it is an artefact that only accompanies a model: a metric, a parameter, a document."""
    return row.get("artifactType") in _ARTIFACTS[1:]


def _resource_facts(row: dict[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    artifact = row.get("artifactType") == "model-artifact"
    version = "registeredModelId" in row
    said = Said(source)
    if not artifact and not version:
        said.take("model.name", row.get("name"), child(path, "name"))
        said.take("system.owner", row.get("owner"), child(path, "owner"))
    if not artifact:
        said.take("business.context", row.get("description"), child(path, "description"))
    said.take("training.contributors", row.get("author"), child(path, "author"))
    if text(row.get("modelSourceKind")).lower().replace("-", "") in _RUNS:
        said.take("training.run_id", row.get("modelSourceId"), child(path, "modelSourceId"))
    yield from said.facts()
    if artifact:
        yield from _format(row, source, path)
        yield from path_advice(row.get("uri"), source, child(path, "uri"))
    if row.get("state") in ("ARCHIVED", "MARKED_FOR_DELETION", "DELETED", "ABANDONED"):
        yield source.advice(child(path, "state"), f"It is {shown(row['state'])} in the registry. Send the version you submit.")


def _format(row: dict[str, Any], source: Source, path: str) -> Iterator[Fact]:
    """Framework and storage as the format's name says. A version such as `1` is the format's, not the library's."""
    name, version = text(row.get("modelFormatName")).lower(), text(row.get("modelFormatVersion"))
    framework = framework_name(name)
    if framework:
        yield source.fact("model.framework", framework, child(path, "modelFormatName"))
        if "." in version and framework != "onnx":
            yield source.fact("model.framework_version", version, child(path, "modelFormatVersion"))
    if name in _STORED_AS:
        yield source.fact("model.serialization", _STORED_AS[name], child(path, "modelFormatName"))


def _properties(block: Any, source: Source, path: str) -> tuple[dict[str, Any], list[Problem]]:
    """Custom properties as plain values; whole numbers are written as text there."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in mapping(block).items():
        held = mapping(value)
        key = next((key for key in _VALUES if key in held), None)
        if key is not None:
            words = text(held[key])
            whole = key == "int_value" and len(words) < _LONGEST_WHOLE and words.removeprefix("-").isdecimal()
            found[name] = int(words) if whole else held[key]
        elif not {"struct_value", "proto_value"} & set(held):
            detail = f"A custom property is a typed value such as {{string_value: …}}; found {shown(value)}. It is left out."
            problems.append(source.problem(child(path, name), detail))
    return found, problems


def _known_metrics(values: dict[str, Any], path: str) -> list[MetricRow]:
    """Figures people keep as custom properties: only names of known metrics, for others may mean anything."""
    return [
        MetricRow(name, value, child(path, name))
        for name, value in values.items()
        if canonical_metric(name) in HIGHER_IS_BETTER and number(value) is not None
    ]
