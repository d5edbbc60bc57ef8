"""`GET /api/v1/policies/{pack}`: the pack in force, as it is."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.domain.errors import Conflict, NotFound
from governance.selectors.policy import pack_in_force


class PolicyView(APIView):
    """The policy pack in force."""

    @extend_schema(
        operation_id="get_policy",
        summary="The policy pack in force, with its rules and questions",
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, pack: str) -> Response:
        try:
            row, compiled = pack_in_force(pack)
        except Conflict as exc:
            raise NotFound(f"There is no pack “{pack[:40]}” in force.") from exc
        active = row.active_from.isoformat() if row.active_from else None
        return Response(
            {
                "digest": compiled.digest,
                "active_from": active,
                "pack": compiled.document.model_dump(mode="json"),
                "questionnaire": compiled.form.model_dump(mode="json"),
            }
        )
