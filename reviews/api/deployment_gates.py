"""Messages of GitHub and GitLab about deployments that wait: taken by their signature or secret, no token is involved."""

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
from reviews.api.submissions import REFUSALS
from reviews.services import github_app
from reviews.services import gitlab_deployments as gitlab
from reviews.services.deployment_requests import take_github, take_gitlab

MOST_BYTES = 256 * 1024
_TAKEN = inline_serializer(
    "DeploymentTaken", {"noted": serializers.IntegerField(help_text="1: it will be answered; 0: nothing to answer in it")}
)
_REFUSED = {code: REFUSALS[code] for code in (401, 404, 409, 422)}


class GitHubDeploymentsView(APIView):
    """GitHub asks whether a job may deploy."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    parser_classes = [RawBodyParser]

    @extend_schema(
        operation_id="github_deployments",
        summary="The webhook of the GitHub app that protects deployments",
        description="`deployment_protection_rule` messages, signed with the app's webhook secret. The rule an administrator made "
        "for the numbers of installation and repository and the environment says which system it is about. Track and why are "
        "posted back first, approved or rejected once the case of exactly that commit is decided. Other events are ignored.",
        parameters=[
            OpenApiParameter(name, str, OpenApiParameter.HEADER, required=True)
            for name in (github_app.SIGNATURE, github_app.DELIVERY, github_app.EVENT)
        ],
        request=OpenApiTypes.OBJECT,
        responses={202: _TAKEN, **_REFUSED},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        body = _body(request)
        if not github_app.signed(request.headers.get(github_app.SIGNATURE, ""), body):
            raise AuthenticationFailed("The signature is missing or wrong. Check the app's webhook secret.")
        said = _said(body)
        noted = take_github(
            request.headers.get(github_app.EVENT, ""), request.headers.get(github_app.DELIVERY, "").replace("\x00", ""), said
        )
        return Response({"noted": noted}, status=202)

    def get_authenticate_header(self, request: Request) -> str:
        return "Signature"  # so that a wrong signature is a 401, not a 403


class GitLabDeploymentsView(APIView):
    """GitLab says that something happened to a deployment."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    parser_classes = [RawBodyParser]

    @extend_schema(
        operation_id="gitlab_deployments",
        summary="The webhook of GitLab projects whose deployments wait for approval",
        description="Deployment events, with the webhook's secret token. They only make Guiderail look: what waits, and its "
        "commit, is read from GitLab. Approved or rejected is posted back once the case of exactly that commit is decided.",
        parameters=[OpenApiParameter(gitlab.TOKEN, str, OpenApiParameter.HEADER, required=True)],
        request=OpenApiTypes.OBJECT,
        responses={202: _TAKEN, **{code: REFUSALS[code] for code in (401, 404)}},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        if not gitlab.known(request.headers.get(gitlab.TOKEN, "")):
            raise AuthenticationFailed("The secret token is missing or wrong. Check the webhook of the project.")
        return Response({"noted": take_gitlab(_said(_body(request)))}, status=202)

    def get_authenticate_header(self, request: Request) -> str:
        return "Token"


def _body(request: Request) -> bytes:
    """The body as it came: that is what is signed."""
    stream = request.data.get("stream") if hasattr(request.data, "get") else None
    body: bytes = stream.read(MOST_BYTES + 1) if stream is not None else b""
    if len(body) > MOST_BYTES:
        raise TooLarge(f"A webhook has up to {MOST_BYTES // 1024} KiB.")
    return body


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise ParseError("The body is not JSON.") from exc
    return said if isinstance(said, dict) else {}
