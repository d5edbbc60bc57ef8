"""`GET /api/v1/gates` and `/gates/{code}`: the catalogue with its documentation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gates.selectors.catalogue import catalogue, catalogue_page, summary
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Kind
from governance.selectors.policy import installed_kinds


class GateSummary(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField()
    mode = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    read_by = serializers.CharField()
    risk = serializers.CharField()
    needs = serializers.ListField(child=serializers.CharField())
    learn = serializers.CharField()


class GateList(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = GateSummary(many=True)


class GateDetail(GateSummary):
    limits = serializers.DictField()
    documentation = serializers.DictField(child=serializers.CharField())
    collectors = serializers.ListField(child=serializers.DictField())
    examples = serializers.ListField(child=serializers.DictField())
    in_force = serializers.ListField(child=serializers.DictField())


class GatesView(APIView):
    """The gate catalogue."""

    @extend_schema(
        operation_id="list_gates",
        summary="Every gate",
        description="The whole catalogue in one answer; `?kind=` gives the gates made for one kind.",
        parameters=[OpenApiParameter("kind", str, description="ml_model, application, data_pipeline or a kind of your own")],
        responses={200: GateList, 422: OpenApiResponse(description="no such kind")},
    )
    def get(self, request: Request) -> Response:
        gates = catalogue(kind=_kind(request.query_params.get("kind", "")))
        return Response({"next": None, "previous": None, "results": [summary(gate) for gate in gates]})


class GateView(APIView):
    """One gate."""

    @extend_schema(
        operation_id="get_gate",
        summary="One gate with documentation, worked examples and the limits in force",
        responses={200: GateDetail, 404: OpenApiResponse(description="no such gate")},
    )
    def get(self, request: Request, code: str) -> Response:
        return Response(catalogue_page(code).to_json())


def _kind(text: str) -> Kind | None:
    if not text:
        return None
    made_for = {kind.value: kind for kind in (Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE)}
    known = made_for | {kind.kind.value: kind.judged_like for kind in installed_kinds()}
    if text not in known:
        detail = f"Expected one of {', '.join(known)}, found “{text[:40]}”."
        raise InvalidInput(detail, errors=(FieldError("/kind", "unknown", detail),))
    return known[text]
