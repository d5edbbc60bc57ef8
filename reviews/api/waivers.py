"""`/waivers`: the register, one waiver, asking for one, its audit and its end. Signatures are given in the browser alone."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, UserName, parse
from governance.api.callers import caller_of, person_named
from governance.api.lists import CURSOR, KEY, LIMIT, given_of, key_of, limit_of, list_of, listed
from governance.domain.decision_json import to_json
from governance.domain.vocabulary import Scope
from governance.selectors.access import Caller
from governance.services.repeating import once
from reviews.api.shapes import ActionShape
from reviews.api.submissions import REFUSALS
from reviews.api.threads import BY_A_PERSON, Words
from reviews.selectors.offers import for_waiver
from reviews.selectors.waiver_register import SCOPES, WaiverRow, find_waiver, register, row_of
from reviews.services.waiving import NewWaiver, end_waiver, record_audit, request_waiver


class WaiverBody(Closed):
    gate: Annotated[str, StringConstraints(max_length=20)]
    reason: Words
    compensating_control: Words
    owner: UserName
    expires_on: date
    audit_owner: UserName
    audit_due_on: date
    read_risk: bool = False


class EndBody(Closed):
    how: Literal["withdrawn", "revoked", "closed"]
    reason: Words


class AuditBody(Closed):
    held: bool
    found: Words
    evidence: Annotated[str, StringConstraints(max_length=500)]


class WaiverIn(serializers.Serializer[Any]):
    gate = serializers.CharField(max_length=20, help_text="the blocking gate that failed")
    reason = serializers.CharField(help_text="why the gate does not fit this case")
    compensating_control = serializers.CharField(help_text="what takes its place")
    owner = serializers.CharField(max_length=150, help_text="user name of who runs that control")
    expires_on = serializers.DateField()
    audit_owner = serializers.CharField(max_length=150, help_text="user name of who audits it")
    audit_due_on = serializers.DateField()
    read_risk = serializers.BooleanField(help_text="true: you read what the gate guards against")


class EndIn(serializers.Serializer[Any]):
    how = serializers.ChoiceField(["withdrawn", "revoked", "closed"])
    reason = serializers.CharField()


class AuditIn(serializers.Serializer[Any]):
    held = serializers.BooleanField(help_text="whether the control did what it should")
    found = serializers.CharField()
    evidence = serializers.CharField(max_length=500)


class WaiverRowShape(serializers.Serializer[Any]):
    waiver = serializers.JSONField(help_text="terms, people, signatures, audit and state")
    unit = serializers.CharField()
    submission = serializers.CharField()
    system = serializers.CharField()
    version = serializers.CharField()
    age_days = serializers.IntegerField()
    waits_for = serializers.CharField(allow_blank=True)


class WaiverDocumentShape(WaiverRowShape):
    actions = ActionShape(many=True)


class WaiversView(APIView):
    """The register."""

    @extend_schema(
        operation_id="list_waivers",
        summary="Waivers you may see, the latest first",
        parameters=[
            OpenApiParameter("scope", str, enum=list(SCOPES), description="all unless told"),
            OpenApiParameter("unit", str),
            OpenApiParameter("gate", str),
            CURSOR,
            LIMIT,
        ],
        responses={200: list_of("WaiverList", WaiverRowShape), **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        given = given_of(request, "scope", "unit", "gate")
        rows, following, before = register(
            caller,
            scope=given["scope"] or "all",
            unit=given["unit"],
            gate=given["gate"],
            cursor=request.query_params.get("cursor", ""),
            size=limit_of(request),
        )
        return listed(request, given, [_row(row) for row in rows], following, before)


class WaiverView(APIView):
    """One waiver."""

    @extend_schema(
        operation_id="get_waiver",
        summary="A waiver with its signatures and audit, and what you may do",
        responses={200: WaiverDocumentShape, **{code: REFUSALS[code] for code in (401, 403, 404)}},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        return _told(caller, pk)


class RequestWaiverView(APIView):
    """Waivers of one case."""

    @extend_schema(
        operation_id="request_waiver",
        summary="Ask for a waiver of one failed gate",
        description="It holds once the manager of whoever asks and a risk officer have signed it, each on its page after a "
        "fresh sign-in. The answer names the page.",
        parameters=[KEY],
        request=WaiverIn,
        responses={201: WaiverDocumentShape, 200: WaiverDocumentShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller, body = caller_of(request), parse(WaiverBody, request.data)
        people = {"owner": person_named(body.owner), "audit_owner": person_named(body.audit_owner)}
        new = NewWaiver(**{**body.model_dump(), **people})

        def act(caller: Caller) -> int:
            return request_waiver(caller=caller, submission_id=pk, new=new).pk

        sent = {"submission": pk, **body.model_dump(mode="json")}
        made, fresh = once(caller, key=key_of(request), operation="request_waiver", body=sent, act=act)
        return _told(caller, made, 201 if fresh else 200)


class EndWaiverView(APIView):
    """Ending a waiver."""

    @extend_schema(
        operation_id="end_waiver",
        summary="Take a request back, revoke a waiver, or close it after its audit",
        request=EndIn,
        responses={200: WaiverDocumentShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller, body = caller_of(request), parse(EndBody, request.data)
        end_waiver(caller=caller, waiver_id=pk, how=body.how, reason=body.reason)
        return _told(caller, pk)


class AuditWaiverView(APIView):
    """The audit of a waiver."""

    @extend_schema(
        operation_id="audit_waiver",
        summary="Record what the audit of a waiver found; a control that did not work ends it",
        request=AuditIn,
        responses={200: WaiverDocumentShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller, body = caller_of(request), parse(AuditBody, request.data)
        record_audit(caller=caller, waiver_id=pk, held=body.held, found=body.found, evidence=body.evidence)
        return _told(caller, pk)


def _row(row: WaiverRow) -> dict[str, Any]:
    told: dict[str, Any] = to_json(row)
    return {"waiver": told.pop("view"), **told}


def _told(caller: Caller, pk: int, status: int = 200) -> Response:
    waiver, _ = find_waiver(caller=caller, waiver_id=pk)
    return Response({**_row(row_of(waiver)), "actions": to_json(for_waiver(waiver, caller))}, status=status)
