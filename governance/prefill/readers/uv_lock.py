"""`uv.lock`: the framework and its version among what the project itself asks for, and one digest of everything it locks.

What comes along with other packages, and what only development needs, does not say what made the model. The digest covers names
and versions, so that two versions of a model can be compared whatever index their packages came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill import pinned_frameworks
from governance.prefill.pinned_frameworks import Pinned, framework_facts
from governance.prefill.requirement_lines import plain_name
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, sequence, shown, text

NAME = "uv_lock"
TITLE = "uv lock file"
FILLS = (*pinned_frameworks.FILLS, "model.dependencies")
ORDER = 40

_OWN = {"virtual", "editable", "directory"}


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    packages = sequence(data.get("package"))
    return document.form is Form.TOML and "version" in data and any(_source_of(row) for row in packages)


def _source_of(row: Any) -> dict[str, Any]:
    """Where uv took a package from: a table. Other lock files write text, or nothing."""
    return mapping(mapping(row).get("source"))


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    rows = sequence(mapping(document.data)["package"])
    own = [mapping(row) for row in rows if _OWN & set(_source_of(row))]
    asked = {
        plain_name(text(mapping(each).get("name")))
        for row in own
        for block in (row.get("dependencies"), *mapping(row.get("optional-dependencies")).values())
        for each in sequence(block)
    }
    packages = []
    locked = set()
    for i, row in enumerate(rows):
        name, place = plain_name(text(mapping(row).get("name"))), child("package", i)
        if not name:
            yield source.problem(place, f"A package has a name; found {shown(row)}. Make the file again with `uv lock`.")
            continue
        version = text(mapping(row).get("version"))
        if not _OWN & set(_source_of(row)):
            locked.add(f"{name}=={version}")
        if name in asked or not own:
            packages.append(Pinned(name, version, child(place, "version")))
    if locked:
        digest = hashlib.sha256("\n".join(sorted(locked)).encode()).hexdigest()
        yield source.fact(
            "model.dependencies", f"{len(locked)} package{'' if len(locked) == 1 else 's'}, sha256:{digest}", "package"
        )
    yield from framework_facts(packages, source, pin="Make the file again with `uv lock`.")
