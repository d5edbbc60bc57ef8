"""Which numbers a text names, and whether they are among given ones at the digits shown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gates.spec import Measure

# A measured number has decimals or a per cent sign; counts with thousands marks are measured too. Years, ids and "top 5" are not.
SHOWN = re.compile(r"(?<![\w.:/])([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(\s?%|(?![\w/%]|[.:,]\d|-\d))")
UNITS = re.compile(r"1,000 predictions|95 % interval|Below 0\.5 the ranking")


def shown(text: str) -> Iterator[tuple[str, float, int]]:
    """Each measured number of a text: as it stands, its size (a per cent as a share), and the decimals of that size."""
    for found in SHOWN.finditer(UNITS.sub("", text)):
        _, whole, decimals, percent = found.groups()
        if decimals is None and not percent and "," not in whole:
            continue
        places = len(decimals) - 1 if decimals else 0
        size = float(whole.replace(",", "") + (decimals or ""))
        yield found.group(0), size / 100 if percent else size, places + 2 if percent else places


def among(size: float, places: int, known: Iterable[float]) -> bool:
    """Whether one of the known numbers, without its sign, is shown like this."""
    near = 0.5000001 * 10.0**-places
    return any(math.isfinite(value) and abs(abs(value) - size) <= near for value in known)


def with_inverses(known: Iterable[float]) -> set[float]:
    """Also the other way round, as ratios are told, and percentages that were stored as such."""
    every = set(known)
    return every | {1 / value for value in every if value} | {value / 100 for value in every}


def numbers(value: Any) -> Iterator[float]:
    """Every number in plain data, those written in texts included."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, str):
        yield from (size for _, size, _ in shown(value))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from numbers(inner)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from numbers(inner)


def stored(rows: Iterable[Measure]) -> set[float]:
    """Every number that measurements hold: values, intervals, rows, details and texts."""
    return {number for row in rows for number in numbers([row.value, row.low, row.high, row.n, row.text, row.detail, row.reason])}
