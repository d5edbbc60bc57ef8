"""Refusals as pages: what is wrong and what to do next."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from governance.domain.errors import DomainError, ErrorKind

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
        if not isinstance(exception, DomainError):
            return None
        return page(request, STATUS[exception.kind], exception.title, exception.detail)


def page(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    """One error page."""
    context = {"status": status, "title": title, "detail": detail, "request_id": getattr(request, "request_id", "")}
    return render(request, "errors/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 400, "The request cannot be read", "Go back, reload the page and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(
        request, 403, "Not allowed", "The form may have expired. Reload the page and try again, or ask for the role you need."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404, "Not found", "There is no such page, or it belongs to a business unit you cannot see.")


def server_error(request: HttpRequest) -> HttpResponse:
    return page(
        request,
        500,
        "Something broke on our side",
        "Nothing you entered was saved by this step. Try again; if it stays, give the administrator the request id below.",
    )
