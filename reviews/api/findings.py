"""`GET /api/v1/findings`: what was found, whose it is, until when, and how much it weighs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of
from governance.domain.decision_json import to_json
from governance.domain.vocabulary import Scope
from reviews.api.submissions import REFUSALS
from reviews.selectors.findings import FindingFilters
from reviews.selectors.risk import findings_with_risk

NAMES = ("state", "severity", "system", "owner", "due")


class FindingRiskShape(serializers.Serializer[Any]):
    score = serializers.FloatField()
    level = serializers.CharField()
    because = serializers.ListField(child=serializers.CharField())


class FindingRowShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    submission = serializers.CharField()
    system = serializers.CharField()
    version = serializers.CharField()
    about = serializers.CharField()
    severity = serializers.CharField()
    says = serializers.CharField()
    state = serializers.CharField()
    state_words = serializers.CharField()
    owner = serializers.CharField()
    due_on = serializers.DateField(allow_null=True)
    overdue = serializers.BooleanField()
    opened_at = serializers.DateTimeField()
    by_person = serializers.BooleanField()
    evidence = serializers.CharField()
    risk = FindingRiskShape()


class FindingListShape(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = FindingRowShape(many=True)


class FindingsView(APIView):
    """Findings."""

    @extend_schema(
        operation_id="list_findings",
        summary="Findings with severity, risk score, owner and due date, the latest first",
        parameters=[
            OpenApiParameter("state", str, description="open, fixed or closed"),
            OpenApiParameter("severity", str, description="low, medium, high or critical"),
            OpenApiParameter("system", str),
            OpenApiParameter("owner", str, description="a user name, me or nobody"),
            OpenApiParameter("due", str, description="overdue"),
            OpenApiParameter("cursor", str),
        ],
        responses={200: FindingListShape, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        query = request.query_params
        filters = FindingFilters(**{name: query.get(name, "").strip().replace("\x00", "") for name in NAMES})
        rows, following, before = findings_with_risk(caller, filters=filters, cursor=query.get("cursor", ""))
        results = [{**to_json(row), "risk": to_json(risk)} for row, risk in rows]
        return Response({"next": following or None, "previous": before or None, "results": results})
