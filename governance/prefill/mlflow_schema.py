"""MLflow's column schemas: a JSON text or a list, of columns or of one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from governance.prefill.safe_json import parse_json
from governance.prefill.source import Problem, Source, child, mapping, shown, text


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of a schema in order. `complete` is False when an entry has no usable name."""

    names: tuple[str, ...] = ()
    complete: bool = True
    tensor: bool = False


def inner_json(value: Any, source: Source, path: str) -> tuple[Any, list[Problem]]:
    """JSON kept as text inside a document, parsed as strictly as the document; other values as they are."""
    if not isinstance(value, str):
        return value, []
    found, problems, _ = parse_json(value, source)
    return found, [Problem(p.file, _under(path, p.locator), p.detail, p.severity) for p in problems]


def _under(path: str, inner: str) -> str:
    if not inner:
        return path
    return path + inner if inner.startswith("[") else f"{path}: {inner}" if inner.startswith("line ") else f"{path}.{inner}"


def read_columns(value: Any, source: Source, path: str) -> tuple[Columns, list[Problem]]:
    """Names of the columns of a signature or data-set schema at `path`."""
    rows, problems = inner_json(value, source, path)
    if rows is None:
        return Columns(complete=not problems), problems
    if not isinstance(rows, list):
        return Columns(complete=False), [*problems, source.problem(path, f"A schema is a list of columns; found {shown(rows)}.")]
    names: dict[str, None] = {}
    complete, tensor = not problems, False
    for i, row in enumerate(rows):
        name = text(mapping(row).get("name"))
        if name and name not in names:
            names[name] = None
        elif mapping(row).get("type") == "tensor" and not name:
            tensor = True
        else:
            complete = False
            wrong = f'"{name}" is named twice' if name else "has no name"
            problems.append(
                source.problem(
                    child(path, i), f"This column {wrong}. Log the signature again with infer_signature on a data frame."
                )
            )
    return Columns(tuple(names), complete, tensor), problems
