"""Every refusal of the API as an RFC 9457 problem document."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from governance.domain.errors import DomainError, ErrorKind, FieldError

_STATUS = {
    ErrorKind.INVALID: status.HTTP_422_UNPROCESSABLE_ENTITY,
    ErrorKind.FORBIDDEN: status.HTTP_403_FORBIDDEN,
    ErrorKind.MISSING: status.HTTP_404_NOT_FOUND,
    ErrorKind.CONFLICT: status.HTTP_409_CONFLICT,
    ErrorKind.UNAVAILABLE: status.HTTP_503_SERVICE_UNAVAILABLE,
}


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. Unknown exceptions are left to Django (500)."""
    if isinstance(exc, DomainError):
        response = problem(_STATUS[exc.kind], exc.title, exc.detail, exc.code, exc.errors)
        if exc.kind is ErrorKind.UNAVAILABLE:
            response["Retry-After"] = "5"
    elif isinstance(exc, Http404):
        response = problem(404, "Not found", "No such object, or none this caller may see.", "not_found")
    elif isinstance(exc, PermissionDenied):
        response = problem(403, "Not allowed", str(exc) or "This caller may not do that.", "forbidden")
    elif isinstance(exc, exceptions.APIException):
        response = _from_api_exception(exc)
    else:
        return None
    set_rollback()
    return response


def problem(code_: int, title: str, detail: str, code: str, errors: tuple[FieldError, ...] = ()) -> Response:
    """One problem document."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": code_,
        "detail": detail,
        "code": code,
        "errors": [{"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in errors],
    }
    return Response(body, status=code_, content_type="application/problem+json")


def _from_api_exception(exc: exceptions.APIException) -> Response:
    titles = {
        400: "The request cannot be read",
        401: "Not signed in",
        403: "Not allowed",
        405: "Method not allowed",
        413: "Too large",
        415: "Unsupported media type",
        429: "Too many requests",
    }
    detail = exc.detail if isinstance(exc.detail, str) else str(exc.detail)
    code = exc.get_codes()
    response = problem(
        exc.status_code,
        titles.get(exc.status_code, "The request failed"),
        str(detail),
        code if isinstance(code, str) else "invalid",
    )
    if header := getattr(exc, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(exc, "wait", None):
        response["Retry-After"] = str(int(wait))
    return response
