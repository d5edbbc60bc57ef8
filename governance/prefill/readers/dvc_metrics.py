"""What `dvc metrics show --json` prints: figures by revision, file and place in the file; or a nested file of figures itself.

Nested figures are told apart by their place; a part named `train` or `test` becomes the beginning of the name, so that a figure
on the training data never stands for the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.convention import KEY
from governance.prefill.measures import number
from governance.prefill.metric_names import HIGHER_IS_BETTER, canonical_metric, is_training_metric
from governance.prefill.metric_rows import STAGES, MetricRow, row_facts
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, shown, text

NAME = "dvc_metrics"
TITLE = "DVC metrics"
FILLS = ("performance.metric", "performance.candidate", "performance.metrics")
ORDER = 40

_WORKSPACE = ("", "workspace")
_BESIDE = {"data", "error"}


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    if document.form is Form.JSON and bool(data) and all(_is_revision(row) for row in data.values()):
        return True
    return (document.form is Form.JSON or "metric" in name.lower()) and _is_tree(data)


def _is_tree(data: dict[str, Any]) -> bool:
    """Nothing but numbers below names in parts, at least one of them a known metric. Flat files are read elsewhere."""
    if "metrics" in data or KEY in data or not any(isinstance(value, dict) for value in data.values()):
        return False
    rows = list(_figures(data, "", (), ""))
    known = any(canonical_metric(row.name) in HIGHER_IS_BETTER or _says_training(row.name) for row in rows)
    return known and all(isinstance(value, dict) or _is_number(value) for value in _held(data))


def _says_training(name: str) -> bool:
    """`train_roc_auc` is a known metric too, though it never stands for the model."""
    return canonical_metric(name.partition("_")[2]) in HIGHER_IS_BETTER if is_training_metric(name) else False


def _held(value: Any) -> Iterator[Any]:
    """Every value below a mapping."""
    for inner in value.values() if isinstance(value, dict) else ():
        yield inner
        yield from _held(inner)


def _is_number(value: Any) -> bool:
    return number(value) is not None and not isinstance(value, str)


def _is_revision(row: Any) -> bool:
    """`{"data": {<file>: {"data": …} or {"error": …}}}`, or `{"error": …}` for a revision that could not be read."""
    found = mapping(row)
    if not found or not set(found) <= _BESIDE:
        return False
    files = found.get("data")
    return ("error" in found and files is None) or (
        isinstance(files, dict) and all(isinstance(file, dict) and file and set(file) <= _BESIDE for file in files.values())
    )


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    data = mapping(document.data)
    if not all(_is_revision(row) for row in data.values()):
        yield from row_facts(_figures(data, "", (), source.name), source, "")
        return
    own = next((name for name in _WORKSPACE if name in data), None)
    if own is None and len(data) > 1:
        names = ", ".join(list(data)[:5])
        yield source.problem(
            "", f"This file holds {len(data)} revisions ({names}), and which one is submitted is not said. Send one."
        )
        return
    revision = own if own is not None else next(iter(data))
    if len(data) > 1:
        yield source.advice(
            "", f"This file holds {len(data)} revisions; the one of the workspace is read. Send that of the commit alone."
        )
    path = revision or '""'
    yield from _error(mapping(data[revision]), source, path)
    rows: list[MetricRow] = []
    for file, held in mapping(mapping(data[revision]).get("data")).items():
        place = child(child(path, "data"), file)
        yield from _error(mapping(held), source, place)
        if "data" in mapping(held):
            rows += _figures(held["data"], child(place, "data"), (), file)
    yield from row_facts(rows, source, path)


def _error(held: dict[str, Any], source: Source, place: str) -> Iterator[Problem]:
    if held.get("error") is not None:
        why = text(mapping(held["error"]).get("msg")) or text(mapping(held["error"]).get("type")) or shown(held["error"])
        yield source.problem(
            child(place, "error"), f"DVC could not read this: {shown(why, 120)}. Run dvc pull or dvc repro and export again."
        )


def _figures(value: Any, place: str, parts: tuple[str, ...], file: str) -> Iterator[MetricRow]:
    """Every number, named by its place in the file; what is no number is no figure."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _figures(inner, child(place, key), (*parts, key), file)
    elif _is_number(value):
        stages = [part for part in parts if part.lower() in STAGES]
        stem = file.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
        plain = [part for part in parts if part not in stages] or [stem]
        name = "_".join([*(stage.lower() for stage in stages[:1]), ".".join(plain)])
        yield MetricRow(name, value, place, group=stem if stem.lower() in STAGES else file)
