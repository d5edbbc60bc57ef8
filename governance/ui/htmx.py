"""Whole page or part of it: decided in one place, from the same template file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def render_page_or_part(
    request: HttpRequest,
    page_template: str,
    part_template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render `part_template` for htmx, `page_template` (which includes the same file) for everybody else.

    A boosted link and a history restore are page loads, so they get the page. Both answers say that they differ by header,
    so that no cache hands a part to a browser that asked for the page.
    """
    response = render(request, part_template if wants_part(request) else page_template, dict(context or {}), status=status)
    patch_vary_headers(response, ("HX-Request", "HX-Boosted", "HX-History-Restore-Request"))
    return response


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page it already shows."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )
