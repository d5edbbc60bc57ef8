"""Which kind a text column is, and its conversion. Closed rules on all rows: no sampling, nothing evaluated.

Kinds: `integer`, `number`, `boolean`, `time`, `text` (and `other` for nested Parquet types, which no collector reads).
A column of digits with leading zeros stays text, because 007 and 7 are different ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

MISSING_WORDS = ("", "NA", "N/A", "n/a", "null", "NULL", "None", "none")

_INTEGER = r"^[+-]?(0|[1-9][0-9]{0,17})$"
_NUMBER = r"^[+-]?(((0|[1-9][0-9]{0,17})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[iI]nf(inity)?|[nN]a[nN])$"
_BOOLEAN = r"^([tT]rue|[fF]alse|TRUE|FALSE)$"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
_DECIMAL_COMMA = r"^[+-]?[0-9]{1,3}(\.[0-9]{3})*,[0-9]+$"
_PATTERNS = (("integer", _INTEGER), ("number", _NUMBER), ("boolean", _BOOLEAN), ("time", _TIME))


@dataclass
class KindFinder:
    """Collects over batches which kinds are still possible for one text column."""

    possible: set[str] = field(default_factory=lambda: {"integer", "number", "boolean", "time"})
    seen: int = 0
    decimal_commas: int = 0
    not_numbers: int = 0
    example: str = ""

    def add(self, column: pa.Array) -> None:
        """Look at the distinct values of one batch."""
        values = pc.unique(pc.utf8_trim_whitespace(column))
        values = values.filter(pc.invert(pc.is_in(values, value_set=pa.array(MISSING_WORDS))))
        if not len(values):
            return
        self.seen += len(values)
        for kind, pattern in _PATTERNS:
            if kind in self.possible and not pc.all(pc.match_substring_regex(values, pattern)).as_py():
                self.possible.discard(kind)
        if "number" not in self.possible:
            odd = values.filter(pc.invert(pc.match_substring_regex(values, _NUMBER)))
            self.not_numbers += len(odd)
            self.decimal_commas += pc.sum(pc.match_substring_regex(values, _DECIMAL_COMMA)).as_py() or 0
            if not self.example and len(odd):
                self.example = odd[0].as_py()

    @property
    def kind(self) -> str:
        if not self.seen:
            return "text"
        return next((kind for kind, _ in _PATTERNS if kind in self.possible), "text")

    @property
    def mostly_numbers(self) -> bool:
        """Text only because of a few cells: probably mixed types."""
        return self.kind == "text" and self.seen > 1 and self.not_numbers * 2 < self.seen


def convert(column: pa.Array | pa.ChunkedArray, kind: str) -> pa.Array | pa.ChunkedArray:
    """Text cells to `kind`. Missing words become null in typed columns; in text columns only the empty cell does."""
    if kind == "text":
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    trimmed = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING_WORDS))
    trimmed = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    if kind == "boolean":
        return pc.equal(pc.utf8_lower(trimmed), "true")
    if kind == "time":
        return trimmed.cast(pa.timestamp("us"))
    if kind == "integer":
        return pc.utf8_ltrim(trimmed, "+").cast(pa.int64())
    return pc.utf8_ltrim(trimmed, "+").cast(pa.float64())
