"""Keyset pages: the next page starts after a row, not after a number of rows, so that deep pages cost what the first one does."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet

from governance.domain.errors import FieldError, InvalidInput

R = TypeVar("R", bound=Model)
MOST = 100


@dataclass(frozen=True)
class Page(Generic[R]):
    """One page. `next` and `previous` are cursors, "" where there is nothing."""

    rows: tuple[R, ...]
    next: str
    previous: str


def page_of(rows: QuerySet[R], *, keys: Sequence[str], cursor: str, size: int) -> Page[R]:
    """The page a cursor names, in the order of `keys` (`-id` for descending; the last key must be unique). One query.

    Raises `InvalidInput` for a cursor that is not one of ours.
    """
    size = max(1, min(size, MOST))
    backwards, values = _read(cursor, len(keys)) if cursor else (False, None)
    ordered = rows.order_by(*(_turned(key) if backwards else key for key in keys))
    if values is not None:
        ordered = ordered.filter(_beyond(keys, values, backwards))
    found = list(ordered[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    # where a cursor brought us here, there is something on the side we came from
    has_next, has_previous = (True, more) if backwards else (more, values is not None)
    return Page(
        rows=tuple(found),
        next=_cursor(found[-1], keys, "a") if found and has_next else "",
        previous=_cursor(found[0], keys, "b") if found and has_previous else "",
    )


@contextmanager
def walking_an_index(wanted: bool = True) -> Iterator[None]:
    """Within this a page is read in the order of an index until it is full, instead of collecting all rows and sorting them.

    For conditions of which the planner knows too little: it takes thousands of rows for one, and sorts "that one".
    """
    if not wanted:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        yield


def _turned(key: str) -> str:
    return key[1:] if key.startswith("-") else f"-{key}"


def _beyond(keys: Sequence[str], values: Sequence[Any], backwards: bool) -> Q:
    """Rows after (or before) the given key values: (a > x) or (a = x and b > y) or …"""
    condition, same = Q(pk__in=[]), Q()
    for key, value in zip(keys, values, strict=True):
        name, down = key.lstrip("-"), key.startswith("-")
        condition |= same & Q(**{f"{name}__{'lt' if down is not backwards else 'gt'}": value})
        same &= Q(**{name: value})
    return condition


def _cursor(row: Model, keys: Sequence[str], direction: str) -> str:
    values = [getattr(row, key.lstrip("-")) for key in keys]
    plain = [v.isoformat() if isinstance(v, datetime) else [v] if isinstance(v, str) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps([direction, *plain], separators=(",", ":")).encode()).decode().rstrip("=")


def _plain(value: Any) -> Any:
    """A moment is written as text, text as a list of one: so neither is taken for the other."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) and "\x00" not in value[0]:
        return value[0][:200]
    return value


def _read(cursor: str, count: int) -> tuple[bool, list[Any]]:
    try:
        raw = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        direction, *values = raw
        values = [_plain(value) for value in values]
        fine = (
            direction in ("a", "b")
            and len(values) == count
            and all(isinstance(v, int | datetime | str) and not isinstance(v, bool) for v in values)
        )
    except (ValueError, TypeError, binascii.Error, UnicodeDecodeError, RecursionError):
        fine = False
    if (
        not fine
        or any(isinstance(v, int) and abs(v) > 2**62 for v in values)
        or any(isinstance(v, datetime) and v.tzinfo is None for v in values)
    ):
        raise InvalidInput(
            "The cursor is not one this list gave out. Start without one.",
            errors=(FieldError("/cursor", "unknown", "Leave it out."),),
        )
    return direction == "b", values
