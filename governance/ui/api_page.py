"""The interactive page of the API: every operation from the OpenAPI document, to read and to try."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One line of the list: `address` leads to it in the viewer."""

    method: str
    path: str
    summary: str
    address: str


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The viewer, and the same operations as a plain list for whoever reads without scripts."""
    return render(request, "governance/api.html", {"operations": operations()})


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation by path, from the document as the code says it. Made once a process: the code does not change."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return tuple(
        Operation(
            method.upper(),
            path,
            row.get("summary", ""),
            f"#/{row['tags'][0]}/{row['operationId']}",
        )
        for path, rows in sorted(document["paths"].items())
        for method, row in rows.items()
        if method in METHODS
    )
