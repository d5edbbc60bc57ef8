"""`/api/v1/exposure-requests`: letting an approved version go to more traffic or people. Programs ask and read; people decide."""

from __future__ import annotations

from typing import Annotated, Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, parse
from governance.api.callers import caller_of
from governance.domain.decision_json import to_json
from governance.domain.errors import FieldError, Forbidden, InvalidInput
from governance.domain.vocabulary import Scope
from reviews.api.decisions import last_authenticated
from reviews.api.submissions import REFUSALS
from reviews.selectors.exposure_view import ExposureView, exposure_requests, exposure_view
from reviews.services.exposure import NewExposure, decide_exposure, request_exposure, withdraw_exposure

Words = Annotated[str, StringConstraints(max_length=5_000)]
ONLY = ("", "mine", "waiting", "decided")


class ExposureBody(Closed):
    """`exposure`: the percentage asked for."""

    exposure: Annotated[int, Field(ge=1, le=100)]
    reason: Words = ""
    monitoring_says: Words = ""


class ExposureDecisionBody(Closed):
    """`seen`: the digest of what was known when the person looked."""

    grant: bool
    seen: Annotated[str, StringConstraints(max_length=80)]
    why: Words = ""


class ExposureIn(serializers.Serializer[Any]):
    exposure = serializers.IntegerField(min_value=1, max_value=100)
    reason = serializers.CharField()
    monitoring_says = serializers.CharField()


class ExposureDecisionIn(serializers.Serializer[Any]):
    grant = serializers.BooleanField()
    seen = serializers.CharField()
    why = serializers.CharField()


class ExposureRowShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    url = serializers.CharField()
    state = serializers.CharField()
    submission = serializers.CharField()
    system = serializers.CharField()
    version = serializers.CharField()
    environment = serializers.CharField()
    present = serializers.IntegerField()
    wanted = serializers.IntegerField()
    role = serializers.CharField()
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    decided_by = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)


class ExposureShape(ExposureRowShape):
    reason = serializers.CharField()
    monitoring_says = serializers.CharField()
    why = serializers.CharField()
    step_why = serializers.CharField()
    known = serializers.DictField()
    digest = serializers.CharField()
    people_because = serializers.ListField(child=serializers.CharField())
    permit = serializers.CharField()
    cannot_decide = serializers.CharField()
    cannot_withdraw = serializers.CharField()


class ExposureListShape(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ExposureRowShape(many=True)


class ExposureRequestsView(APIView):
    """The register."""

    @extend_schema(
        operation_id="list_exposure_requests",
        summary="Requests for more exposure, the latest first",
        parameters=[
            OpenApiParameter("only", str, description="mine (waiting for me), waiting or decided"),
            OpenApiParameter("cursor", str),
        ],
        responses={200: ExposureListShape, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        only = request.query_params.get("only", "")
        if only not in ONLY:
            says = "mine, waiting or decided."
            raise InvalidInput(f"only is {says}", errors=(FieldError("/only", "unknown", says),))
        rows, following, previous = exposure_requests(caller, scope=only, cursor=request.query_params.get("cursor", ""))
        return Response({"next": following or None, "previous": previous or None, "results": [to_json(row) for row in rows]})


class ExposureRequestView(APIView):
    """One request."""

    @extend_schema(
        operation_id="get_exposure_request",
        summary="A request with what is known of the version in use, and who decides",
        responses={200: ExposureShape, **{code: REFUSALS[code] for code in (401, 403, 404)}},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        return Response(_document(exposure_view(pk, caller)))


class SubmissionExposureView(APIView):
    """Asking."""

    @extend_schema(
        operation_id="request_exposure",
        summary="Ask for more exposure of an approved version",
        description="Granted at once where the pack and the measured monitoring allow it; else the role that the pack names "
        "decides. 409 without a permit that holds, or when a request waits already.",
        request=ExposureIn,
        responses={201: ExposureShape, **REFUSALS},
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        body = parse(ExposureBody, request.data)
        new = NewExposure(wanted=body.exposure, reason=body.reason, monitoring_says=body.monitoring_says)
        row = request_exposure(caller=caller, submission_id=pk, new=new)
        return Response(_document(exposure_view(row.pk, caller)), status=201)


class ExposureDecisionView(APIView):
    """Deciding."""

    @extend_schema(
        operation_id="decide_exposure",
        summary="Grant or refuse a request, as a person signed in",
        description="Bound to the digest that was seen; 409 `stale_dossier` when what is known changed. Needs a fresh sign-in.",
        request=ExposureDecisionIn,
        responses={200: ExposureShape, **REFUSALS},
        auth=[{"cookieAuth": []}],  # type: ignore[list-item]  # the stubs know names only; OpenAPI wants requirements
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        if caller.token is not None:
            raise Forbidden("A token cannot decide. A person has to sign in and decide.", code="person_needed")
        body = parse(ExposureDecisionBody, request.data)
        decide_exposure(
            caller=caller,
            request_id=pk,
            grant=body.grant,
            seen_digest=body.seen,
            why=body.why,
            proved_at=last_authenticated(request),
        )
        return Response(_document(exposure_view(pk, caller)))


class ExposureWithdrawView(APIView):
    """Taking it back."""

    @extend_schema(
        operation_id="withdraw_exposure_request",
        summary="Take a request back, as who asked",
        request=None,
        responses={200: ExposureShape, **{code: REFUSALS[code] for code in (401, 403, 404, 409)}},
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.SUBMIT)
        withdraw_exposure(caller=caller, request_id=pk)
        return Response(_document(exposure_view(pk, caller)))


def _document(view: ExposureView) -> dict[str, Any]:
    found: dict[str, Any] = to_json(view)
    return {**found.pop("row"), **found}
