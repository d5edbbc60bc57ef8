"""A pip requirements file: the framework and its version, where one library that makes models is pinned."""

from __future__ import annotations

from collections.abc import Iterator

from governance.domain.facts import Fact
from governance.prefill import pinned_frameworks
from governance.prefill.pinned_frameworks import Pinned, framework_facts
from governance.prefill.requirement_lines import MOST_LINES, Requirement, requirements
from governance.prefill.source import Document, Form, Problem, Source

NAME = "requirements_txt"
TITLE = "pip requirements file"
FILLS = pinned_frameworks.FILLS
ORDER = 40


def recognises(name: str, document: Document) -> bool:
    return document.form is Form.REQUIREMENTS


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    packages = []
    for item in requirements(document.body):
        if isinstance(item, Requirement):
            packages.append(Pinned(item.name, item.version, f"line {item.line}"))
        else:
            detail = f"Line {item} is no requirement such as scikit-learn==1.9.1. It is left out; the rest of the file is read."
            yield source.problem(f"line {item}", detail)
    if len(document.body.splitlines()) > MOST_LINES:
        yield source.problem(
            f"line {MOST_LINES + 1}", f"Only the first {MOST_LINES:,} lines are read. Send the file of this model alone."
        )
    yield from framework_facts(packages, source, pin="Pin it with ==, as `pip freeze` or `uv export` do.")
