"""`Collected` as JSON between the child process and the worker. The worker trusts nothing of it: types, sizes and names are
checked.

Pure: used on both sides, imports no measuring library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gates.collecting import Collected, Doing, MeasuredFact, Picture
from gates.spec import Measure

MAX_MEASURES = 50_000
MAX_TEXT = 20_000
MAX_DEPTH = 40
MAX_DOING = 160


class WireError(ValueError):
    """The child's answer has not the agreed form."""


def plain(value: Any, depth: int = 0) -> Any:
    """JSON-ready copy: numpy scalars become Python numbers, NaN and infinities None, tuples lists, keys text."""
    if depth > MAX_DEPTH:
        raise WireError("nested too deeply")
    if isinstance(value, str | bool | int) or value is None:
        return str(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth + 1) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), depth + 1)
    return str(value)


def encode(collected: Collected) -> dict[str, Any]:
    """What the child writes."""
    encoded: dict[str, Any] = plain(asdict(collected))
    return encoded


def decode(data: Any) -> Collected:
    """What the worker reads. Raises WireError when anything is not of the agreed form."""
    body = _mapping(data, "answer")
    measures = _sequence(body.get("measures", ()), "measures", MAX_MEASURES)
    collected = Collected(
        measures=tuple(_measure(row) for row in measures),
        facts=tuple(_fact(row) for row in _sequence(body.get("facts", ()), "facts", 1_000)),
        pictures=tuple(_picture(row) for row in _sequence(body.get("pictures", ()), "pictures", 100)),
        notes=tuple(_text(note, "note") for note in _sequence(body.get("notes", ()), "notes", 1_000)),
        not_measured=_text(body.get("not_measured", ""), "not_measured"),
        not_applicable=_text(body.get("not_applicable", ""), "not_applicable"),
    )
    if bool(collected.measures) + bool(collected.not_measured) + bool(collected.not_applicable) > 1:
        raise WireError("measurements and a reason for having none")
    return collected


def decode_doing(data: Mapping[str, Any]) -> Doing:
    """What a collector says it is doing, from a progress line. Raises WireError for another form; long words are cut."""
    says = " ".join(_text(data.get("says", ""), "says").split())
    return Doing(says[:MAX_DOING], _count(data.get("done"), "done"), _count(data.get("total"), "total"))


def _count(value: Any, what: str) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**62):
        raise WireError(f"{what} is not a count")
    return value


def _measure(data: Any) -> Measure:
    row = _mapping(data, "measure")
    n = row.get("n")
    if n is not None and (isinstance(n, bool) or not isinstance(n, int)):
        raise WireError("n is not a whole number")
    metric = _text(row.get("metric"), "metric")
    if not metric:
        raise WireError("a measure without a metric")
    return Measure(
        metric=metric,
        value=_number(row.get("value"), "value"),
        group=_text(row.get("group", ""), "group"),
        low=_number(row.get("low"), "low"),
        high=_number(row.get("high"), "high"),
        n=n,
        text=_text(row.get("text", ""), "text"),
        reason=_text(row.get("reason", ""), "reason"),
        detail=_mapping(row.get("detail", {}), "detail"),
    )


def _fact(data: Any) -> MeasuredFact:
    row = _mapping(data, "fact")
    return MeasuredFact(
        name=_text(row.get("name"), "fact name"),
        value=row.get("value"),
        low=_number(row.get("low"), "low"),
        high=_number(row.get("high"), "high"),
        locator=_text(row.get("locator", ""), "locator"),
    )


def _picture(data: Any) -> Picture:
    row = _mapping(data, "picture")
    return Picture(
        key=_text(row.get("key"), "picture key"),
        title=_text(row.get("title"), "title"),
        description=_text(row.get("description"), "description"),
        spec=_mapping(row.get("spec"), "spec"),
        columns=tuple(_text(name, "column") for name in _sequence(row.get("columns", ()), "columns", 100)),
        rows=tuple(tuple(_sequence(cells, "row", 100)) for cells in _sequence(row.get("rows", ()), "rows", 5_000)),
    )


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WireError(f"{what} is not an object")
    return value


def _sequence(value: Any, what: str, most: int) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise WireError(f"{what} is not a list")
    if len(value) > most:
        raise WireError(f"{what}: {len(value):,} entries, at most {most:,}")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise WireError(f"{what} is not text")
    if len(value) > MAX_TEXT:
        raise WireError(f"{what} is longer than {MAX_TEXT:,} characters")
    return value


def _number(value: Any, what: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise WireError(f"{what} is not a finite number")
    return float(value)
