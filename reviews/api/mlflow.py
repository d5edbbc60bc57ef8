"""`POST /api/v1/mlflow/{server}/webhook`: MLflow says that a version was registered."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.evidence import RawBodyParser
from governance.api.parsers import TooLarge
from governance.services.work import send
from reviews.api.submissions import REFUSALS
from reviews.services.mlflow import DELIVERY, SIGNATURE, TIMESTAMP, signed
from reviews.services.registry_versions import take_event

MOST_BYTES = 256 * 1024
_TAKEN = inline_serializer("MLflowTaken", {"noted": serializers.IntegerField(help_text="versions noted, to become drafts")})


class MLflowWebhookView(APIView):
    """Takes what MLflow sends, by its signature; no token is involved."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    parser_classes = [RawBodyParser]

    @extend_schema(
        operation_id="mlflow_webhook",
        summary="A webhook of an MLflow server that the operator configured",
        description="Signed with the server's webhook secret, as MLflow 3.3 and later do. `model_version.created` of a linked "
        "model becomes a draft; other events are taken and ignored.",
        parameters=[
            OpenApiParameter(name, str, OpenApiParameter.HEADER, required=True) for name in (SIGNATURE, TIMESTAMP, DELIVERY)
        ],
        request=OpenApiTypes.OBJECT,
        responses={202: _TAKEN, **{401: REFUSALS[401]}},
        auth=[],
    )
    def post(self, request: Request, server: str) -> Response:
        stream = request.data.get("stream") if hasattr(request.data, "get") else None
        body = stream.read(MOST_BYTES + 1) if stream is not None else b""
        if len(body) > MOST_BYTES:
            raise TooLarge(f"A webhook has up to {MOST_BYTES // 1024} KiB.")
        if not signed(server, request.headers, body):
            raise AuthenticationFailed("The signature is missing, wrong or older than five minutes. Check the webhook's secret.")
        try:
            event = json.loads(body)
        except (ValueError, RecursionError) as exc:
            raise ParseError("The body is not JSON.") from exc
        noted = take_event(server, event) if isinstance(event, dict) else 0
        if noted:
            send("reviews.registries")
        return Response({"noted": noted}, status=202)

    def get_authenticate_header(self, request: Request) -> str:
        return "Signature"  # so that a wrong signature is a 401, not a 403
