"""Fields of a register: what they mean, and how a value is read. Pure.

One list of fields serves the form, the API, the imports and the page of an entry.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from governance.domain.errors import FieldError

MOST_LETTERS = 300
MOST_ITEMS = 2_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `hint` says what good enough looks like."""

    name: str
    label: str
    kind: Literal["text", "list", "yes_no", "date", "days", "choice"]
    hint: str = ""
    choices: tuple[str, ...] = ()
    most: int = MOST_LETTERS

    @property
    def empty(self) -> Any:
        """What stands there while nobody has said anything."""
        return {"list": [], "yes_no": False, "date": None, "days": None}.get(self.kind, "")


def read_values(fields: Sequence[Field], raw: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[FieldError, ...]]:
    """The values as the register holds them, and what is wrong. Texts of forms and values of JSON are both read."""
    by_name = {field.name: field for field in fields}
    found: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in raw.items():
        field = by_name.get(name)
        if field is None:
            known = ", ".join(by_name)
            errors.append(FieldError(f"/{name}", "unknown_field", f"The register has no field “{name[:60]}”. It has: {known}."))
            continue
        try:
            found[name] = _read(field, value)
        except ValueError as exc:
            errors.append(FieldError(f"/{name}", "invalid", f"{field.label}: {exc}."))
    return found, tuple(errors)


def _read(field: Field, value: Any) -> Any:
    if field.kind == "list":
        return _list(value)
    if field.kind == "yes_no":
        word = {"yes": True, "true": True, "no": False, "false": False, "": False}.get(str(value).strip().lower())
        if word is None:
            raise ValueError(f"expected yes or no, found “{str(value)[:40]}”")
        return word
    if value is None or (isinstance(value, str) and not value.strip()):
        return None if field.kind in ("date", "days") else ""
    if field.kind == "date":
        try:
            return dt.date.fromisoformat(str(value).strip()[:10]).isoformat()
        except ValueError:
            raise ValueError(f"expected a date as year-month-day, found “{str(value)[:40]}”") from None
    if field.kind == "days":
        text = str(value).strip()
        if not text.isdecimal() or not 0 < int(text[:10]) < 100_000:
            raise ValueError(f"expected a whole number of days, found “{text[:40]}”")
        return int(text)
    text = _text(value, field.most)
    if field.choices and text not in field.choices:
        raise ValueError(f"expected one of {', '.join(field.choices)}, found “{text[:40]}”")
    return text


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        value = value.replace(";", "\n").replace(",", "\n").splitlines()
    if not isinstance(value, list) or len(value) > MOST_ITEMS or not all(isinstance(item, str) for item in value):
        raise ValueError(f"expected a list of at most {MOST_ITEMS:,} words")
    return list(dict.fromkeys(_text(item, MOST_LETTERS) for item in value if item.strip()))


def _text(value: Any, most: int) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("expected text")
    text = " ".join("".join(char if char.isprintable() else " " for char in str(value)).split())
    if len(text) > most:
        raise ValueError(f"expected at most {most} letters, found {len(text)}")
    return text
