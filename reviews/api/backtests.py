"""`POST /policies/{pack}/backtest`: the past judged by a draft or with moved figures; `GET /backtests/{id}`: what came of it."""

from __future__ import annotations

from typing import Annotated, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import parse
from governance.api.callers import caller_of
from governance.models import Backtest
from governance.selectors.access import Caller
from reviews.api.schemas import ProblemShape
from reviews.selectors.backtest_result import result_for
from reviews.services import backtesting


class BacktestBody(BaseModel):
    """What to try. Without `source` the pack in force judges, with figures moved."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: Annotated[str, Field(max_length=400_000)] = ""
    questionnaire: Annotated[str, Field(max_length=400_000)] = ""
    shifts: Annotated[dict[str, float], Field(max_length=10)] = {}


REFUSED = {
    401: OpenApiResponse(ProblemShape, "not signed in"),
    403: OpenApiResponse(ProblemShape, "scope or role missing"),
    404: OpenApiResponse(ProblemShape, "no such pack or back-test"),
}


class BacktestsView(APIView):
    """Asking for a back-test."""

    @extend_schema(
        operation_id="backtest_policy",
        summary="Judge past submissions by a draft of the policy, or with moved figures",
        description="202 with a Location to poll. `source`: the pack as YAML; `shifts`: fact name or pattern (`*psi*`) to what "
        "is added to it. Records nothing about the submissions.",
        request=OpenApiTypes.OBJECT,
        responses={202: OpenApiTypes.OBJECT, 422: OpenApiResponse(ProblemShape, "the draft cannot be used"), **REFUSED},
    )
    def post(self, request: Request, pack: str) -> Response:
        body = parse(BacktestBody, request.data)
        row = backtesting.ask(
            caller=caller_of(request), name=pack, source=body.source, questionnaire=body.questionnaire, shifts=body.shifts
        )
        where = f"/api/v1/backtests/{row.pk}"
        return Response(_document(row, caller_of(request)), status=202, headers={"Location": where, "Retry-After": "2"})


class BacktestView(APIView):
    """One back-test."""

    @extend_schema(
        operation_id="get_backtest",
        summary="A back-test: progress, and the result once it is done",
        responses={200: OpenApiTypes.OBJECT, **REFUSED},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        return Response(_document(backtesting.find(caller=caller, backtest_id=pk), caller))


def _document(row: Backtest, caller: Caller) -> dict[str, Any]:
    return {
        "id": row.pk,
        "url": f"/api/v1/backtests/{row.pk}",
        "status": row.status,
        "done": row.done,
        "total": row.total,
        "error": row.error,
        "result": result_for(row, caller),
    }
