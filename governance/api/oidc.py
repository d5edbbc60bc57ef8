"""`POST /api/v1/oidc/token`: a pipeline's identity token for a short token of ours."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.domain.errors import FieldError, InvalidInput
from governance.services.trust import IdentityRefused, exchange

_GIVEN = inline_serializer("IdentityToken", {"token": serializers.CharField(help_text="the identity token (JWT) of the job")})
_GIVES = inline_serializer(
    "ShortToken",
    {
        "token": serializers.CharField(),
        "expires_at": serializers.DateTimeField(),
        "scopes": serializers.ListField(child=serializers.CharField()),
        "unit": serializers.CharField(),
    },
)


class IdentityTokenView(APIView):
    """Exchanges identity tokens of GitHub Actions and GitLab CI under a trust rule."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @extend_schema(
        operation_id="exchange_identity",
        summary="A 15-minute token for the identity token of a GitHub Actions or GitLab CI job",
        description="A trust rule pins issuer, audience, the project's number, ref, environment and workflow. Each identity "
        "token is exchanged once. 401 says what did not fit.",
        request=_GIVEN,
        responses={
            200: _GIVES,
            401: OpenApiResponse(description="not genuine, not trusted, or used before"),
            422: OpenApiResponse(description="no token in the body"),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        identity = request.data.get("token") if isinstance(request.data, dict) else None
        if not isinstance(identity, str) or not identity:
            raise InvalidInput(
                "Send the job's identity token as “token”.", errors=(FieldError("/token", "missing", "A text of three parts."),)
            )
        try:
            row, secret = exchange(identity)
        except IdentityRefused as refused:
            raise AuthenticationFailed(str(refused), code=refused.code) from refused
        body = {"token": secret, "expires_at": row.expires_at, "scopes": row.scopes, "unit": row.unit.slug}
        return Response(body, headers={"Cache-Control": "no-store"})

    def get_authenticate_header(self, request: Request) -> str:
        return "Bearer"  # a refused identity is a 401, not a 403
