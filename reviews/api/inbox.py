"""`/inbox`: the messages of the person signed in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, parse
from governance.api.callers import caller_of
from governance.api.lists import CURSOR, LIMIT, given_of, limit_of, list_of, listed
from governance.domain.errors import Forbidden
from governance.selectors.access import Caller
from reviews.api.bodies import Id
from reviews.api.submissions import REFUSALS
from reviews.api.threads import BY_A_PERSON
from reviews.models import Notification
from reviews.selectors.inbox import inbox
from reviews.services.reading import mark_read


class ReadBody(Closed):
    message: Id | None = None


class ReadIn(serializers.Serializer[Any]):
    message = serializers.IntegerField(required=False, allow_null=True, min_value=1, help_text="all of them unless one is named")


class MessageShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    says = serializers.CharField()
    why = serializers.CharField(help_text="why you are told")
    path = serializers.CharField(help_text="where to act, below the address of this server")
    at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class ReadShape(serializers.Serializer[Any]):
    read = serializers.IntegerField(help_text="how many were unread")


class InboxView(APIView):
    """Messages."""

    @extend_schema(
        operation_id="list_messages",
        summary="Your messages, the latest first",
        parameters=[OpenApiParameter("unread", str, enum=["true", "false"]), CURSOR, LIMIT],
        responses={200: list_of("MessageList", MessageShape), **{code: REFUSALS[code] for code in (401, 403, 422)}},
        auth=BY_A_PERSON,
    )
    def get(self, request: Request) -> Response:
        caller, given = _person(request), given_of(request, "unread")
        rows, following, before = inbox(
            caller,
            unread=given["unread"] == "true",
            cursor=request.query_params.get("cursor", ""),
            size=limit_of(request),
        )
        return listed(request, given, [_told(row) for row in rows], following, before)


class InboxReadView(APIView):
    """Messages that were read."""

    @extend_schema(
        operation_id="mark_messages_read",
        summary="Mark one message as read, or all of them",
        request=ReadIn,
        responses={200: ReadShape, **{code: REFUSALS[code] for code in (401, 403, 422)}},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request) -> Response:
        caller, body = _person(request), parse(ReadBody, request.data or {})
        return Response({"read": mark_read(caller=caller, notification_id=body.message)})


def _person(request: Request) -> Caller:
    caller = caller_of(request)
    if caller.token is not None:
        raise Forbidden("Messages are for people. A program asks for verdicts, or takes webhooks.", code="person_needed")
    return caller


def _told(row: Notification) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "kind", "title", "says", "why", "path", "at", "read_at")}
