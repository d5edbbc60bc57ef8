"""`dvc.lock`: the files a pipeline reads and writes, and its parameters. What one stage writes and another reads is inside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.source import Document, Form, Problem, Source, mapping, sequence, text

NAME = "dvc_lock"
TITLE = "DVC lock file"
FILLS = ("data.sources", "data.outputs", "training.parameters")
ORDER = 40

_CODE = (".py", ".sh", ".ipynb", ".r", ".sql", ".yaml", ".yml", ".toml")


def recognises(name: str, document: Document) -> bool:
    stages = mapping(mapping(document.data).get("stages"))
    return (
        document.form is not Form.CARD
        and bool(stages)
        and all({"deps", "outs", "cmd"} & set(mapping(stage)) for stage in stages.values())
        and any({"md5", "hash", "etag", "size"} & set(mapping(row)) for stage in stages.values() for row in _rows(stage, "outs"))
    )


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    stages = mapping(mapping(document.data)["stages"])
    written = [text(row.get("path")) for stage in stages.values() for row in _rows(stage, "outs")]
    read_paths = [text(row.get("path")) for stage in stages.values() for row in _rows(stage, "deps")]
    inputs = [path for path in read_paths if path and path not in written and not path.lower().endswith(_CODE)]
    if inputs:
        yield source.fact("data.sources", list(dict.fromkeys(inputs)), "stages[].deps")
    if any(written):
        yield source.fact("data.outputs", list(dict.fromkeys(filter(None, written))), "stages[].outs")
    parameters = _parameters(stages)
    if parameters:
        yield source.fact("training.parameters", parameters, "stages[].params")


def _rows(stage: object, side: str) -> list[dict[str, object]]:
    return [mapping(row) for row in sequence(mapping(stage).get(side))]


def _parameters(stages: dict[str, Any]) -> dict[str, Any]:
    """Every parameter a stage was run with; where two files give one name different values, the name carries its file."""
    rows = [
        (file, name, value)
        for stage in stages.values()
        for file, held in mapping(mapping(stage).get("params")).items()
        for name, value in mapping(held).items()
    ]
    values: dict[str, list[Any]] = {}
    for _, name, value in rows:
        if value not in values.setdefault(name, []):
            values[name].append(value)
    return {(name if len(values[name]) == 1 else f"{file}:{name}"): value for file, name, value in rows}
