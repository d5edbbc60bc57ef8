"""Secrets left in text: tokens and keys by their fixed shape, passwords in addresses, and assignments that look random.

The one place where secrets are told from other text. What is found is named by kind and place; the secret itself is never kept,
not even hashed (a short password can be guessed from its hash).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

WINDOW, OVERLAP = 4_000, 400
MOST_FOUND = 200
_SHAPES = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{60,255}\b")),
    ("a GitLab token", re.compile(r"\bgl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_-]{20,60}\b")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,200}\b")),
    ("a Slack webhook", re.compile(r"https://hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}")),
    ("a Google API key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a Stripe key", re.compile(r"\b[sr]k_live_[0-9A-Za-z]{20,120}\b")),
    ("an npm token", re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    ("a PyPI token", re.compile(r"\bpypi-AgE[A-Za-z0-9_-]{50,200}\b")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z]{34}\b")),
    ("an OpenAI or Anthropic key", re.compile(r"\bsk-(?:proj-|ant-(?:api\d\d-)?)[A-Za-z0-9_-]{32,200}")),
    ("a signed web token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{20,2000}")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>]{1,100}:(?P<value>[^\s/@\"'<>]{3,100})@")),
)
_ASSIGNED = re.compile(
    r"(?i)\b(?P<name>[a-z0-9_.-]{0,40}(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret))"
    r"[\"']?\s{0,4}(?::|=|=>)\s{0,4}[\"']?(?P<value>[A-Za-z0-9+/_=.!@#$%^&*~-]{12,200})"
)
# what a name has to hold at least: cheap to look for, so that other text is not searched at length
_NAMED = re.compile(r"(?i)passw|secret|token|key")
_PLACEHOLDER = re.compile(
    r"(?i)^(?:[*x.\-_#]+|\$\{?.*|%.*%|\{\{.*|<.*|(?:your|my|the|some|example|sample|dummy|fake|test|change|placeholder|redacted|"
    r"masked|none|null|undefined|required|secret|password|token)[\w.-]*)$"
)
_REFERENCE = re.compile(
    r"(?i)^(?:vault|secretsmanager|arn|ssm|kms|file|env|os\.environ|getenv|settings|config|self|process)[:.\[(/].*"
)
_LEAST_BITS = 3.5


@dataclass(frozen=True, slots=True)
class Found:
    """One find: what it is and in which line, never what it says."""

    kind: str
    line: int


def secrets_in(text: str) -> Iterator[Found]:
    """Finds in a text, at most one of a kind a line. A long line (minified JSON) is looked through in windows that overlap."""
    count = 0
    for number, line in enumerate(text.splitlines(), 1):
        windows = (line[at : at + WINDOW] for at in range(0, max(1, len(line) - OVERLAP), WINDOW - OVERLAP))
        for kind in dict.fromkeys(kind for window in windows for kind in kinds_in(window)):
            yield Found(kind, number)
            count += 1
            if count >= MOST_FOUND:
                return


def kinds_in(line: str) -> Iterator[str]:
    """What kinds of secret a single line holds."""
    for kind, shape in _SHAPES:
        match = shape.search(line)
        if match is not None and not ("value" in match.groupdict() and _PLACEHOLDER.match(match["value"])):
            yield kind
    if _NAMED.search(line) is None:
        return
    for match in _ASSIGNED.finditer(line):
        value = match["value"]
        if not _PLACEHOLDER.match(value) and not _REFERENCE.match(value) and looks_random(value):
            yield f"a value of “{match['name'][-30:]}” that looks random"
            return


def looks_random(value: str) -> bool:
    """Whether a value has letters and digits and at least 3.5 bits of entropy a character: words and paths have fewer."""
    has = {char.isdigit() for char in value if char.isalnum()}
    return has == {True, False} and bits(value) >= _LEAST_BITS


def bits(value: str) -> float:
    """Shannon entropy a character."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
