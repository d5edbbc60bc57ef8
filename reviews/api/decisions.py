"""`POST …/decisions`: a signed-in person decides. A token never can, whatever its scopes."""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.account.authentication import get_authentication_records
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import parse
from governance.api.callers import caller_of
from governance.domain.errors import Forbidden
from reviews.api.bodies import DecisionBody
from reviews.api.schemas import DecisionIn, VerdictShape
from reviews.api.submissions import REFUSALS
from reviews.selectors.decision_view import decision_view
from reviews.selectors.verdict import verdict_document
from reviews.services.deciding import decide


class DecisionsView(APIView):
    """Deciding the step whose turn it is."""

    @extend_schema(
        operation_id="decide_submission",
        summary="Decide the open review step, as a person signed in",
        description="Bound to the dossier digest that was seen; 409 `stale_dossier` with what changed when it is another.",
        request=DecisionIn,
        responses={200: VerdictShape, **REFUSALS},
        auth=[{"cookieAuth": []}],  # type: ignore[list-item]  # the stubs know names only; OpenAPI wants requirements
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        if caller.token is not None:
            raise Forbidden("A token cannot decide. A person has to sign in and decide.", code="person_needed")
        body = parse(DecisionBody, request.data)
        decide(
            caller=caller,
            submission_id=pk,
            dossier_digest=body.dossier_digest,
            decision=body.new_decision(last_authenticated(request)),
        )
        return Response(verdict_document(decision_view(pk, caller)))


def last_authenticated(request: Request) -> datetime | None:
    """When the person of this session last proved who they are, by password, passkey or code; None when that is not known."""
    moments = [record["at"] for record in get_authentication_records(request._request, request.user) if "at" in record]
    return datetime.fromtimestamp(max(moments), UTC) if moments else None
