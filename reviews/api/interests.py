"""`/submissions/{id}/conflicts-of-interest`: who stands aside on a case, and standing aside oneself."""

from __future__ import annotations

from typing import Annotated, Any

from drf_spectacular.utils import extend_schema
from pydantic import StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, parse
from governance.api.callers import caller_of
from governance.domain.decision_json import to_json
from governance.domain.vocabulary import Scope
from governance.selectors.access import Caller
from reviews.api.shapes import ActionShape
from reviews.api.submissions import REFUSALS
from reviews.api.threads import BY_A_PERSON
from reviews.models import DeclaredConflict
from reviews.selectors.interests import interest_refusal
from reviews.selectors.loading import find_submission
from reviews.selectors.offers import offer
from reviews.services.interests import declare_conflict


class InterestBody(Closed):
    why: Annotated[str, StringConstraints(max_length=500)]


class InterestIn(serializers.Serializer[Any]):
    why = serializers.CharField(max_length=500, help_text="what binds you, in a few words")


class InterestShape(serializers.Serializer[Any]):
    by = serializers.CharField()
    why = serializers.CharField()
    at = serializers.DateTimeField()


class InterestsShape(serializers.Serializer[Any]):
    results = InterestShape(many=True)
    actions = ActionShape(many=True)


class InterestsView(APIView):
    """Conflicts of interest of one case: one a person at most."""

    @extend_schema(
        operation_id="list_conflicts_of_interest",
        summary="Who declared a conflict of interest on a submission, and so decides nothing on it",
        responses={200: InterestsShape, **{code: REFUSALS[code] for code in (401, 403, 404)}},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        return Response(_document(caller, pk))

    @extend_schema(
        operation_id="declare_conflict_of_interest",
        summary="Declare that you cannot judge a submission freely",
        description="You decide nothing on it from then on, and it leaves your queue. It stays on record; a second time is 409.",
        request=InterestIn,
        responses={201: InterestsShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        declare_conflict(caller=caller, submission_id=pk, why=parse(InterestBody, request.data).why)
        return Response(_document(caller, pk), status=201)


def _document(caller: Caller, pk: int) -> dict[str, Any]:
    submission = find_submission(caller=caller, submission_id=pk)
    rows = DeclaredConflict.objects.select_related("by").filter(submission=submission).order_by("id")
    action = offer("declare", "Declare it", "Somebody else decides.", interest_refusal(submission, caller), danger=True)
    return {"results": [{"by": row.by.name, "why": row.why, "at": row.at} for row in rows], "actions": [to_json(action)]}
