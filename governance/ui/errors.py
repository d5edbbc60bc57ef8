"""Refusals as pages: what is wrong and what to do next."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable

from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from governance.domain.errors import DomainError, ErrorKind
from governance.ui.unavailable import unavailable

log = logging.getLogger(__name__)

CODES = {400: "bad_request", 403: "forbidden", 404: "not_found", 500: "server_error", 503: "unavailable"}

STATUS = {
    ErrorKind.INVALID: 422,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.MISSING: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.UNAVAILABLE: 503,
}


class DomainErrorMiddleware:
    """Turns a `DomainError` that a page did not handle into an error page with the right status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DataError):
            log.warning("refused by the database: %s", exception)
            return page(
                request, 400, "The request cannot be read", "It holds a character or a number that cannot be looked up or kept."
            )
        if not isinstance(exception, DomainError):
            return None
        return page(request, STATUS[exception.kind], exception.title, exception.detail, exception.code)


def page(request: HttpRequest, status: int, title: str, detail: str, code: str = "") -> HttpResponse:
    """One error page; for programs the same words as a problem document."""
    if request.path.startswith("/api/"):
        return problem(status, title, detail, code or CODES.get(status, "invalid"))
    context = {"status": status, "title": title, "detail": detail, "request_id": getattr(request, "request_id", "")}
    return render(request, "errors/error.html", context, status=status)


def problem(status: int, title: str, detail: str, code: str) -> HttpResponse:
    """An RFC 9457 problem document, made without the API's machinery: what failed may be that."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, "errors": []}
    response = HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 400, "The request cannot be read", "Go back, reload the page and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(
        request, 403, "Not allowed", "The form may have expired. Reload the page and try again, or ask for the role you need."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404, "Not found", "There is no such page, or it belongs to a business unit you cannot see.")


def server_error(request: HttpRequest) -> HttpResponse:
    """An unforeseen fault; or a database that went away before any view was reached, which is only a matter of time."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return unavailable(request)
    return page(
        request,
        500,
        "Something broke on our side",
        "Nothing you entered was saved by this step. Try again; if it stays, give the administrator the request id below.",
    )
