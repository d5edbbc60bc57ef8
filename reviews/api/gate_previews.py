"""`GET /preview/{id}`: the verdict of a preview whose gates a worker runs, on evidence that nobody handed in."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of
from governance.domain.vocabulary import RunStatus
from reviews.api.renderers import VERDICT_RENDERERS
from reviews.api.schemas import GatePreviewShape, ProblemShape, VerdictShape
from reviews.models import GatePreview
from reviews.services.trying_gates import find

WAITING = OpenApiResponse(GatePreviewShape, "a worker runs the gates: ask at Location after Retry-After seconds")


class GatePreviewView(APIView):
    """The result of a preview with gates."""

    renderer_classes = VERDICT_RENDERERS

    @extend_schema(
        operation_id="get_preview",
        summary="The verdict of a preview whose gates have run",
        description="202 while a worker measures. Kept for an hour after it was asked for, for callers of the same unit only.",
        responses={
            (200, "application/json"): VerdictShape,
            (200, "text/markdown"): str,
            (200, "application/sarif+json"): str,
            (200, "application/junit+xml"): str,
            (202, "application/json"): WAITING,
            401: OpenApiResponse(ProblemShape, "not signed in"),
            403: OpenApiResponse(ProblemShape, "scope missing"),
            404: OpenApiResponse(ProblemShape, "no such preview in the caller's units, or it has expired"),
            503: OpenApiResponse(ProblemShape, "the gates could not be run"),
        },
    )
    def get(self, request: Request, pk: UUID) -> Response | HttpResponse:
        row = find(caller=caller_of(request), preview_id=pk)
        return Response(row.document) if row.status == RunStatus.DONE else waiting(row)


def waiting(row: GatePreview) -> HttpResponse:
    """202 with where to ask. Plain JSON whatever is accepted: there is no verdict yet to be put into another format."""
    where = f"/api/v1/preview/{row.pk}"
    document = {"preview": str(row.pk), "status": row.status, "url": where, "expires_at": row.expires_at}
    return JsonResponse(document, status=202, headers={"Location": where, "Retry-After": "2"})
