"""`/queue`: what waits for the caller; taking a case on, giving it back, handing it over."""

from __future__ import annotations

from typing import Annotated, Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, UserName, parse
from governance.api.callers import caller_of, person_named
from governance.api.lists import CURSOR, LIMIT, given_of, limit_of, list_of, listed
from governance.domain.decision_json import to_json
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from governance.models import Submission
from reviews.api.schemas import RowShape
from reviews.api.submissions import REFUSALS
from reviews.api.threads import BY_A_PERSON
from reviews.selectors.queue import Filters, review_queue
from reviews.services.claiming import claim, hand_over, release

NAMES = ("system", "track", "state", "turn", "q", "unit", "claimed", "submitter", "age")


class HandOverBody(Closed):
    to: UserName
    note: Annotated[str, StringConstraints(max_length=2_000)]


class HandOverIn(serializers.Serializer[Any]):
    to = serializers.CharField(max_length=150, help_text="user name of somebody who may decide the open step")
    note = serializers.CharField(max_length=2_000, help_text="what they should know")


class ClaimShape(serializers.Serializer[Any]):
    submission = serializers.CharField()
    claimed_by = serializers.CharField(allow_blank=True)


class QueueView(APIView):
    """The review queue."""

    @extend_schema(
        operation_id="get_queue",
        summary="What waits for you, the longest first; or everything you may see",
        parameters=[
            OpenApiParameter("scope", str, enum=["mine", "all"], description="mine unless told"),
            *(OpenApiParameter(name, str) for name in NAMES),
            CURSOR,
            LIMIT,
        ],
        responses={200: list_of("QueueList", RowShape), **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        scope, given = request.query_params.get("scope", "mine"), given_of(request, *NAMES)
        if scope not in ("mine", "all"):
            raise InvalidInput("scope is mine or all.", errors=(FieldError("/scope", "unknown", "mine or all."),))
        found = review_queue(
            caller,
            scope="all" if scope == "all" else "mine",
            filters=Filters(**given),
            cursor=request.query_params.get("cursor", ""),
            size=limit_of(request),
        )
        return listed(request, {"scope": scope, **given}, to_json(found.rows), found.next, found.previous)


class ClaimView(APIView):
    """Taking a case on."""

    @extend_schema(
        operation_id="claim_submission",
        summary="Say that you are on it",
        description="Whoever may decide the open step. It decides nothing.",
        request=None,
        responses={200: ClaimShape, **{code: REFUSALS[code] for code in (401, 403, 404, 409)}},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        return _told(claim(caller=caller_of(request), submission_id=pk))


class ReleaseView(APIView):
    """Giving a case back."""

    @extend_schema(
        operation_id="release_submission",
        summary="Give a case back to the queue",
        request=None,
        responses={200: ClaimShape, **{code: REFUSALS[code] for code in (401, 403, 404, 409)}},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        return _told(release(caller=caller_of(request), submission_id=pk))


class HandOverView(APIView):
    """Handing a case over."""

    @extend_schema(
        operation_id="hand_over_submission",
        summary="Give the open step to somebody else, with what they should know",
        description="The receiver is told. Refused where the rules would not let them decide.",
        request=HandOverIn,
        responses={200: ClaimShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        body = parse(HandOverBody, request.data)
        given = hand_over(caller=caller_of(request), submission_id=pk, to=person_named(body.to), note=body.note)
        return Response({"submission": f"S-{pk}", "claimed_by": given.to.name})


def _told(row: Submission) -> Response:
    holder = row.claimed_by
    return Response({"submission": row.number, "claimed_by": holder.name if holder is not None else ""})
