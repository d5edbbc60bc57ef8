"""`/conditions` and post-release evaluations: what approvals left to be done, and saying that it is."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, parse
from governance.api.callers import caller_of
from governance.api.lists import CURSOR, LIMIT, given_of, limit_of, list_of, listed
from governance.domain.decision_json import to_json
from governance.domain.vocabulary import Scope
from governance.selectors.access import Caller
from reviews.api.shapes import ActionShape
from reviews.api.submissions import REFUSALS
from reviews.api.threads import BY_A_PERSON, Words
from reviews.models import Condition
from reviews.selectors.following_up import condition_of, conditions
from reviews.selectors.offers import for_condition
from reviews.services.following_up import meet_condition, record_evaluation


class MetBody(Closed):
    evidence: Words


class EvaluationBody(Closed):
    result: Literal["as_expected", "worse", "not_released"]
    found: Words
    evidence: Words


class MetIn(serializers.Serializer[Any]):
    evidence = serializers.CharField(help_text="what shows that it is done, and where it can be looked up")


class EvaluationIn(serializers.Serializer[Any]):
    result = serializers.ChoiceField(["as_expected", "worse", "not_released"])
    found = serializers.CharField()
    evidence = serializers.CharField()


class ConditionShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    submission = serializers.CharField()
    system = serializers.CharField()
    version = serializers.CharField()
    text = serializers.CharField()
    owner = serializers.CharField()
    due_on = serializers.DateField()
    if_missed = serializers.CharField()
    met_at = serializers.DateTimeField(allow_null=True)
    met_evidence = serializers.CharField(allow_blank=True)
    confirmed_by = serializers.CharField(allow_blank=True)
    actions = ActionShape(many=True)


class EvaluationShape(serializers.Serializer[Any]):
    submission = serializers.CharField()
    result = serializers.CharField()
    found = serializers.CharField()
    evidence = serializers.CharField()
    done_at = serializers.DateTimeField(allow_null=True)


class ConditionsView(APIView):
    """Conditions of approvals."""

    @extend_schema(
        operation_id="list_conditions",
        summary="Conditions of approvals, the latest first",
        parameters=[
            OpenApiParameter("state", str, enum=["open", "overdue", "met"]),
            OpenApiParameter("owner", str, description="a user name, or me"),
            CURSOR,
            LIMIT,
        ],
        responses={200: list_of("ConditionList", ConditionShape), **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        given = given_of(request, "state", "owner")
        page = conditions(caller, **given, cursor=request.query_params.get("cursor", ""), size=limit_of(request))
        return listed(request, given, [_told(row, caller) for row in page.rows], page.next, page.previous)


class MeetConditionView(APIView):
    """One condition."""

    @extend_schema(
        operation_id="meet_condition",
        summary="Confirm that a condition is met, as somebody who reviews and does not own it",
        request=MetIn,
        responses={200: ConditionShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller, body = caller_of(request), parse(MetBody, request.data)
        meet_condition(caller=caller, condition_id=pk, evidence=body.evidence)
        return Response(_told(condition_of(caller, pk), caller))


class EvaluationView(APIView):
    """The post-release evaluation of a submission."""

    @extend_schema(
        operation_id="record_evaluation",
        summary="Record what the post-release evaluation found; worse than approved opens a finding",
        request=EvaluationIn,
        responses={200: EvaluationShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        body = parse(EvaluationBody, request.data)
        row = record_evaluation(caller=caller_of(request), submission_id=pk, **body.model_dump())
        names = ("result", "found", "evidence", "done_at")
        return Response({"submission": f"S-{pk}", **{name: getattr(row, name) for name in names}})


def _told(row: Condition, caller: Caller) -> dict[str, Any]:
    names = ("id", "text", "due_on", "if_missed", "met_at", "met_evidence")
    submission = row.submission
    return {
        **{name: to_json(getattr(row, name)) for name in names},
        "submission": submission.number,
        "system": submission.system.slug,
        "version": submission.version.version,
        "owner": row.owner.name,
        "confirmed_by": row.confirmed_by.name if row.confirmed_by is not None else "",
        "actions": to_json(for_condition(row, caller)),
    }
