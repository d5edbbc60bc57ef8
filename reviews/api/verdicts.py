"""`GET …/verdict`: the document CI waits for, with ETag, long poll and the formats of CI systems."""

from __future__ import annotations

import time

from django.db import connection
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from reviews.api.asking_again import tags_of
from reviews.api.renderers import VERDICT_RENDERERS
from reviews.api.schemas import VerdictShape
from reviews.api.submissions import REFUSALS
from reviews.selectors.kept_verdicts import verdict_of
from reviews.selectors.verdict import last_event

LONGEST_WAIT = 60
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 1.0


class VerdictView(APIView):
    """The verdict document of a submission."""

    renderer_classes = VERDICT_RENDERERS

    @extend_schema(
        operation_id="get_verdict",
        summary="The verdict document",
        description="`?wait=30` answers when it changes, at the latest after 30 s. With `If-None-Match`, 304 when it did not.",
        parameters=[
            OpenApiParameter("wait", int, description=f"0 to {LONGEST_WAIT} seconds"),
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER),
        ],
        responses={
            (200, "application/json"): VerdictShape,
            (200, "text/markdown"): str,
            (200, "application/sarif+json"): str,
            (200, "application/junit+xml"): str,
            304: OpenApiResponse(description="nothing changed"),
            **{code: REFUSALS[code] for code in (401, 403, 404, 422)},
        },
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        wait = _wait(request)
        until = time.monotonic() + wait
        known = tags_of(request.headers.get("If-None-Match", ""))
        seen = last_event(pk) if wait else 0
        found = verdict_of(pk, caller)
        tag = found.tag
        # the client knows another verdict than this one: that is the news it waits for
        unchanged = not known or tag in known
        pause = FIRST_PAUSE
        while unchanged and not found.document["final"] and (left := until - time.monotonic()) > 0:
            _release_connection()
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, LONGEST_PAUSE)
            if (now := last_event(pk)) == seen:
                continue
            seen, found = now, verdict_of(pk, caller)
            unchanged, tag = found.tag == tag, found.tag
        if tag in known:
            return Response(status=304, headers=found.headers)
        return Response(found.document, headers=found.headers)


def _wait(request: Request) -> int:
    raw = request.query_params.get("wait", "0")
    if not raw.isascii() or not raw.isdigit() or len(raw) > 6:
        raise InvalidInput(
            f"wait is a number of seconds from 0 to {LONGEST_WAIT}.", errors=(FieldError("/wait", "invalid", "Such as 30."),)
        )
    return min(int(raw), LONGEST_WAIT)


def _release_connection() -> None:
    """While a request sleeps, its database connection serves nobody: give it back. Within a transaction it cannot be."""
    if not connection.in_atomic_block:
        connection.close()
