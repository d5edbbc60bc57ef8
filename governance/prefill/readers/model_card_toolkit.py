"""A model card of TensorFlow's Model Card Toolkit as JSON, of its schemas 0.0.1 and 0.0.2.

Pictures are left alone. A data set that is only said to be for testing is no source of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.card_values import Said
from governance.prefill.convention import block_of, stated
from governance.prefill.metric_rows import MetricRow, row_facts
from governance.prefill.sensitive_words import sensitive_facts
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, sequence, shown, text

NAME = "model_card_toolkit"
TITLE = "Model Card Toolkit JSON"
FILLS = (
    "model.name",
    "business.context",
    "system.owner",
    "model.license",
    "model.architecture",
    "model.intended_use",
    "model.limitations",
    "data.sources",
    "data.contains_pii",
    "data.protected_attributes",
    "performance.metric",
    "performance.candidate",
    "performance.metrics",
)
ORDER = 40

_BESIDE = frozenset({"schema_version", "model_parameters", "quantitative_analysis", "considerations"})
_INSIDE = frozenset({"name", "overview", "documentation", "owners", "licenses", "license"})
_NOT_TRAINED_ON = ("eval", "test", "valid", "holdout")
_ONLY_A_SPLIT = frozenset({"train", "training", "training set", "train set", "training data", "train data", "training dataset"})


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    details = data.get("model_details")
    return document.form is Form.JSON and isinstance(details, dict) and bool(_BESIDE & set(data) or _INSIDE & set(details))


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    card = mapping(document.data)
    details, uses = mapping(card.get("model_details")), mapping(card.get("considerations"))
    said = Said(source)
    said.take("model.name", details.get("name"), "model_details.name")
    for key in ("overview", "documentation"):
        said.take("business.context", details.get(key), f"model_details.{key}")
    said.take("system.owner", details.get("owners"), "model_details.owners", "name")
    for key in ("licenses", "license"):
        said.take("model.license", details.get(key), f"model_details.{key}", "identifier", "custom_text")
    architecture = mapping(card.get("model_parameters")).get("model_architecture")
    said.take("model.architecture", architecture, "model_parameters.model_architecture")
    for key, name, before in (
        ("use_cases", "model.intended_use", ""),
        ("users", "model.intended_use", "Users: "),
        ("limitations", "model.limitations", ""),
        ("tradeoffs", "model.limitations", "Trade-off: "),
        ("ethical_considerations", "model.limitations", "Risk: "),
    ):
        said.take(name, uses.get(key), f"considerations.{key}", "description", "name", "mitigation_strategy", before=before)
    yield from said.facts()
    yield from _data_facts(mapping(card.get("model_parameters")).get("data"), source)
    yield from _metric_facts(mapping(card.get("quantitative_analysis")).get("performance_metrics"), source)
    yield from stated(block_of(card), source, "guiderail")


def _data_facts(block: Any, source: Source) -> Iterator[Fact | Problem]:
    """Sources and sensitive data of what it was trained on: rows (0.0.2), or a mapping with `train` (0.0.1)."""
    path = "model_parameters.data"
    if isinstance(block, dict):
        rows = [(mapping(row), child(path, key)) for key, row in block.items() if not _is_test(key)]
    else:
        rows = [(mapping(row), child(path, i)) for i, row in enumerate(sequence(block)) if not _is_test(mapping(row).get("name"))]
        if block is not None and not isinstance(block, list):
            yield source.problem(path, f"data is a list of data sets with a name; found {shown(block)}.")
    said = Said(source)
    sensitive: list[tuple[str, str]] = []
    for row, place in rows:
        name = text(row.get("name"))
        if text(row.get("link")):
            said.take("data.sources", row["link"], child(place, "link"))
        elif name.lower() in _ONLY_A_SPLIT:
            yield source.advice(
                child(place, "name"), f"{shown(name)} names no source. Give the data set's link, or its name in your register."
            )
        else:
            said.take("data.sources", row.get("name"), child(place, "name"))
        found = row.get("sensitive")
        inner = found.get("sensitive_data") if isinstance(found, dict) else found
        where = child(child(place, "sensitive"), "sensitive_data") if isinstance(found, dict) else child(place, "sensitive")
        words = [inner] if isinstance(inner, str) else sequence(inner)
        sensitive += [(text(each), where) for each in words if text(each)]
    yield from said.facts()
    yield from sensitive_facts(sensitive, source)


def _is_test(name: Any) -> bool:
    return text(name).lower().startswith(_NOT_TRAINED_ON)


def _metric_facts(block: Any, source: Source) -> Iterator[Fact | Problem]:
    path = "quantitative_analysis.performance_metrics"
    if block is not None and not isinstance(block, list):
        yield source.problem(path, f"performance_metrics is a list of type and value; found {shown(block)}.")
    rows = []
    for i, each in enumerate(sequence(block)):
        row, place = mapping(each), child(path, i)
        name = text(row.get("type"))
        if name:
            rows.append(MetricRow(name, row.get("value"), child(place, "value"), part=text(row.get("slice"))))
        else:
            yield source.problem(place, f"A metric has a type and a value; found {shown(each)}. It is left out.")
    yield from row_facts(rows, source, path)
