"""MLflow data-set inputs of a run: where the data came from, its columns, and which set was trained or evaluated on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.mlflow_schema import inner_json, read_columns
from governance.prefill.mlflow_tags import key_values
from governance.prefill.source import Problem, Source, child, mapping, shown, text

_TRAINING = frozenset({"training", "train"})
_EVALUATION = frozenset({"evaluation", "eval", "test", "testing", "validation", "holdout"})
_PLACE_KEYS = ("uri", "url", "path", "delta_table_name", "table_name", "catalog_name", "name")


@dataclass(frozen=True, slots=True)
class _Input:
    path: str
    context: str
    place: str
    digest: str
    columns: tuple[str, ...]


def dataset_facts(block: Any, source: Source, path: str) -> Iterator[Fact | Problem]:
    """Facts of `inputs.dataset_inputs`.

    MLflow's data-set digest is a short one of its own (eight hexadecimal digits of an MD5), kept as it is written: it tells
    whether two
    runs used the same data set, not what a file contains.
    """
    if block is None:
        return
    if not isinstance(block, list):
        yield source.problem(path, f"dataset_inputs has to be a list; found {shown(block)}.")
        return
    inputs: list[_Input] = []
    for i, row in enumerate(block):
        found, problems = _read_input(row, source, child(path, i))
        yield from problems
        if found is not None:
            inputs.append(found)
    trained = [item for item in inputs if item.context in _TRAINING]
    used = [item for item in inputs if item.context not in _EVALUATION]
    places = list(dict.fromkeys(item.place for item in used if item.place))
    if places:
        yield source.fact("data.sources", places, _locators(used, "dataset.source", with_place=True))
    columns = list(dict.fromkeys(name for item in used for name in item.columns))
    if columns:
        yield source.fact("data.columns", columns, _locators([i for i in used if i.columns], "dataset.schema"))
    origins: dict[str, list[str]] = {}
    for item in used:
        for name in item.columns if item.place else ():
            if item.place not in origins.setdefault(name, []):
                origins[name].append(item.place)
    if origins:
        yield source.fact(
            "model.feature_sources", origins, _locators([i for i in used if i.columns and i.place], "dataset.schema")
        )
    yield from _digest_fact("training.dataset_digest", trained, source)
    yield from _digest_fact("evaluation.dataset_digest", [item for item in inputs if item.context in _EVALUATION], source)
    if inputs and not trained:
        yield source.advice(
            path, 'No data set is marked as the training set. Log it with mlflow.log_input(dataset, context="training").'
        )


def _read_input(row: Any, source: Source, path: str) -> tuple[_Input | None, list[Problem]]:
    dataset = mapping(mapping(row).get("dataset"))
    if not dataset:
        return None, [source.problem(path, f"A data-set input has a dataset; found {shown(row)}.")]
    tags, problems = key_values(mapping(row).get("tags"), source, child(path, "tags"))
    context = text(tags.get("mlflow.data.context")).lower()
    where, wrong = inner_json(dataset.get("source"), source, child(child(path, "dataset"), "source"))
    place = ""
    if text(dataset.get("source_type")) != "code":
        place = next((text(where[key]) for key in _PLACE_KEYS if text(where.get(key))), "") if isinstance(where, dict) else ""
        problems += wrong
    schema_path = child(child(path, "dataset"), "schema")
    schema, wrong = inner_json(dataset.get("schema"), source, schema_path)
    problems += wrong
    columns, wrong = read_columns(mapping(schema).get("mlflow_colspec"), source, child(schema_path, "mlflow_colspec"))
    return _Input(path, context, place, text(dataset.get("digest")), columns.names), problems + wrong


def _digest_fact(name: str, inputs: list[_Input], source: Source) -> Iterator[Fact]:
    digests = list(dict.fromkeys(item.digest for item in inputs if item.digest))
    if digests:
        yield source.fact(name, ", ".join(digests), _locators([i for i in inputs if i.digest], "dataset.digest"))


def _locators(inputs: list[_Input], key: str, *, with_place: bool = False) -> str:
    return ", ".join(f"{item.path}.{key}" for item in inputs if item.place or not with_place)
