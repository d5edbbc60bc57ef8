"""An MLflow run as JSON: `mlflow.get_run(...).to_dictionary()` or the REST API's answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill import mlflow_tags
from governance.prefill.estimators import class_from_parameters
from governance.prefill.measures import performance_facts
from governance.prefill.mlflow_datasets import dataset_facts
from governance.prefill.moments import from_milliseconds
from governance.prefill.source import Document, Problem, Source, child, mapping, sequence, shown, text

NAME = "mlflow_run"
TITLE = "MLflow run"
FILLS = (
    "training.run_id",
    "training.started_at",
    "training.ended_at",
    "training.contributors",
    "training.code_commit",
    "training.parameters",
    "training.dataset_digest",
    "evaluation.dataset_digest",
    "performance.metric",
    "performance.candidate",
    "performance.metrics",
    "data.sources",
    "data.columns",
    "model.feature_sources",
    "model.architecture",
    "model.intended_use",
    "model.limitations",
    "model.license",
    "model.task",
    "system.owner",
)


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    run = mapping(data.get("run")) or data
    info = mapping(run.get("info"))
    return isinstance(run.get("data"), dict) and bool({"run_id", "run_uuid"} & set(info)) and "model_id" not in info


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    outer = mapping(document.data)
    root = "run" if isinstance(outer.get("run"), dict) else ""
    run = mapping(outer.get("run")) or outer
    info, data = mapping(run.get("info")), mapping(run.get("data"))
    info_path, data_path = child(root, "info"), child(root, "data")
    tags, problems = mlflow_tags.key_values(data.get("tags"), source, child(data_path, "tags"))
    yield from problems
    yield from _info_facts(info, tags, source, info_path)
    yield from mlflow_tags.tag_facts(tags, source, child(data_path, "tags"))
    yield from performance_facts(data.get("metrics"), source, child(data_path, "metrics"))
    params, problems = mlflow_tags.key_values(data.get("params"), source, child(data_path, "params"))
    yield from problems
    one_model = len(sequence(mapping(run.get("outputs")).get("model_outputs"))) <= 1
    yield from _parameter_facts(params, tags, one_model, source, child(data_path, "params"))
    inputs = mapping(run.get("inputs")).get("dataset_inputs")
    yield from dataset_facts(inputs, source, child(child(root, "inputs"), "dataset_inputs"))


def _info_facts(info: dict[str, Any], tags: dict[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    key = "run_id" if text(info.get("run_id")) else "run_uuid"
    if text(info.get(key)):
        yield source.fact("training.run_id", text(info[key]), child(path, key))
    for key, name in (("start_time", "training.started_at"), ("end_time", "training.ended_at")):
        value = from_milliseconds(info.get(key))
        if value:
            yield source.fact(name, value, child(path, key))
        elif info.get(key) is not None:
            yield source.problem(child(path, key), f"{key} is milliseconds since 1970; found {shown(info[key])}.")
    user = text(info.get("user_id"))
    if user and user != text(tags.get("mlflow.user")):
        yield source.fact("training.contributors", [user], child(path, "user_id"))
    status = info.get("status")
    if status not in (None, "FINISHED", 3):
        yield source.advice(child(path, "status"), f"The run is {shown(status)}, not FINISHED: its metrics may be incomplete.")
    if info.get("lifecycle_stage") == "deleted":
        yield source.advice(
            child(path, "lifecycle_stage"), "The run is deleted in MLflow and may vanish. Restore it: it is evidence."
        )
    yield from mlflow_tags.path_advice(info.get("artifact_uri"), source, child(path, "artifact_uri"))


def _parameter_facts(
    params: dict[str, Any], tags: dict[str, Any], one_model: bool, source: Source, path: str
) -> Iterator[Fact | Problem]:
    if not params:
        return
    yield source.fact("training.parameters", params, path)
    found = class_from_parameters(params)
    if found and one_model and not (text(tags.get("estimator_class")) or text(tags.get("estimator_name"))):
        yield source.fact("model.architecture", found, f"{path} (the full parameter set of this class)")
