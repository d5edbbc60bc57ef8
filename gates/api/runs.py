"""`/api/v1/submissions/{id}/runs`: how far the checks are, what the queue looks like; cancelling one and running one again."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gates.selectors.runs import progress, submission_for
from gates.services.control import cancel_run, repeat_run
from governance.api.callers import caller_of
from governance.domain.vocabulary import Scope
from governance.selectors.access import Caller


class RunTimes(serializers.Serializer[Any]):
    known = serializers.IntegerField(help_text="how many of the last ten runs there were")
    median_seconds = serializers.FloatField()
    slowest_seconds = serializers.FloatField()


class RunState(serializers.Serializer[Any]):
    collector = serializers.CharField()
    title = serializers.CharField()
    status = serializers.CharField()
    says = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    attempt = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True)
    doing = serializers.CharField(allow_blank=True, help_text="what it is doing now, with counts")
    steps_done = serializers.IntegerField(allow_null=True)
    steps_total = serializers.IntegerField(allow_null=True)
    ahead = serializers.IntegerField(allow_null=True, help_text="submissions that are taken before it")
    times = RunTimes(allow_null=True)
    expects = serializers.CharField(allow_blank=True)
    actions = serializers.ListField(child=serializers.CharField(), help_text="what this caller may do: cancel, again")


class LaneState(serializers.Serializer[Any]):
    queue = serializers.CharField()
    workers = serializers.IntegerField(help_text="seen within the last minute")
    last_seen = serializers.DateTimeField(allow_null=True)
    running = serializers.IntegerField(help_text="runs of other submissions under way there")


class RunsState(serializers.Serializer[Any]):
    submission = serializers.CharField()
    revision = serializers.IntegerField()
    finished = serializers.BooleanField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    says = serializers.CharField()
    worker_missing = serializers.CharField(allow_blank=True)
    lanes = LaneState(many=True)
    runs = RunState(many=True)


_NOT_FOUND = OpenApiResponse(description="no such submission or check in this unit")
_REFUSED = {
    403: OpenApiResponse(description="scope or role missing"),
    404: _NOT_FOUND,
    409: OpenApiResponse(description="not possible in the present state; the reason says why"),
}


class RunsView(APIView):
    """Progress of a submission's checks."""

    @extend_schema(
        operation_id="get_runs",
        summary="Progress of the checks of a submission's current revision",
        responses={200: RunsState, 404: _NOT_FOUND},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        return _runs(caller, pk)


class CancelRunView(APIView):
    """Cancelling one check."""

    @extend_schema(
        operation_id="cancel_run",
        summary="Cancel a queued or running check",
        description="By the submitter, an analyst or a platform engineer. Gates that need it are then not assessed.",
        request=None,
        responses={200: RunsState, **_REFUSED},
    )
    def post(self, request: Request, pk: int, collector: str) -> Response:
        caller = caller_of(request)
        cancel_run(caller=caller, submission_id=pk, collector=collector)
        return _runs(caller, pk)


class RepeatRunView(APIView):
    """Running one check again."""

    @extend_schema(
        operation_id="repeat_run",
        summary="Run an ended check again on the same inputs",
        description="A new run takes its place; what was measured before stays on record. Three times in ten minutes at most.",
        request=None,
        responses={202: RunsState, **_REFUSED},
    )
    def post(self, request: Request, pk: int, collector: str) -> Response:
        caller = caller_of(request)
        repeat_run(caller=caller, submission_id=pk, collector=collector)
        return _runs(caller, pk, 202)


def _runs(caller: Caller, pk: int, status: int = 200) -> Response:
    return Response(progress(submission_for(caller, pk), caller).to_json(), status=status)
