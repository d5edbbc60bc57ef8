"""A version in MLflow's model registry as JSON: its dictionary form or the REST API's answer.

Handed in as a file it is worth a file, whatever it says; a registry connection asks the registry itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from governance.domain.facts import Fact
from governance.prefill import mlflow_tags
from governance.prefill.measures import performance_facts
from governance.prefill.source import Document, Problem, Source, child, mapping, shown, text

NAME = "mlflow_model_version"
TITLE = "MLflow model version"
FILLS = (
    "model.name",
    "training.run_id",
    "training.contributors",
    "training.code_commit",
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


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    version = mapping(data.get("model_version")) or data
    return "version" in version and "name" in version and bool({"current_stage", "run_link", "aliases"} & set(version))


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    outer = mapping(document.data)
    root = "model_version" if isinstance(outer.get("model_version"), dict) else ""
    version = mapping(outer.get("model_version")) or outer
    if text(version.get("name")):
        yield source.fact("model.name", text(version["name"]), child(root, "name"))
    if text(version.get("run_id")):
        yield source.fact("training.run_id", text(version["run_id"]), child(root, "run_id"))
    tags, problems = mlflow_tags.key_values(version.get("tags"), source, child(root, "tags"))
    yield from problems
    user = text(version.get("user_id"))
    if user and user != text(tags.get("mlflow.user")):
        yield source.fact("training.contributors", [user], child(root, "user_id"))
    yield from mlflow_tags.tag_facts(tags, source, child(root, "tags"))
    if version.get("status") not in (None, "READY"):
        yield source.advice(child(root, "status"), f"The version is {shown(version['status'])}, not READY. Register it again.")
    yield from mlflow_tags.path_advice(version.get("source"), source, child(root, "source"))
    yield from performance_facts(version.get("metrics"), source, child(root, "metrics"))
