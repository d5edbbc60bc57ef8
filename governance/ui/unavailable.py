"""When PostgreSQL does not answer: a clear 503 instead of a crash, and a clean recovery on the next request."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)

_DETAIL = "The database does not answer. Nothing was changed; please try again in a moment."

# renders no template: templates ask for the session and the navigation, and both ask the database
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Temporarily unavailable</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/css/guiderail.css"></head>
<body><main class="page-main"><div class="container-xl"><h1>Temporarily unavailable</h1>
<p>{detail}</p><p><a href="">Try again</a></p></div></main></body></html>
"""


class UnavailableMiddleware:
    """Answers 503 with `Retry-After` for lost database connections, as a page or as a problem document."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError):
            return unavailable(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(request) if isinstance(exception, OperationalError | InterfaceError) else None


def unavailable(request: HttpRequest) -> HttpResponse:
    """The answer while the database is away. Renders no template and touches no session: both may need the database."""
    log.error("database unavailable", exc_info=True)
    connections.close_all()
    if request.path.startswith("/api/") or request.path == "/readyz":
        problem = {
            "type": "about:blank",
            "title": "Temporarily unavailable",
            "status": 503,
            "detail": _DETAIL,
            "code": "unavailable",
            "errors": [],
        }
        response = HttpResponse(json.dumps(problem), status=503, content_type="application/problem+json")
    else:
        body = _PAGE.format(detail=_DETAIL)
        response = HttpResponse(body, status=503)
    response.headers["Retry-After"] = "5"
    return response
