"""`/grants` and `/stand-ins`: roles held, asked for and ended. A second person approves in the browser; no token does any."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, UserName, parse
from governance.api.callers import caller_of
from governance.api.lists import CURSOR, KEY, LIMIT, given_of, key_of, limit_of, list_of, listed
from governance.domain.decision_json import to_json
from governance.domain.errors import FieldError, Forbidden, InvalidInput, NotFound
from governance.domain.vocabulary import SECOND_PERSON_ROLES, Role
from governance.models import GrantRequest, Person, RoleGrant, Unit
from governance.selectors import granting as selected
from governance.selectors.access import Caller
from governance.services.administration import end_grant, grant_role
from governance.services.granting import end_delegation
from governance.services.repeating import once
from reviews.api.decisions import last_authenticated
from reviews.api.shapes import ActionShape
from reviews.api.submissions import REFUSALS
from reviews.api.threads import BY_A_PERSON
from reviews.selectors.offers import for_grant_request
from reviews.selectors.paging import page_of

REQUESTS, STAND_INS = "/administration/requests", "/stand-ins"
WAITS = (
    "It holds once another administrator or a risk officer approves it, on that page and after a fresh sign-in. No program can."
)


class GrantBody(Closed):
    person: UserName
    role: Role
    unit: Annotated[str, StringConstraints(max_length=40)] | None = None
    until: date | None = None
    reason: Annotated[str, StringConstraints(max_length=300)]


class GrantIn(serializers.Serializer[Any]):
    person = serializers.CharField(max_length=150, help_text="user name")
    role = serializers.ChoiceField([role.value for role in Role])
    unit = serializers.CharField(required=False, allow_null=True, help_text="short name of a unit; all units when left out")
    until = serializers.DateField(required=False, allow_null=True, help_text="the last day; until it is ended when left out")
    reason = serializers.CharField(max_length=300)


class GrantShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    person = serializers.CharField(help_text="user name")
    name = serializers.CharField()
    role = serializers.CharField()
    unit = serializers.CharField(allow_blank=True, help_text="empty: all units")
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    holds = serializers.BooleanField()
    reason = serializers.CharField()
    granted_by = serializers.CharField(allow_blank=True)
    approved_by = serializers.CharField(allow_blank=True)
    stands_in_for = serializers.CharField(allow_blank=True)


class GrantRequestShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(["waits", "approved", "refused"])
    person = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    answered_by = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_blank=True)
    url = serializers.CharField(help_text="the page on which it is answered")
    says = serializers.CharField()
    actions = ActionShape(many=True)


class StandInsShape(serializers.Serializer[Any]):
    for_you = GrantShape(many=True)
    you_for_others = GrantShape(many=True)
    url = serializers.CharField(help_text="the page on which a role is handed on, after a fresh sign-in")


class GrantsView(APIView):
    """Role grants."""

    @extend_schema(
        operation_id="list_grants",
        summary="Roles of people of your units, the latest first, for administrators and auditors",
        parameters=[
            OpenApiParameter("person", str, description="user name"),
            OpenApiParameter("role", str),
            OpenApiParameter("state", str, enum=["holds", "ended"]),
            CURSOR,
            LIMIT,
        ],
        responses={200: list_of("GrantList", GrantShape), **{code: REFUSALS[code] for code in (401, 403, 422)}},
        auth=BY_A_PERSON,
    )
    def get(self, request: Request) -> Response:
        caller, given = _person(request), given_of(request, "person", "role", "state")
        rows, now = selected.grant_rows(caller), timezone.now()
        if given["person"]:
            rows = rows.filter(person__username=given["person"])
        if given["role"]:
            rows = rows.filter(role=given["role"])
        if given["state"] == "holds":
            rows = rows.filter(valid_from__lte=now).exclude(valid_until__lte=now)
        elif given["state"] == "ended":
            rows = rows.filter(valid_until__lte=now)
        elif given["state"]:
            says = "state is holds or ended."
            raise InvalidInput(says, errors=(FieldError("/state", "unknown", says),))
        page = page_of(rows, keys=("-id",), cursor=request.query_params.get("cursor", ""), size=limit_of(request))
        return listed(request, given, [_grant(row) for row in page.rows], page.next, page.previous)

    @extend_schema(
        operation_id="grant_role",
        summary="Grant a role, or ask for one that needs a second person",
        description="By an administrator who signed in freshly (`reauthentication_needed` otherwise). 201 when it holds; 202 "
        "when somebody else has to approve it, which is done on the page that the answer names.",
        parameters=[KEY],
        request=GrantIn,
        responses={201: GrantShape, 200: OpenApiResponse(GrantShape, "granted before"), 202: GrantRequestShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request) -> Response:
        caller, body = _person(request), parse(GrantBody, request.data)
        person = selected.people_rows(caller).filter(username=body.person).first()
        if person is None:
            raise NotFound("There is no such person in your business unit.")
        unit = Unit.objects.filter(slug=body.unit).first() if body.unit else None
        if body.unit and unit is None:
            raise InvalidInput("There is no such unit.", errors=(FieldError("/unit", "unknown", "A short name of a unit."),))
        until = datetime.combine(body.until, time.max, UTC) if body.until is not None else None

        def act(caller: Caller) -> int:
            return grant_role(
                caller=caller,
                person_id=person.pk,
                role=body.role,
                unit=unit,
                until=until,
                reason=body.reason,
                proved_at=last_authenticated(request),
            ).pk

        made, fresh = once(caller, key=key_of(request), operation="grant_role", body=body.model_dump(mode="json"), act=act)
        if body.role in SECOND_PERSON_ROLES:
            asked = selected.request_rows(caller).get(pk=made)
            return Response(_request(asked, caller), status=202)
        return Response(_grant(selected.grant_rows(caller).get(pk=made)), status=201 if fresh else 200)


class EndGrantView(APIView):
    """One grant."""

    @extend_schema(
        operation_id="end_grant",
        summary="End a role now, as an administrator who signed in freshly",
        request=None,
        responses={200: GrantShape, **{code: REFUSALS[code] for code in (401, 403, 404)}},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = _person(request)
        if not selected.grant_rows(caller).filter(pk=pk).exists():
            raise NotFound("There is no such grant in your business unit.")
        end_grant(caller=caller, grant_id=pk, proved_at=last_authenticated(request))
        return Response(_grant(selected.grant_rows(caller).get(pk=pk)))


class GrantRequestsView(APIView):
    """Roles that wait for a second person."""

    @extend_schema(
        operation_id="list_grant_requests",
        summary="Roles asked for, the latest first, with whether you may answer",
        description="Answering needs a fresh sign-in and is done on the page named in each row; there is no operation for it.",
        parameters=[OpenApiParameter("state", str, enum=["waits", "answered"]), CURSOR, LIMIT],
        responses={200: list_of("GrantRequestList", GrantRequestShape), **{code: REFUSALS[code] for code in (401, 403, 422)}},
        auth=BY_A_PERSON,
    )
    def get(self, request: Request) -> Response:
        caller, given = _person(request), given_of(request, "state")
        rows = selected.request_rows(caller)
        if given["state"]:
            if given["state"] not in ("waits", "answered"):
                says = "state is waits or answered."
                raise InvalidInput(says, errors=(FieldError("/state", "unknown", says),))
            rows = rows.filter(answered_at__isnull=given["state"] == "waits")
        page = page_of(rows, keys=("-id",), cursor=request.query_params.get("cursor", ""), size=limit_of(request))
        return listed(request, given, [_request(row, caller) for row in page.rows], page.next, page.previous)


class StandInsView(APIView):
    """Roles handed on."""

    @extend_schema(
        operation_id="list_stand_ins",
        summary="Who stands in for you now, and for whom you do",
        responses={200: StandInsShape, **{code: REFUSALS[code] for code in (401, 403)}},
        auth=BY_A_PERSON,
    )
    def get(self, request: Request) -> Response:
        caller = _person(request)
        assert caller.person is not None
        mine, others = selected.stand_ins(caller.person)
        told = {"for_you": [_grant(row) for row in mine], "you_for_others": [_grant(row) for row in others]}
        return Response({**told, "url": STAND_INS})


class EndStandInView(APIView):
    """One of them."""

    @extend_schema(
        operation_id="end_stand_in",
        summary="Take back a role you handed on, or give back one that was handed to you",
        request=None,
        responses={200: GrantShape, **{code: REFUSALS[code] for code in (401, 403, 404)}},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        return Response(_grant(end_delegation(caller=_person(request), grant_id=pk)))


def _person(request: Request) -> Caller:
    caller = caller_of(request)
    if caller.token is not None:
        raise Forbidden("Access is administered by people, not by tokens. Sign in.", code="person_needed")
    return caller


def _name(person: Person | None) -> str:
    return person.name if person is not None else ""


def _where(unit: Unit | None) -> str:
    return unit.slug if unit is not None else ""


def _grant(row: RoleGrant) -> dict[str, Any]:
    now = timezone.now()
    return {
        **{name: getattr(row, name) for name in ("id", "role", "valid_from", "valid_until", "reason")},
        "person": row.person.username,
        "name": row.person.name,
        "unit": _where(row.unit),
        "holds": row.valid_from <= now and (row.valid_until is None or row.valid_until > now),
        "granted_by": _name(row.granted_by),
        "approved_by": _name(row.approved_by),
        "stands_in_for": _name(row.delegated_by),
    }


def _request(row: GrantRequest, caller: Caller) -> dict[str, Any]:
    answered = row.answered_at is not None
    return {
        **{name: getattr(row, name) for name in ("id", "role", "valid_until", "reason", "asked_at", "answer")},
        "state": ("approved" if row.approved else "refused") if answered else "waits",
        "person": row.person.username,
        "name": row.person.name,
        "unit": _where(row.unit),
        "asked_by": row.asked_by.name,
        "answered_by": _name(row.answered_by),
        "url": REQUESTS,
        "says": "" if answered else WAITS,
        "actions": to_json(for_grant_request(row, caller)),
    }
