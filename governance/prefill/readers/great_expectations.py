"""Great Expectations: a validation result or a checkpoint's result as JSON, of GX 0.x and 1.x."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.measures import number
from governance.prefill.moments import from_text
from governance.prefill.source import Document, Problem, Source, child, mapping, sequence, shown, text

NAME = "great_expectations"
TITLE = "Great Expectations result"
FILLS = ("data.snapshot_date", "data.quality.evaluated", "data.quality.failed", "data.columns")

_COLUMN_LISTS = {
    "expect_table_columns_to_match_ordered_list": "column_list",
    "expect_table_columns_to_match_set": "column_set",
}

_COLUMN_KEYS = ("column", "column_A", "column_B")


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    return bool(_results(data)) or ("statistics" in data and "results" in data and "success" in data)


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    results = _results(mapping(document.data)) or [("", mapping(document.data))]
    evaluated, failed, columns = 0, list[dict[str, Any]](), dict[str, None]()
    counted: list[str] = []
    days: list[tuple[str, str]] = []
    for path, result in results:
        rows = result.get("results")
        if not isinstance(rows, list):
            yield source.problem(
                child(path, "results"),
                f"A validation result has a list of results; found {shown(rows)}. Export it with to_json_dict().",
            )
            continue
        counted.append(child(path, "results"))
        for i, row in enumerate(rows):
            place = child(child(path, "results"), i)
            if not isinstance(row, dict) or not isinstance(row.get("success"), bool):
                yield source.problem(
                    place,
                    f"Each result says success true or false; found {shown(mapping(row).get('success'))}. It counts as failed.",
                )
            evaluated += 1
            found, problem = _failure(mapping(row), source, place)
            if found is not None:
                failed.append(found)
            if problem is not None:
                yield problem
            columns.update(dict.fromkeys(_table_columns(mapping(row))))
        yield from _contradictions(result, rows, source, path)
        day = _day(result, path)
        if day:
            days.append(day)
    if counted:
        places = ", ".join(counted)
        yield source.fact("data.quality.evaluated", evaluated, places)
        yield source.fact("data.quality.failed", failed, places)
    if columns:
        yield source.fact("data.columns", list(columns), ", ".join(counted))
    if days:
        oldest, place = min(days)
        yield source.fact("data.snapshot_date", oldest, place)


def _results(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The validation results of a checkpoint's result with their places; empty for anything else."""
    for key in ("run_results", "_run_results"):
        runs = data.get(key)
        if isinstance(runs, dict):
            found = []
            for name, run in runs.items():
                inner = mapping(run).get("validation_result")
                path = child(key, name)
                found.append(
                    (child(path, "validation_result"), mapping(inner)) if isinstance(inner, dict) else (path, mapping(run))
                )
            return found
    rows = data.get("validation_results")
    if isinstance(rows, list) and "success" in data:
        return [(child("validation_results", i), mapping(row)) for i, row in enumerate(rows)]
    return []


def _failure(row: dict[str, Any], source: Source, place: str) -> tuple[dict[str, Any] | None, Problem | None]:
    config = mapping(row.get("expectation_config")) or row
    kwargs, result = mapping(config.get("kwargs")), mapping(row.get("result"))
    exception = mapping(row.get("exception_info"))
    raised = exception.get("raised_exception") is True
    if row.get("success") is True and not raised:
        return None, None
    expectation = text(config.get("type")) or text(config.get("expectation_type")) or "(not named)"
    column = text(kwargs.get("column")) or ", ".join(
        text(kwargs[key]) for key in ("column_A", "column_B") if text(kwargs.get(key))
    )
    found = {
        "expectation": expectation,
        "column": column,
        "count": number(result.get("unexpected_count")),
        "percent": number(result.get("unexpected_percent")),
    }
    if text(config.get("severity")):
        found["severity"] = text(config["severity"])
    problem = None
    if raised:
        found["error"] = True
        detail = f"{expectation} on {column or 'the table'} stopped with an error and counts as failed."
        problem = source.advice(child(place, "exception_info"), f"{detail} Mend the expectation and validate again.")
    return found, problem


def _table_columns(row: dict[str, Any]) -> list[str]:
    """Columns that the table has: those an expectation was evaluated on, and all of them where a passed one lists them."""
    config = mapping(row.get("expectation_config")) or row
    kind, kwargs = text(config.get("type")) or text(config.get("expectation_type")), mapping(config.get("kwargs"))
    if "success" not in row or mapping(row.get("exception_info")).get("raised_exception") is True:
        return []
    listed = _COLUMN_LISTS.get(kind)
    if listed is None:
        return [text(kwargs.get(key)) for key in _COLUMN_KEYS if text(kwargs.get(key))]
    if row.get("success") is not True or kwargs.get("exact_match") is False:
        return []
    return [text(name) for name in sequence(kwargs.get(listed)) if text(name)]


def _contradictions(result: dict[str, Any], rows: list[Any], source: Source, path: str) -> Iterator[Problem]:
    failing = sum(1 for row in rows if mapping(row).get("success") is not True)
    if result.get("success") is True and failing:
        yield source.problem(
            child(path, "success"),
            f"The file says success true, but {failing} of its {len(rows)} results failed. The results count.",
        )
    stated = number(mapping(result.get("statistics")).get("evaluated_expectations"))
    if stated is not None and stated != len(rows):
        place = child(child(path, "statistics"), "evaluated_expectations")
        yield source.problem(
            place, f"The file says {stated:g} expectations were evaluated, but holds {len(rows)}. Export the whole result."
        )


def _day(result: dict[str, Any], path: str) -> tuple[str, str] | None:
    """When the data was loaded, else when it was validated."""
    meta, place = mapping(result.get("meta")), child(path, "meta")
    run_id = meta.get("run_id")
    for value, locator in (
        (mapping(meta.get("batch_markers")).get("ge_load_time"), f"{place}.batch_markers.ge_load_time"),
        (meta.get("validation_time"), f"{place}.validation_time"),
        (mapping(run_id).get("run_time"), f"{place}.run_id.run_time"),
    ):
        found = from_text(value)
        if found:
            return found[:10], locator
    return None
