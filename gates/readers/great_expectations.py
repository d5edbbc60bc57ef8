"""Great Expectations validation results, 0.x and 1.x, and checkpoint results that hold several: which expectations failed,
where, how often.

Great Expectations itself is not needed. Current versions have no command line; results are written with
`result.to_json_dict()`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem

MAX_BYTES = 64 * 1024**2
WAY_OUT = "Upload the JSON of a validation or checkpoint result (result.to_json_dict())."


@dataclass(frozen=True)
class Expectation:
    """One evaluated expectation. `count`: rows that broke it, None when it is not about rows; `error`: it could not be
    evaluated; `says`: the report's own words, where they say more than the name.
    """

    kind: str
    column: str
    held: bool
    count: int | None = None
    percent: float | None = None
    rows: int | None = None
    severity: str = "critical"
    error: str = ""
    says: str = ""


@dataclass(frozen=True)
class Report:
    """All expectations of a file, with suite names and the version that wrote it."""

    expectations: tuple[Expectation, ...]
    suites: tuple[str, ...]
    version: str


def read(evidence: EvidenceInput) -> Report:
    """Read the file or raise EvidenceProblem: not JSON, too large, or not a result of Great Expectations."""
    path = Path(evidence.path)
    size = path.stat().st_size
    if not 0 < size <= MAX_BYTES:
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"a JSON file of at most {MAX_BYTES // 1024**2} MB",
            found=f"{size} bytes",
            way_out=WAY_OUT,
        )
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise EvidenceProblem(file=evidence.name, expected="JSON", found=str(error)[:80], way_out=WAY_OUT) from error
    results = list(_validations(document, 0))
    if not results:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a Great Expectations result with a list “results”",
            found="another document",
            way_out=WAY_OUT,
        )
    found = [_expectation(row) for result in results for row in result["results"] if isinstance(row, Mapping)]
    suites = tuple(dict.fromkeys(name for result in results if (name := _suite(result))))
    version = next(
        (
            str(meta["great_expectations_version"])
            for result in results
            if "great_expectations_version" in (meta := _map(result, "meta"))
        ),
        "",
    )
    return Report(tuple(found), suites, version)


def _validations(node: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """Validation results inside a document: itself, or those of a checkpoint's `run_results`."""
    if not isinstance(node, Mapping) or depth > 4:
        return
    if isinstance(node.get("results"), list) and ("success" in node or "statistics" in node):
        yield node
        return
    runs = node.get("run_results")
    for value in runs.values() if isinstance(runs, Mapping) else ():
        inner = value.get("validation_result", value) if isinstance(value, Mapping) else value
        yield from _validations(inner, depth + 1)


def _expectation(row: Mapping[str, Any]) -> Expectation:
    config, result = _map(row, "expectation_config"), _map(row, "result")
    kwargs = _map(config, "kwargs")
    columns = (
        kwargs.get("column") or kwargs.get("column_list") or [kwargs[key] for key in ("column_A", "column_B") if key in kwargs]
    )
    severity = str(config.get("severity") or _map(config, "meta").get("severity") or "critical").lower()
    return Expectation(
        kind=str(config.get("type") or config.get("expectation_type") or "an expectation")[:120],
        column=(columns if isinstance(columns, str) else ", ".join(map(str, columns)))[:200],
        held=row.get("success") is True,
        count=_number(result.get("unexpected_count"), int),
        percent=_number(result.get("unexpected_percent"), float),
        rows=_number(result.get("element_count"), int),
        severity=severity if severity in ("critical", "warning", "info") else "critical",
        error=_exception(row.get("exception_info")),
    )


def _exception(info: Any) -> str:
    """The message of an exception: 0.x and 1.x keep it flat, or per metric one level down."""
    if not isinstance(info, Mapping):
        return ""
    if info.get("raised_exception") is True:
        return str(info.get("exception_message") or "it could not be evaluated").splitlines()[0][:160]
    return next((text for value in info.values() if isinstance(value, Mapping) and (text := _exception(value))), "")


def _suite(result: Mapping[str, Any]) -> str:
    return str(result.get("suite_name") or _map(result, "meta").get("expectation_suite_name") or "")


def _map(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = node.get(name)
    return value if isinstance(value, Mapping) else {}


def _number(value: Any, kind: type) -> Any:
    return kind(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value else None
