"""Where a version comes from and where it went, as a page and as JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.ui.drafts import caller_of
from reviews.selectors.lineage import STAGES, TITLES, Lineage, lineage, to_document

WIDE, HIGH, GAP_X, GAP_Y, MOST = 150, 46, 26, 12, 4


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The way from raw source to deployment: a drawing, and the same as a list with digests, evidence and links."""
    found = lineage(caller_of(request), pk)
    stages = [{"title": TITLES[stage], "nodes": found.of(stage)} for stage in STAGES if found.of(stage)]
    names = {node.id: f"{node.title}: {node.name}" for node in found.nodes}
    edges = [
        {
            "from": names[edge.source],
            "to": names[edge.target],
            "says": edge.says,
            "evidence": edge.evidence,
            "broken": edge.broken,
        }
        for edge in found.edges
    ]
    context = {"l": found, "pk": pk, "stages": stages, "edges": edges, "drawing": drawing(found)}
    return render(request, "reviews/lineage.html", context)


@require_GET
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """The graph as JSON."""
    found = lineage(caller_of(request), pk)
    headers = {"Content-Disposition": f'attachment; filename="lineage-{found.submission}.json"', "Cache-Control": "no-store"}
    return JsonResponse(to_document(found), headers=headers)


def drawing(found: Lineage) -> dict[str, Any]:
    """Boxes and lines of the picture: one column a stage, at most a few boxes each; what does not fit is counted."""
    boxes: list[dict[str, Any]] = []
    at: dict[str, tuple[int, int]] = {}
    tallest = 1
    for column, stage in enumerate(STAGES):
        nodes = found.of(stage)
        shown = nodes[:MOST]
        tallest = max(tallest, len(shown) + (len(nodes) > MOST))
        for line, node in enumerate(shown):
            x, y = 8 + column * (WIDE + GAP_X), 30 + line * (HIGH + GAP_Y)
            at[node.id] = (x, y)
            boxes.append(
                {
                    "x": x,
                    "y": y,
                    "tx": x + 10,
                    "ty": y + 20,
                    "uy": y + 36,
                    "name": _cut(node.name, 17),
                    "more": _cut(_short(node.digest), 20),
                    "missing": node.missing,
                }
            )
        if len(nodes) > MOST:
            x, y = 8 + column * (WIDE + GAP_X), 30 + MOST * (HIGH + GAP_Y)
            boxes.append(
                {
                    "x": x,
                    "y": y,
                    "tx": x + 10,
                    "ty": y + 20,
                    "uy": y + 36,
                    "name": f"and {len(nodes) - MOST} more",
                    "more": "",
                    "missing": False,
                }
            )
    lines = [
        {
            "x1": at[e.source][0] + WIDE,
            "y1": at[e.source][1] + HIGH // 2,
            "x2": at[e.target][0],
            "y2": at[e.target][1] + HIGH // 2,
            "broken": e.broken,
        }
        for e in found.edges
        if e.source in at and e.target in at
    ]
    heads = [{"x": 8 + column * (WIDE + GAP_X), "title": TITLES[stage]} for column, stage in enumerate(STAGES)]
    width = 16 + len(STAGES) * (WIDE + GAP_X) - GAP_X
    return {
        "boxes": boxes,
        "lines": lines,
        "heads": heads,
        "width": width,
        "height": 30 + tallest * (HIGH + GAP_Y) + 4,
        "wide": WIDE,
        "high": HIGH,
    }


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _short(digest: str) -> str:
    return digest.rsplit(":", 1)[-1][:16]
