"""Addresses of lists: filters live in them, so they survive reload and can be shared."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest


def address(request: HttpRequest, **changes: str) -> str:
    """The present address with some of its parameters changed; empty ones are left out."""
    query = {**request.GET.dict(), **changes}
    return "?" + urlencode({name: value for name, value in query.items() if value})


def page_links(request: HttpRequest, following: str, before: str) -> dict[str, Any]:
    """What `components/_pagination.html` takes."""
    return {
        "next": address(request, cursor=following) if following else "",
        "previous": address(request, cursor=before) if before else "",
        "shown": "",
    }
