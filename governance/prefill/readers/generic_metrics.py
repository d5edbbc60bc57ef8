"""A plain JSON or YAML of metrics: `{"auc": 0.9, ...}` or `{"metrics": {...}, "primary_metric": "auc", ...}`."""

from __future__ import annotations

from collections.abc import Iterator

from governance.domain.facts import Fact
from governance.prefill.convention import KEY, PREFIX, block_of, stated
from governance.prefill.measures import number, performance_facts
from governance.prefill.metric_names import HIGHER_IS_BETTER, canonical_metric
from governance.prefill.source import Document, Form, Problem, Source, mapping, shown, text

NAME = "generic_metrics"
TITLE = "Metrics JSON"
FILLS = (
    "performance.metric",
    "performance.candidate",
    "performance.metrics",
    "evaluation.dataset_digest",
    "model.decision_threshold",
)
ORDER = 90

_PRIMARY = ("primary_metric", "metric")
_DIGEST = ("evaluation_dataset_digest", "dataset_digest")
_THRESHOLD = ("decision_threshold", "threshold")
_BESIDE = {*_PRIMARY, *_DIGEST, *_THRESHOLD, KEY}


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    if document.form is Form.CARD or not data:
        return False
    block = data.get("metrics")
    if isinstance(block, dict):
        return True
    if isinstance(block, list):
        return bool(block) and all(
            {"key", "name", "metric", "type"} & set(mapping(row)) and "value" in mapping(row) for row in block
        )
    if KEY in data or any(key.startswith(PREFIX) for key in data):
        return True
    named = any(canonical_metric(key) in HIGHER_IS_BETTER and not isinstance(value, dict | list) for key, value in data.items())
    return named or ("metric" in name.lower() and any(number(value) is not None for value in data.values()))


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    data = mapping(document.data)
    nested = isinstance(data.get("metrics"), dict | list)
    primary = next((text(data[key]) for key in _PRIMARY if text(data.get(key))), None)
    flat = {
        key: value
        for key, value in data.items()
        if key not in _BESIDE and not key.startswith(PREFIX) and _may_be_metric(key, value)
    }
    block = data["metrics"] if nested else flat
    yield from performance_facts(block if block else None, source, "metrics" if nested else "", primary=primary)
    for key in _DIGEST:
        if text(data.get(key)):
            yield source.fact("evaluation.dataset_digest", text(data[key]), key)
            break
    for key in _THRESHOLD:
        if data.get(key) is None:
            continue
        value = number(data[key])
        if value is None:
            yield source.problem(key, f"{key} has to be a number; found {shown(data[key])}. It is left out.")
        else:
            yield source.fact("model.decision_threshold", value, key)
        break
    yield from stated(block_of(data), source, KEY)


def _may_be_metric(key: str, value: object) -> bool:
    """Numbers, and whatever stands under the name of a known metric; notes and nested parts are not metrics."""
    if isinstance(value, dict | list | bool) or value is None:
        return False
    return not isinstance(value, str) or canonical_metric(key) in HIGHER_IS_BETTER
