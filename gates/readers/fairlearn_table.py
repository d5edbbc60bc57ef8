"""Fairlearn's `MetricFrame.by_group` as a file: CSV, or JSON as pandas writes it. Groups by one attribute or several.

`by_group.to_csv()`, `by_group.reset_index().to_json(orient="records")` or `by_group.to_json(orient="table")`. Plain
`to_json()` loses the attribute's name and is not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import tables
from gates.readers.json_report import read_report_text

METRICS = {
    "selection_rate": "pprev",
    "true_positive_rate": "tpr",
    "recall": "tpr",
    "recall_score": "tpr",
    "false_positive_rate": "fpr",
    "false_negative_rate": "fnr",
    "true_negative_rate": "tnr",
    "precision": "precision",
    "precision_score": "precision",
    "accuracy": "accuracy",
    "accuracy_score": "accuracy",
}
"""Names of Fairlearn and scikit-learn -> the rate they are. Others of a frame, such as `count`, are not compared."""
MOST_GROUPS = 5_000
EXPECTED = "a Fairlearn table by group with one of " + ", ".join(dict.fromkeys(list(METRICS)[:5]))
WAY_OUT = "Write it with metric_frame.by_group.to_csv(), with the metrics under their own names, and map the sensitive columns."


@dataclass(frozen=True)
class Group:
    """One row: the attributes with this group's values, and its figures by rate."""

    attributes: tuple[str, ...]
    values: tuple[str, ...]
    figures: Mapping[str, float]


def looks_like(evidence: EvidenceInput, sensitive: Sequence[str]) -> bool:
    """Whether header or first bytes name both a metric of Fairlearn's and one of the predictions' sensitive columns."""
    head = _head(evidence)
    if _is_json(head):
        return all(any(json.dumps(name).encode() in head for name in names) for names in (METRICS, sensitive))
    names = {cell.strip().strip(b'"') for cell in head.split(b"\n", 1)[0].split(b",")}
    return all(any(name.encode() in names for name in wanted) for wanted in (METRICS, sensitive))


def read(evidence: EvidenceInput, sensitive: Sequence[str]) -> tuple[Group, ...]:
    """Every group. `sensitive`: the attributes mapped for the predictions, which tell groups from figures.

    Raises EvidenceProblem for a table without such a column, without a figure that can be counted here, or with too many groups.
    """
    found = list(_json(evidence) if _is_json(_head(evidence)) else _csv(evidence))
    if len(found) > MOST_GROUPS:
        raise _problem(evidence, f"{len(found):,} groups", f"at most {MOST_GROUPS:,} groups")
    groups = tuple(group for row in found if (group := _group(row, sensitive)) is not None)
    if not groups:
        raise _problem(evidence, f"no row with a figure and one of the predictions' sensitive columns ({', '.join(sensitive)})")
    return groups


def _head(evidence: EvidenceInput) -> bytes:
    with Path(evidence.path).open("rb") as file:
        return file.read(20_000).removeprefix(b"\xef\xbb\xbf").lstrip()


def _is_json(head: bytes) -> bool:
    return head[:1] in (b"{", b"[")


def _group(row: Mapping[str, Any], sensitive: Sequence[str]) -> Group | None:
    attributes = tuple(name for name in row if name in sensitive)
    figures = {METRICS[name]: float(value) for name, value in row.items() if name in METRICS and _is_number(value)}
    if not attributes or not figures:
        return None
    return Group(attributes, tuple(_value(row[name]) for name in attributes), figures)


def _value(value: Any) -> str:
    """As the predictions' column reads as text: pandas writes whole numbers with a point."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value).strip()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _csv(evidence: EvidenceInput) -> Iterator[dict[str, Any]]:
    info = tables.inspect(evidence)
    if info.rows > MOST_GROUPS:
        raise _problem(evidence, f"{info.rows:,} rows", f"at most {MOST_GROUPS:,} groups")
    table = tables.load(evidence, list(info.names))
    for at in range(info.rows):
        yield {name: values[at].item() if hasattr(values[at], "item") else values[at] for name, values in table.items()}


def _json(evidence: EvidenceInput) -> Iterator[dict[str, Any]]:
    text = read_report_text(evidence, expected=EXPECTED, way_out=WAY_OUT)
    try:
        data = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise _problem(
            evidence, "JSON without end" if isinstance(error, RecursionError) else f"no JSON ({error})"[:120]
        ) from error
    rows = data.get("data") if isinstance(data, dict) else data
    yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def _problem(evidence: EvidenceInput, found: str, expected: str = EXPECTED) -> EvidenceProblem:
    return EvidenceProblem(file=evidence.name, expected=expected, found=found, way_out=WAY_OUT)
