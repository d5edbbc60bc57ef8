"""`POST /api/v1/deployments` and `…/rollback`: what deployers report. Refused without a permit."""

from __future__ import annotations

from typing import Annotated, Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, parse
from governance.api.callers import caller_of, unit_of
from governance.domain.decision_json import to_json
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from reviews.api.submissions import REFUSALS
from reviews.models import Deployment
from reviews.selectors.deployments import DeploymentRow, deployments
from reviews.selectors.permits import PermitAnswer
from reviews.services.deploying import NewDeployment, report_deployment, roll_back

Name = Annotated[str, StringConstraints(max_length=100, strip_whitespace=True)]
ONLY = ("", "live", "unpermitted")


class DeploymentBody(Closed):
    """System and version, or the artefact's digest. `observed`: seen running; recorded even where no permit allows it.

    `exposure`: percent of traffic or people; left out, all of it, or as it is live already.
    """

    system: Name = ""
    version: Name = ""
    digest: Annotated[str, StringConstraints(pattern=r"^(sha256:[0-9a-f]{64})?$")] = ""
    environment: Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)] = "production"
    target: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] = ""
    observed: bool = False
    exposure: Annotated[int, Field(ge=1, le=100)] | None = None


class RollbackBody(Closed):
    """`to_version`: left out, the one that ran on the target before."""

    reason: Annotated[str, StringConstraints(max_length=300)] = Field(default="")
    to_version: Name = ""


class DeploymentIn(serializers.Serializer[Any]):
    system = serializers.CharField(required=False)
    version = serializers.CharField(required=False)
    digest = serializers.CharField(required=False)
    environment = serializers.CharField(required=False)
    target = serializers.CharField(required=False)
    observed = serializers.BooleanField(required=False)
    exposure = serializers.IntegerField(required=False, min_value=1, max_value=100)


class RollbackIn(serializers.Serializer[Any]):
    reason = serializers.CharField()
    to_version = serializers.CharField(required=False)


class DeploymentShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    system = serializers.CharField()
    version = serializers.CharField()
    environment = serializers.CharField()
    target = serializers.CharField()
    exposure = serializers.IntegerField()
    state = serializers.CharField()
    observed = serializers.BooleanField()
    allowed = serializers.BooleanField()
    permit = serializers.CharField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())
    at = serializers.DateTimeField()


class DeploymentRowShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    system = serializers.CharField()
    version = serializers.CharField()
    environment = serializers.CharField()
    target = serializers.CharField()
    exposure = serializers.IntegerField()
    state = serializers.CharField()
    observed = serializers.BooleanField()
    covered = serializers.BooleanField()
    first_seen = serializers.DateTimeField(allow_null=True)
    at = serializers.DateTimeField()
    reported_by = serializers.CharField()
    owner = serializers.CharField()
    submission = serializers.CharField()


class DeploymentListShape(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = DeploymentRowShape(many=True)


class RolledBackShape(serializers.Serializer[Any]):
    rolled_back = serializers.IntegerField()
    live = serializers.IntegerField()
    version = serializers.CharField()


class DeploymentsView(APIView):
    """What runs where."""

    @extend_schema(
        operation_id="list_deployments",
        summary="Reported deployments, the latest first",
        parameters=[
            OpenApiParameter("only", str, description="live, or unpermitted: live without a valid permit"),
            OpenApiParameter("cursor", str),
        ],
        responses={200: DeploymentListShape, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        only = request.query_params.get("only", "")
        if only not in ONLY:
            raise InvalidInput("only is live or unpermitted.", errors=(FieldError("/only", "unknown", "live or unpermitted."),))
        rows, following, previous = deployments(caller, only=only, cursor=request.query_params.get("cursor", ""))
        return Response({"next": following or None, "previous": previous or None, "results": [_line(row) for row in rows]})

    @extend_schema(
        operation_id="report_deployment",
        summary="Report that a version goes live",
        description="409 `no_permit` when nothing allows it; with `observed` it is recorded all the same, without a permit. "
        "201 when it is new, 200 when it is live there already.",
        request=DeploymentIn,
        responses={201: DeploymentShape, 200: DeploymentShape, **{code: REFUSALS[code] for code in (401, 403, 409, 422)}},
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.DEPLOY)
        body = parse(DeploymentBody, request.data)
        row, answer, created = report_deployment(caller=caller, unit_id=unit_of(caller), new=NewDeployment(**body.model_dump()))
        return Response(_document(row, answer), status=201 if created else 200)


class RollbackView(APIView):
    """Taking a version back."""

    @extend_schema(
        operation_id="report_rollback",
        summary="Report that a version was rolled back; who answers for it is told",
        request=RollbackIn,
        responses={200: RolledBackShape, **REFUSALS},
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.DEPLOY)
        body = parse(RollbackBody, request.data)
        row, live = roll_back(caller=caller, deployment_id=pk, to_version=body.to_version, reason=body.reason)
        return Response({"rolled_back": row.pk, "live": live.pk, "version": live.version_name})


def _line(row: DeploymentRow) -> Any:
    return to_json(row)


def _document(row: Deployment, answer: PermitAnswer) -> dict[str, Any]:
    return {
        "id": row.pk,
        "system": row.system,
        "version": row.version_name,
        "environment": row.environment,
        "target": row.target,
        "exposure": row.exposure,
        "state": row.state,
        "observed": row.observed,
        "allowed": answer.allowed,
        "permit": str(row.permit_id) if row.permit_id else None,
        "reasons": list(answer.reasons),
        "at": to_json(row.at),
    }
