"""The table beneath a chart as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from gates.models import Chart

# A cell that begins like this is a formula to a spreadsheet; an apostrophe before it makes it text (OWASP, CSV injection)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def chart_csv(chart: Chart) -> str:
    """Column headings and rows, RFC 4180, with formulas in text disarmed. Numbers stay numbers."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([cell(name) for name in chart.columns])
    writer.writerows([cell(value) for value in row] for row in _rows(chart.rows))
    return out.getvalue()


def cell(value: Any) -> Any:
    """One cell: text that a spreadsheet would run gets an apostrophe in front."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _rows(rows: Iterable[Any]) -> Iterable[Iterable[Any]]:
    return (row if isinstance(row, list | tuple) else [row] for row in rows)
