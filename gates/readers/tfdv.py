"""TensorFlow Data Validation without TensorFlow: anomalies (JSON or text format) and statistics (JSON) as they are written.

Anomalies: `tfdv.write_anomalies_text(anomalies, "anomalies.pbtxt")`, or `google.protobuf.json_format.MessageToJson(anomalies)`.
Statistics: `MessageToJson(statistics)`. Names may be in camelCase or snake_case. The binary files (`.pb`, TFRecord) are not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.great_expectations import MAX_BYTES, Expectation

WAY_OUT = (
    "Write it with tfdv.write_anomalies_text or google.protobuf.json_format.MessageToJson (of the anomalies or the statistics), "
    "and upload that text."
)
_DEPTH = 30
_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<word>[A-Za-z_][\w.]*)|(?P<mark>[{}:<>\[\],;])|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"|(?P<number>[-+]?[\w.+-]+)"
)
_SEVERITY = {"ERROR": "critical", "WARNING": "warning"}


@dataclass(frozen=True)
class Statistics:
    """What the statistics say of one data set: rows, and the share of missing values by column."""

    name: str
    rows: int
    missing: Mapping[str, float]


@dataclass(frozen=True)
class Report:
    """Anomalies as failed expectations, how many columns were checked, and statistics where the file holds them."""

    anomalies: tuple[Expectation, ...]
    checked: int
    statistics: tuple[Statistics, ...] = ()


def looks_like(evidence: EvidenceInput) -> bool:
    """Whether a report speaks TFDV's words; told by its first bytes, so that anything else goes to its own reader."""
    with Path(evidence.path).open("rb") as file:
        head = file.read(65_536)
    names = (b"anomalyInfo", b"anomaly_info", b"datasetAnomalyInfo", b"dataset_anomaly_info", b"anomalyNameFormat")
    return any(
        name in head
        for name in (
            *names,
            b'"baseline"',
            b"baseline {",
            b"numExamples",
            b"num_examples",
            b"anomaly_name_format",
            b"driftSkewInfo",
        )
    )


def read(evidence: EvidenceInput) -> Report:
    """Read the file, or raise EvidenceProblem naming what it is instead."""
    path = Path(evidence.path)
    if not 0 < path.stat().st_size <= MAX_BYTES:
        raise _problem(evidence, f"{path.stat().st_size:,} bytes")
    try:
        words = path.read_bytes().decode("utf-8-sig")
        document = json.loads(words) if words.lstrip()[:1] in ("{", "[") else _text_format(words)
    except (ValueError, RecursionError) as error:
        raise _problem(evidence, str(error)[:80]) from error
    if not isinstance(document, Mapping):
        raise _problem(evidence, "a list")
    anomalies = tuple(_anomalies(document))
    schema = _get(document, "baseline")
    columns = _list(_get(schema, "feature")) if isinstance(schema, Mapping) else []
    statistics = tuple(_statistics(document))
    if not anomalies and not statistics and not any(_get(document, name) is not None for name in ("baseline", "anomaly_info")):
        raise _problem(evidence, "another document")
    return Report(anomalies, max(len(columns), len(anomalies)), statistics)


def _problem(evidence: EvidenceInput, found: str) -> EvidenceProblem:
    return EvidenceProblem(
        file=evidence.name, expected="anomalies or statistics of TensorFlow Data Validation", found=found, way_out=WAY_OUT
    )


def _anomalies(document: Mapping[str, Any]) -> Iterator[Expectation]:
    info = _get(document, "anomaly_info")
    # JSON writes a mapping, the text format a list of entries with key and value
    entries: list[tuple[str, Any]] = (
        list(info.items())
        if isinstance(info, Mapping) and "key" not in info
        else [(str(_get(row, "key") or ""), _get(row, "value")) for row in _list(info) if isinstance(row, Mapping)]
    )
    for column, value in entries[:2_000]:
        if isinstance(value, Mapping):
            yield from _reasons(str(column), value)
    whole = _get(document, "dataset_anomaly_info")
    if isinstance(whole, Mapping) and whole:
        yield from _reasons("", whole)


