"""JSON from strangers: duplicate names, NaN, endless integers and deep nesting are found, not swallowed."""

from __future__ import annotations

import json
from typing import Any

from governance.prefill.cleaning import Refused, TooMuch, clean
from governance.prefill.limits import MAX_DEPTH
from governance.prefill.source import Problem, Source

_LONGEST_INTEGER = 20


def parse_json(words: str, source: Source) -> tuple[Any, list[Problem], bool]:
    """Return (plain value, problems, whether it could be parsed at all)."""
    try:
        raw = json.loads(words, object_pairs_hook=_object, parse_int=_integer)
        value, problems = clean(raw, source)
    except RecursionError:
        return (
            None,
            [source.problem("", f"This JSON nests deeper than {MAX_DEPTH} levels. Send the file as its tool wrote it.")],
            False,
        )
    except TooMuch as exc:
        return None, [source.problem("", f"This JSON {exc}. Send the file as its tool wrote it.")], False
    except json.JSONDecodeError as exc:
        detail = f"This is not valid JSON: {exc.msg}. Mend line {exc.lineno}, column {exc.colno}, or export the file again."
        return None, [source.problem(f"line {exc.lineno}, column {exc.colno}", detail)], False
    return value, problems, True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found and not _equal(found[key], value):
            found[key] = Refused("is given more than once with different content, so neither is used. Keep one")
        else:
            found[key] = value
    return found


def _equal(one: Any, other: Any) -> bool:
    """Whether two parsed values are the same; containers never count, so that comparing costs nothing."""
    return type(one) is type(other) and isinstance(one, str | int | float | bool | None) and bool(one == other)


def _integer(digits: str) -> Any:
    if len(digits) > _LONGEST_INTEGER:
        return Refused(f"is a whole number of {len(digits):,} digits. Write it as text")
    return int(digits)
