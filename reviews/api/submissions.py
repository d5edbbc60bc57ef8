"""Submitting, previewing, listing and moving submissions."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import AnswersBody, SubmissionBody, answers_of, parse
from governance.api.callers import caller_of, unit_of
from governance.api.lists import key_of, limit_of, listed
from governance.domain.decision_json import to_json
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from governance.selectors.access import Caller
from governance.selectors.facts import offered
from governance.selectors.previewing import preview_new
from governance.services.drafts import answer, changing
from reviews.api.bodies import ReviseBody, SubmitBody, WithdrawBody
from reviews.api.gate_previews import WAITING, waiting
from reviews.api.renderers import VERDICT_RENDERERS
from reviews.api.schemas import AnswersIn, ProblemShape, ReviseIn, SubmissionIn, SubmissionListShape, VerdictShape, WithdrawIn
from reviews.selectors.decision_view import decision_view, view_for_verdict, view_of
from reviews.selectors.loading import just_submitted
from reviews.selectors.queue import Filters, submissions
from reviews.selectors.verdict import preview_document, verdict_document
from reviews.selectors.verdict_texts import RENDERED
from reviews.services.intake import open_and_hand_in, revise_with, submit, withdraw
from reviews.services.trying_gates import ask

REFUSALS = {
    401: OpenApiResponse(ProblemShape, "not signed in"),
    403: OpenApiResponse(ProblemShape, "scope or role missing"),
    404: OpenApiResponse(ProblemShape, "no such submission in the caller's units"),
    409: OpenApiResponse(ProblemShape, "not possible in the present state"),
    422: OpenApiResponse(ProblemShape, "the body says too little or too much"),
}
_ACCEPTED = 'Decided by facts and policy only: "track" and the like in the body are refused.'


class SubmissionsView(APIView):
    """The list, and handing in."""

    @extend_schema(
        operation_id="list_submissions",
        summary="Submissions the caller may see, newest first",
        parameters=[
            OpenApiParameter("system", str, description="slug"),
            OpenApiParameter("state", str),
            OpenApiParameter("track", str),
            OpenApiParameter("turn", str, description="a role, submitter or machine"),
            OpenApiParameter("q", str, description="words, or a number such as S-1042"),
            OpenApiParameter("cursor", str),
            OpenApiParameter("limit", int, description="1 to 100, 25 unless told"),
        ],
        responses={200: SubmissionListShape, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        given = {name: request.query_params.get(name, "") for name in ("system", "state", "track", "turn", "q")}
        rows, following, before = submissions(
            caller, filters=Filters(**given), cursor=request.query_params.get("cursor", ""), size=limit_of(request)
        )
        return listed(request, given, [to_json(row) for row in rows], following, before)

    @extend_schema(
        operation_id="create_submission",
        summary="Make a submission and submit it",
        description=f"201 with the verdict; 200 with the existing one for the same content or Idempotency-Key. {_ACCEPTED}",
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        request=SubmissionIn,
        responses={201: VerdictShape, 200: VerdictShape, **{code: REFUSALS[code] for code in (401, 403, 409, 422)}},
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        body = parse(SubmissionBody, request.data)
        if body.gates:
            raise InvalidInput(
                "“gates” belongs to a preview; a submission runs its gates by itself.",
                errors=(FieldError("/gates", "unexpected", "Leave it out."),),
            )
        pk, created, handed_in = open_and_hand_in(
            caller=caller,
            unit_id=unit_of(caller),
            new=body.new_submission(),
            idempotency_key=key_of(request),
            keep_draft=body.draft,
        )
        if handed_in is not None:
            frozen = handed_in.frozen
            rows = just_submitted(handed_in.material, frozen.revision, offered(frozen.facts, frozen.champion))
            return _answer(verdict_document(view_of(rows, caller)), 201)
        return _verdict(caller, pk, 201 if created else 200)


class PreviewView(APIView):
    """The same rules before anything is handed in."""

    renderer_classes = VERDICT_RENDERERS

    @extend_schema(
        operation_id="preview_submission",
        parameters=[
            OpenApiParameter("rendered", str, enum=["markdown", "sarif", "junit"], description="adds that text as “rendered”")
        ],
        summary="What would happen to this submission; records nothing",
        description=f"With `gates` a worker also runs the gates on the evidence; nothing of it becomes a submission. {_ACCEPTED}",
        request=SubmissionIn,
        responses={
            (200, "application/json"): VerdictShape,
            (200, "text/markdown"): str,
            (200, "application/sarif+json"): str,
            (200, "application/junit+xml"): str,
            (202, "application/json"): WAITING,
            **{code: REFUSALS[code] for code in (401, 403, 409, 422)},
        },
    )
    def post(self, request: Request) -> Response | HttpResponse:
        caller = caller_of(request)
        body = parse(SubmissionBody, request.data)
        if body.gates:
            return waiting(ask(caller=caller, unit_id=unit_of(caller), new=body.new_submission()))
        wanted = request.query_params.get("rendered", "")
        if wanted and wanted not in RENDERED:
            raise InvalidInput(
                f"rendered is one of {', '.join(RENDERED)}.", errors=(FieldError("/rendered", "unknown", "Such as markdown."),)
            )
        preview = preview_new(caller=caller, unit_id=unit_of(caller), new=body.new_submission())
        document = preview_document(preview, system=body.system, version=body.version, environment=body.environment)
        return Response({**document, "rendered": RENDERED[wanted](document)} if wanted else document)


class SubmissionView(APIView):
    """Everything about one submission."""

    @extend_schema(
        operation_id="get_submission",
        summary="Everything: the decision view",
        responses={200: OpenApiTypes.OBJECT, **{code: REFUSALS[code] for code in (401, 403, 404)}},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        return Response(to_json(decision_view(pk, caller)))


class AnswersView(APIView):
    """Answering while draft or changes are requested."""

    @extend_schema(
        operation_id="answer_questions",
        summary="Record answers",
        description="While draft, checks failed or changes requested. `{value, reason}` corrects a prefilled value. "
        "`carry_over` names offered answers of the champion that hold for this version too.",
        request=AnswersIn,
        responses={200: VerdictShape, **REFUSALS},
    )
    def patch(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        body = parse(AnswersBody, request.data)
        with changing(caller, pk) as (work, submission):
            # a pipeline that gives no reason is recorded as such; a person is asked for one
            answers = answers_of(body.answers)
            answer(work, submission, answers, reason_needed=caller.token is None, carried=body.carry_over)
        return _verdict(caller, pk)


class SubmitView(APIView):
    """Submitting a draft."""

    @extend_schema(
        operation_id="submit_submission", summary="Submit a draft", request=None, responses={200: VerdictShape, **REFUSALS}
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        body = parse(SubmitBody, request.data or {})
        submit(caller=caller, submission_id=pk, note=body.note)
        return _verdict(caller, pk)


class ReviseView(APIView):
    """Handing in the next revision."""

    @extend_schema(
        operation_id="revise_submission",
        summary="Submit the next revision, with what changed and replies to requested changes",
        description=(
            "Everything is optional: what is not sent stays as it is. A file of a known name, or evidence in a role that is "
            "taken, replaces what was there. The same Idempotency-Key with the same content is the same revision; without a key "
            "so is the same content, until the submission can be revised again."
        ),
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        request=ReviseIn,
        responses={200: VerdictShape, **REFUSALS},
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        body = parse(ReviseBody, request.data or {})
        revise_with(caller=caller, submission_id=pk, new=body.new_revision(), idempotency_key=key_of(request))
        return _verdict(caller, pk)


class WithdrawView(APIView):
    """Taking a submission back."""

    @extend_schema(
        operation_id="withdraw_submission", summary="Withdraw", request=WithdrawIn, responses={200: VerdictShape, **REFUSALS}
    )
    def post(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        body = parse(WithdrawBody, request.data or {})
        withdraw(caller=caller, submission_id=pk, reason=body.reason)
        return _verdict(caller, pk)


def _verdict(caller: Caller, pk: int, status: int = 200) -> Response:
    return _answer(verdict_document(view_for_verdict(pk, caller)), status)


def _answer(document: dict[str, Any], status: int) -> Response:
    headers = {"Location": f"/api/v1/submissions/{document['submission']}"} if status == 201 else None
    return Response(document, status=status, headers=headers)
