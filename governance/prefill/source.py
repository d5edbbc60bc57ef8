"""What a reader is given and what it hands back: the source, the parsed document, facts and problems."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance
from governance.prefill.limits import MAX_LOCATOR, MAX_NAME


class ProblemSeverity(StrEnum):
    """`error`: something could not be read and is not in the facts. `advice`: it was read, but should be better."""

    ERROR = "error"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file. `detail` says what was expected, what was found and how to mend it."""

    file: str
    locator: str
    detail: str
    severity: ProblemSeverity = ProblemSeverity.ERROR


class Form(StrEnum):
    """How the text of a source is written."""

    JSON = "json"
    YAML = "yaml"
    CARD = "card"
    TOML = "toml"
    REQUIREMENTS = "requirements"


@dataclass(frozen=True, slots=True)
class Document:
    """A source after safe parsing.

    `data` holds plain JSON values only (front matter for a card, {} when it has none); `body` the Markdown of a card, or the
    lines of a requirements file.
    """

    form: Form
    data: Any
    body: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Which file is being read. `digest` is `sha256:<hex>` of its bytes and goes into every fact."""

    name: str
    digest: str

    def fact(self, name: str, value: Any, locator: str, *, assurance: Assurance = Assurance.FILE) -> Fact:
        """A fact as this file states it. A file is never more than FILE: a registry connection raises it elsewhere."""
        return Fact(
            name=name, value=value, assurance=assurance, origin=self.name, locator=locator[:MAX_LOCATOR], digest=self.digest
        )

    def problem(self, locator: str, detail: str) -> Problem:
        return Problem(self.name, locator[:MAX_LOCATOR], detail, ProblemSeverity.ERROR)

    def advice(self, locator: str, detail: str) -> Problem:
        return Problem(self.name, locator[:MAX_LOCATOR], detail, ProblemSeverity.ADVICE)


def file_name(name: str) -> str:
    """A file's name as it may be stored and shown: at most 255 characters, none of them a control or half a surrogate pair."""
    return "".join("\ufffd" if unicodedata.category(char) in {"Cc", "Cs"} else char for char in name[:MAX_NAME]) or "(no name)"


def mapping(value: Any) -> dict[str, Any]:
    """`value` when it is a mapping, else an empty one: a reader goes on with what it can use."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """`value` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` without surrounding blanks when it is text, else an empty string."""
    return value.strip() if isinstance(value, str) else ""


def child(path: str, key: str | int) -> str:
    """The locator of `key` under `path`: `signature.inputs[0].name`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def shown(value: Any, limit: int = 60) -> str:
    """`value` as it may stand in a message: short, on one line."""
    words = repr(value) if not isinstance(value, str) else f'"{value}"'
    words = " ".join(words.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"
