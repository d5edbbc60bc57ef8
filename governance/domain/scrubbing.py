"""Takes secrets out of text that goes to a log: tokens of ours, identity tokens, passwords in addresses, and what the environment
holds as secret."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

HIDDEN = "[hidden]"
SHORTEST = 8
"""What is shorter is no secret: hiding it would only make logs unreadable."""
_NAMES = re.compile(r"(SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|_KEY)(_FILE)?$")
_SHAPES = (
    (re.compile(r"\bgrl_[A-Za-z0-9_-]{6,}"), f"grl_{HIDDEN}"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]{6,}"), f"whsec_{HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic|token)\s+)?[^\s'\",;]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@"), rf"\1:{HIDDEN}@"),
)


def scrubbed(text: str) -> str:
    """The text without secrets."""
    for value in _values():
        text = text.replace(value, HIDDEN)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


class ScrubbingFormatter(logging.Formatter):
    """Formats as usual, and hides secrets in the result: in messages, arguments and tracebacks alike."""

    def format(self, record: logging.LogRecord) -> str:
        return scrubbed(super().format(record))


def _values() -> list[str]:
    """What the environment holds as secret, the longest first. Files are read anew: a Vault agent changes them."""
    found = set()
    for name, value in os.environ.items():
        known = _NAMES.search(name)
        if not known or not value:
            continue
        if known[2]:
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError, ValueError):
                continue
        if len(value) >= SHORTEST and not Path(value).is_absolute():
            found.add(value)
    return sorted(found, key=len, reverse=True)
