"""An MLflow 3 logged model as JSON: its dictionary form or the REST API's answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill import mlflow_tags
from governance.prefill.estimators import class_from_parameters
from governance.prefill.measures import performance_facts
from governance.prefill.source import Document, Problem, Source, child, mapping, sequence, shown, text

NAME = "mlflow_logged_model"
TITLE = "MLflow logged model"
FILLS = (
    "training.run_id",
    "training.contributors",
    "training.code_commit",
    "training.parameters",
    "evaluation.dataset_digest",
    "performance.metric",
    "performance.candidate",
    "performance.metrics",
    "model.architecture",
    "model.intended_use",
    "model.limitations",
    "model.license",
    "model.task",
    "system.owner",
)
_READY = (None, 2, "READY", "LOGGED_MODEL_READY")


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    info = mapping(mapping(data.get("model")).get("info"))
    return "model_id" in info or ("model_id" in data and bool({"artifact_location", "source_run_id"} & set(data)))


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    outer = mapping(document.data)
    rest = isinstance(outer.get("model"), dict)
    info = mapping(mapping(outer.get("model")).get("info")) if rest else outer
    data = mapping(mapping(outer.get("model")).get("data")) if rest else outer
    info_path, data_path = ("model.info", "model.data") if rest else ("", "")
    run_id = text(info.get("source_run_id"))
    if run_id:
        yield source.fact("training.run_id", run_id, child(info_path, "source_run_id"))
    if info.get("status") not in _READY:
        yield source.advice(
            child(info_path, "status"), f"The logged model is {shown(info['status'])}, not READY: logging it may have failed."
        )
    for key in ("artifact_location", "artifact_uri"):
        yield from mlflow_tags.path_advice(info.get(key), source, child(info_path, key))
    tags, problems = mlflow_tags.key_values(info.get("tags"), source, child(info_path, "tags"))
    yield from problems
    yield from mlflow_tags.tag_facts(tags, source, child(info_path, "tags"))
    params, problems = mlflow_tags.key_values(data.get("params"), source, child(data_path, "params"))
    yield from problems
    if params:
        yield source.fact("training.parameters", params, child(data_path, "params"))
        found = class_from_parameters(params)
        if found and not (text(tags.get("estimator_class")) or text(tags.get("estimator_name"))):
            yield source.fact("model.architecture", found, f"{child(data_path, 'params')} (the full parameter set of this class)")
    yield from _metric_facts(data.get("metrics"), source, child(data_path, "metrics"))


def _metric_facts(block: Any, source: Source, path: str) -> Iterator[Fact | Problem]:
    """Metrics, and the digest of the data set the chosen one was measured on."""
    rows = {child(child(path, i), "value"): mapping(row) for i, row in enumerate(sequence(block))}
    for item in performance_facts(block, source, path):
        yield item
        if isinstance(item, Problem) or item.name != "performance.candidate":
            continue
        row = rows.get(item.locator, {})
        digest = text(row.get("dataset_digest"))
        if digest:
            yield source.fact("evaluation.dataset_digest", digest, item.locator.removesuffix("value") + "dataset_digest")
        digests = {text(other.get("dataset_digest")) for other in rows.values() if other.get("key") == row.get("key")} - {""}
        if len(digests) > 1:
            names = ", ".join(sorted(digests)[:5])
            detail = f"{row.get('key')} was measured on {len(digests)} data sets ({names}); the last one is used."
            yield source.advice(item.locator, f"{detail} Say which one counts with the tag guiderail.evaluation.dataset_digest.")
