"""`GET /api/v1/submissions/{id}/runs`: how far the checks are."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gates.selectors.runs import progress, submission_for
from governance.api.callers import caller_of
from governance.domain.vocabulary import Scope


class RunState(serializers.Serializer[Any]):
    collector = serializers.CharField()
    title = serializers.CharField()
    status = serializers.CharField()
    says = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    attempt = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True)


class RunsState(serializers.Serializer[Any]):
    submission = serializers.CharField()
    revision = serializers.IntegerField()
    finished = serializers.BooleanField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    says = serializers.CharField()
    worker_missing = serializers.CharField(allow_blank=True)
    runs = RunState(many=True)


class RunsView(APIView):
    """Progress of a submission's checks."""

    @extend_schema(
        operation_id="get_runs",
        summary="Progress of the checks of a submission's current revision",
        responses={200: RunsState, 404: OpenApiResponse(description="no such submission in this unit")},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        return Response(progress(submission_for(caller, pk)).to_json())
