"""What lists and repeatable calls have in common: limit, cursor links, the Idempotency-Key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from governance.domain.errors import FieldError, InvalidInput

CURSOR = OpenApiParameter("cursor", str, description="from “next” or “previous”")
LIMIT = OpenApiParameter("limit", int, description="1 to 100, 25 unless told")
KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="the same call again makes nothing new")


def key_of(request: Request) -> str:
    """The Idempotency-Key of a call, "" where there is none. Raises `InvalidInput`."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 200 or not key.isprintable():
        raise InvalidInput(
            "The Idempotency-Key has up to 200 printable characters.",
            errors=(FieldError("/Idempotency-Key", "invalid", "Use a UUID."),),
        )
    return key


def limit_of(request: Request) -> int:
    """How many rows a page has. Raises `InvalidInput`."""
    raw = request.query_params.get("limit", "25")
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:6]) <= 100:
        raise InvalidInput("limit is a number from 1 to 100.", errors=(FieldError("/limit", "invalid", "1 to 100."),))
    return int(raw)


def given_of(request: Request, *names: str) -> dict[str, str]:
    """What the address narrows the list by; "" for what it does not name."""
    return {name: request.query_params.get(name, "").strip().replace("\x00", "") for name in names}


def listed(request: Request, given: Mapping[str, str], rows: Sequence[Any], following: str, before: str) -> Response:
    """A page with the addresses of its neighbours."""
    links = {"next": _link(request, given, following), "previous": _link(request, given, before)}
    return Response({**links, "results": list(rows)})


def list_of(name: str, row: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The shape of such a page, for the OpenAPI document."""
    link = {"next": serializers.CharField(allow_null=True), "previous": serializers.CharField(allow_null=True)}
    return inline_serializer(name, {**link, "results": row(many=True)})


def _link(request: Request, given: Mapping[str, str], cursor: str) -> str | None:
    if not cursor:
        return None
    kept: dict[str, Any] = {name: value for name, value in given.items() if value}
    if "limit" in request.query_params:
        kept["limit"] = request.query_params["limit"]
    return request.build_absolute_uri(f"{request.path}?{urlencode({**kept, 'cursor': cursor})}")
