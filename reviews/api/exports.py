"""`GET /api/v1/submissions/{id}/export`: the dossier as other tools keep it."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from governance.api.callers import caller_of
from governance.domain.errors import Conflict, FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from governance.services.signing import envelope
from reviews.api.facts import facts_of
from reviews.api.schemas import EnvelopeShape
from reviews.api.submissions import REFUSALS
from reviews.selectors.decision_view import decision_view
from reviews.selectors.exports import cyclonedx, front_matter, tests_passed
from reviews.selectors.loading import find_submission
from reviews.selectors.verdict import verdict_document
from reviews.selectors.verdict_texts import markdown

FORMS = ("markdown", "cyclonedx", "huggingface", "in-toto")


class ExportView(APIView):
    """A submission for other tools."""

    @extend_schema(
        operation_id="export_submission",
        summary="The dossier as Markdown, CycloneDX ML-BOM, Hugging Face front matter or a signed in-toto test result",
        description="Markdown unless told. The in-toto statement comes in a DSSE envelope; public keys: "
        "/.well-known/guiderail/keys.json. 409 for a draft.",
        parameters=[OpenApiParameter("as", str, enum=list(FORMS))],
        responses={
            (200, "text/markdown"): str,
            (200, "application/vnd.cyclonedx+json"): dict,
            (200, "application/json"): EnvelopeShape,
            **{code: REFUSALS[code] for code in (401, 403, 404, 409, 422)},
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        wanted = request.query_params.get("as", "markdown")
        if wanted not in FORMS:
            raise InvalidInput(
                f"“as” is one of {', '.join(FORMS)}.", errors=(FieldError("/as", "unknown", "Such as cyclonedx."),)
            )
        submission = find_submission(caller=caller, submission_id=pk)
        if not submission.revision:
            raise Conflict(f"{submission.number} is a draft: nothing was handed in that could be exported.", code="draft")
        view = decision_view(pk, caller)
        if wanted == "cyclonedx":
            return _json(cyclonedx(view, facts_of(submission)), "application/vnd.cyclonedx+json; version=1.6")
        if wanted == "in-toto":
            return _json(envelope(tests_passed(view)), "application/json")
        text = front_matter(view, facts_of(submission)) if wanted == "huggingface" else markdown(verdict_document(view))
        return HttpResponse(text, content_type="text/markdown; charset=utf-8")


def _json(content: dict[str, Any], kind: str) -> HttpResponse:
    return HttpResponse(json.dumps(content, ensure_ascii=False, indent=1), content_type=kind)
