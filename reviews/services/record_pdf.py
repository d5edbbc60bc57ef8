"""Draws the record of a signature as PDF: tagged for screen readers (PDF/UA-1), the same bytes for the same record.

Typst sets it in a few milliseconds from a template of ours and from data; it reads no file, no network and no font of this host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

TEMPLATE = (Path(__file__).resolve().parents[1] / "records" / "sign_off.typ").read_bytes()
_MISSING = re.compile(r'the text `"(.+?)"` could not be displayed')
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MOST_MISSING = 60


def draw(record: Mapping[str, Any]) -> bytes:
    """The PDF of a record (see `reviews.selectors.sign_off_record`).

    A letter that the record's font does not have is written as its code, such as [U+65E5]: nothing is left out silently.
    """
    text = json.dumps(_without_control(record), ensure_ascii=False, sort_keys=True)
    for _ in range(MOST_MISSING):
        try:
            return _compile(text)
        except typst.TypstError as exc:
            found = _MISSING.search(str(exc))
            if found is None:
                raise
            text = text.replace(found[1], _code(found[1])) if found[1] in text else _plain(text)
    return _compile(_plain(text))


def _compile(text: str) -> bytes:
    drawn = typst.compile(TEMPLATE, format="pdf", sys_inputs={"data": text}, pdf_standards=["ua-1"], ignore_system_fonts=True)
    assert isinstance(drawn, bytes)
    return drawn


def _without_control(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub(" ", value)
    if isinstance(value, Mapping):
        return {key: _without_control(item) for key, item in value.items()}
    return [_without_control(item) for item in value] if isinstance(value, list) else value


def _code(letters: str) -> str:
    return "".join(f"[U+{ord(letter):04X}]" for letter in letters)


def _plain(text: str) -> str:
    """Every letter beyond Latin and usual punctuation as its code: for texts in scripts that the font does not have."""
    return "".join(ch if ord(ch) < 0x250 or ch in "–—‘’“”…≤≥≠→" else _code(ch) for ch in text)
