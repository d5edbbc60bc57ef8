"""`/submissions/{id}/threads`: reading them, writing drafts, publishing the drafts together. People write; programs read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from drf_spectacular.utils import extend_schema
from pydantic import StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, parse
from governance.api.callers import caller_of
from governance.api.lists import CURSOR, KEY, LIMIT, key_of, limit_of, list_of, listed
from governance.domain.decision_json import to_json
from governance.domain.errors import NotFound
from governance.domain.vocabulary import Disposition, Scope
from governance.selectors.access import Caller
from governance.services.repeating import once
from reviews.api.shapes import ActionShape
from reviews.api.submissions import REFUSALS
from reviews.models import Remark
from reviews.selectors.loading import find_submission
from reviews.selectors.offers import for_thread
from reviews.selectors.threads import drafts_of, published, works_on_it
from reviews.services.threads import NewRemark, draft_remark, drop_draft, publish

Words = Annotated[str, StringConstraints(max_length=10_000)]
BY_A_PERSON: list[Any] = [{"cookieAuth": []}]
"""Signed in: a token cannot do it."""


class AnswerBody(Closed):
    text: Words
    disposition: Disposition = Disposition.QUESTION


class RemarkBody(AnswerBody):
    about_kind: Literal["gate", "question", "finding"]
    about: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class AnswerIn(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=5_000)
    disposition = serializers.ChoiceField(
        [d.value for d in Disposition], default="question", help_text="what it makes of the thread"
    )


class RemarkIn(AnswerIn):
    about_kind = serializers.ChoiceField(["gate", "question", "finding"])
    about = serializers.CharField(max_length=100, help_text="code of a gate, name of a question, number of a finding")


class RemarkShape(serializers.Serializer[Any]):
    by = serializers.CharField()
    disposition = serializers.CharField()
    text = serializers.CharField()
    revision = serializers.IntegerField()
    at = serializers.DateTimeField()


class ThreadShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    about_kind = serializers.CharField()
    about = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    disposition = serializers.CharField()
    remarks = RemarkShape(many=True)
    actions = ActionShape(many=True)


class RemarkDraftShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    thread = serializers.IntegerField()
    about_kind = serializers.CharField()
    about = serializers.CharField()
    disposition = serializers.CharField()
    text = serializers.CharField()
    written_at = serializers.DateTimeField()


class RemarkDraftsShape(serializers.Serializer[Any]):
    results = RemarkDraftShape(many=True)


class PublishedShape(serializers.Serializer[Any]):
    published = serializers.IntegerField()


class ThreadsView(APIView):
    """Threads of a case."""

    @extend_schema(
        operation_id="list_threads",
        summary="Threads of a submission with what was published in them, the oldest first",
        parameters=[CURSOR, LIMIT],
        responses={200: list_of("ThreadList", ThreadShape), **{code: REFUSALS[code] for code in (401, 403, 404, 422)}},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        submission = find_submission(caller=caller, submission_id=pk)
        rows, following, before = published(submission, cursor=request.query_params.get("cursor", ""), size=limit_of(request))
        mine = works_on_it(submission, caller)
        offers = [for_thread(submission, caller, row.disposition, mine=mine) for row in rows]
        told = [{**to_json(row), "actions": to_json(given)} for row, given in zip(rows, offers, strict=True)]
        return listed(request, {}, told, following, before)

    @extend_schema(
        operation_id="open_thread",
        summary="Draft a remark about a gate, a question or a finding",
        description="It opens a thread, or goes on with the one about the same. Nobody else sees it until you publish.",
        parameters=[KEY],
        request=RemarkIn,
        responses={201: RemarkDraftShape, 200: RemarkDraftShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        body = parse(RemarkBody, request.data)
        new = NewRemark(body.text, body.disposition, about_kind=body.about_kind, about=body.about)
        return _draft(request, pk, new, body)


class ThreadAnswersView(APIView):
    """One thread."""

    @extend_schema(
        operation_id="answer_thread",
        summary="Draft an answer in a thread, or resolve it",
        description="What must be fixed is resolved by somebody who reviews the case. Counts once you publish.",
        parameters=[KEY],
        request=AnswerIn,
        responses={201: RemarkDraftShape, 200: RemarkDraftShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int, thread: int) -> Response:
        body = parse(AnswerBody, request.data)
        return _draft(request, pk, NewRemark(body.text, body.disposition, thread=thread), body)


class RemarkDraftsView(APIView):
    """The caller's own drafts."""

    @extend_schema(
        operation_id="list_remark_drafts",
        summary="Your own drafts on a submission: fifty at most",
        responses={200: RemarkDraftsShape, **{code: REFUSALS[code] for code in (401, 403, 404)}},
        auth=BY_A_PERSON,
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        submission = find_submission(caller=caller, submission_id=pk)
        rows = drafts_of(submission, caller) if caller.token is None else ()
        return Response({"results": [_told(row) for row in rows]})


class RemarkDraftView(APIView):
    """One draft."""

    @extend_schema(
        operation_id="drop_remark_draft",
        summary="Take a draft of yours away",
        responses={204: None, **{code: REFUSALS[code] for code in (401, 403, 404)}},
        auth=BY_A_PERSON,
    )
    def delete(self, request: Request, pk: int, draft: int) -> Response:
        drop_draft(caller=caller_of(request), submission_id=pk, remark_id=draft)
        return Response(status=204)


class PublishRemarksView(APIView):
    """Publishing."""

    @extend_schema(
        operation_id="publish_remarks",
        summary="Publish all your drafts on a submission together",
        description="Those concerned are told once. Published remarks stay as they are.",
        request=None,
        responses={200: PublishedShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        return Response({"published": len(publish(caller=caller_of(request), submission_id=pk))})


def _draft(request: Request, pk: int, new: NewRemark, body: Closed) -> Response:
    def act(caller: Caller) -> int:
        return draft_remark(caller=caller, submission_id=pk, new=new).pk

    sent = {"submission": pk, "thread": new.thread, **body.model_dump(mode="json")}
    made, fresh = once(caller_of(request), key=key_of(request), operation="draft_remark", body=sent, act=act)
    row = Remark.objects.select_related("thread").filter(pk=made).first()
    if row is None:
        raise NotFound("You wrote this draft and took it away again. Send it with another key.")
    return Response(_told(row), status=201 if fresh else 200)


def _told(row: Remark) -> dict[str, Any]:
    names = ("id", "disposition", "text", "written_at")
    about = {"thread": row.thread_id, "about_kind": row.thread.about_kind, "about": row.thread.about}
    return {**{name: getattr(row, name) for name in names}, **about}