def _reasons(column: str, value: Mapping[str, Any]) -> Iterator[Expectation]:
    severity = _SEVERITY.get(str(_get(value, "severity") or "ERROR").upper(), "critical")
    path = _get(value, "path")
    steps = [str(step) for step in _list(_get(path, "step"))] if isinstance(path, Mapping) else []
    name = ".".join(steps) or column
    rows = [row for row in _list(_get(value, "reason")) if isinstance(row, Mapping)] or [value]
    for row in rows:
        kind = str(_get(row, "type") or "ANOMALY")
        words = str(_get(row, "description") or _get(row, "short_description") or kind)
        short = str(_get(row, "short_description") or "").strip()
        says = f"{short}. {words}" if short and short != words else words
        yield Expectation(f"tfdv_{kind.lower()}"[:120], name[:200], False, severity=severity, says=says.strip().rstrip(".")[:300])


def _statistics(document: Mapping[str, Any]) -> Iterator[Statistics]:
    for data in _list(_get(document, "datasets")):
        rows = _number(_get(data, "num_examples")) if isinstance(data, Mapping) else None
        if not isinstance(data, Mapping) or not rows:
            continue
        missing = {}
        for feature in _list(_get(data, "features"))[:2_000]:
            if isinstance(feature, Mapping):
                name, share = _feature(feature, rows)
                if name and share is not None:
                    missing[name] = share
        yield Statistics(str(_get(data, "name") or "data"), int(rows), missing)


def _feature(feature: Mapping[str, Any], rows: float) -> tuple[str, float | None]:
    path = _get(feature, "path")
    steps = _list(_get(path, "step")) if isinstance(path, Mapping) else []
    name = ".".join(map(str, steps)) or str(_get(feature, "name") or "")
    for kind in ("num_stats", "string_stats", "bytes_stats", "struct_stats"):
        stats = _get(feature, kind)
        shared = _get(stats, "common_stats") if isinstance(stats, Mapping) else None
        if isinstance(shared, Mapping):
            missing, there = _number(_get(shared, "num_missing")), _number(_get(shared, "num_non_missing"))
            if missing is None and there is not None:
                missing = rows - there
            return name[:200], min(1.0, max(0.0, (missing or 0.0) / rows))
    return name[:200], None


def _get(node: Any, name: str) -> Any:
    """A field by its snake_case name, however the file spells it."""
    if not isinstance(node, Mapping):
        return None
    head, *rest = name.split("_")
    return node.get(name, node.get(head + "".join(part.capitalize() for part in rest)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _number(value: Any) -> float | None:
    """Protobuf writes 64-bit numbers as text."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _text_format(words: str) -> dict[str, Any]:
    """Protobuf's text format as nested mappings; a field written several times becomes a list. ValueError where it breaks off."""
    at, end = 0, len(words)
    stack: list[dict[str, Any]] = [{}]
    name = ""
    while at < end:
        found = _TOKEN.match(words, at)
        if found is None or found.end() == at:
            raise ValueError(f"character {at + 1} cannot be read")
        at = found.end()
        mark, text = found.group("mark"), found.group("text")
        if mark in ("{", "<") and name:
            if len(stack) > _DEPTH:
                raise ValueError("messages within messages beyond any schema")
            inner: dict[str, Any] = {}
            _put(stack[-1], name, inner)
            stack.append(inner)
            name = ""
        elif mark in ("}", ">"):
            if len(stack) == 1:
                raise ValueError("one closing bracket too many")
            stack.pop()
        elif text is not None and name:
            _put(stack[-1], name, _plain(text))
            name = ""
        elif (word := found.group("word") or found.group("number")) is not None:
            if name:
                _put(stack[-1], name, word)
                name = ""
            else:
                name = word
    if len(stack) > 1 or name:
        raise ValueError("the text breaks off")
    return stack[0]


def _put(node: dict[str, Any], name: str, value: Any) -> None:
    if name in node:
        node[name] = [*_list(node[name]), value]
    else:
        node[name] = value


def _plain(text: str) -> str:
    escapes = {"n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found.group(1), found.group(1)), text[1:-1])
