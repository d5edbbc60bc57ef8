"""TOML from strangers, by the standard library: deep nesting and keys made to cost time are refused, dates become text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from datetime import date, datetime, time
from typing import Any

from governance.prefill.cleaning import TooMuch, clean
from governance.prefill.limits import MAX_DEPTH
from governance.prefill.source import Problem, Source

_MOST_DOTS = 4
"""Dots of one line outside of strings: each part of a dotted key costs the parser a look at all before it."""
_STRINGS = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
_COMMENT = re.compile(r"#.*")
_LONGEST_LINE = 20_000
_MOST_LINES = 40_000
_WHERE = re.compile(r" \(at (line \d+, column \d+)\)$")
_WAY_OUT = "Send the file as its tool wrote it."


def parse_toml(words: str, source: Source, *, without: Collection[str] = ()) -> tuple[Any, list[Problem], bool]:
    """Return (plain value, problems, whether it could be parsed at all). `without`: keys that are left out, wherever they are."""
    try:
        _check_lines(words)
        value, problems = clean(_plain(tomllib.loads(words), without, 0), source)
    except RecursionError:
        return None, [source.problem("", f"This TOML nests deeper than {MAX_DEPTH} levels. {_WAY_OUT}")], False
    except TooMuch as exc:
        return None, [source.problem("", f"This TOML {exc}. {_WAY_OUT}")], False
    except tomllib.TOMLDecodeError as exc:
        what = str(exc)
        found = _WHERE.search(what)
        place = found[1] if found else ""
        detail = f"This is not valid TOML: {_WHERE.sub('', what)}. Mend {place or 'it'}, or make the file again."
        return None, [source.problem(place, detail)], False
    return value, problems, True


def _check_lines(words: str) -> None:
    """Refuse what no lock file holds and what the parser would spend long on. Raises `TooMuch`."""
    if '"""' in words or "'''" in words:
        raise TooMuch("holds a text over several lines, which is not read")
    lines = words.splitlines()
    if len(lines) > _MOST_LINES:
        raise TooMuch(f"has {len(lines):,} lines; {_MOST_LINES:,} are the most")
    for line in lines:
        if len(line) > _LONGEST_LINE:
            raise TooMuch(f"has a line of {len(line):,} characters; {_LONGEST_LINE:,} are the most")
        if line.count(".") > _MOST_DOTS and _COMMENT.sub("", _STRINGS.sub("", line)).count(".") > _MOST_DOTS:
            raise TooMuch("has a key of very many parts")


def _plain(value: Any, without: Collection[str], depth: int) -> Any:
    """Plain JSON values: TOML's dates and times as ISO 8601."""
    if depth > MAX_DEPTH:
        raise TooMuch(f"nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {key: _plain(inner, without, depth + 1) for key, inner in value.items() if key not in without}
    if isinstance(value, list):
        return [_plain(inner, without, depth + 1) for inner in value]
    return value.isoformat() if isinstance(value, datetime | date | time) else value
