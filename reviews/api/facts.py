"""`GET /api/v1/submissions/{id}/facts`: what the policy reads, with where each fact comes from; or as input of OPA."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gates.metrics.policy_engine import INPUT, USES_FACTS
from governance.api.callers import caller_of
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Scope
from governance.models import Submission, TrackDecision
from governance.selectors.previewing import preview_draft
from reviews.api.submissions import REFUSALS
from reviews.selectors.loading import find_submission

_GIVES = inline_serializer(
    "Facts",
    {
        "schema": serializers.CharField(required=False, help_text="guiderail/facts/1"),
        "facts": serializers.ListField(child=serializers.DictField(), required=False),
        "input": serializers.DictField(required=False, help_text="with ?as=opa: the input document"),
    },
)


class FactsView(APIView):
    """The facts of a submission."""

    @extend_schema(
        operation_id="get_facts",
        summary="The facts as the policy reads them",
        description="Each statement with its source and assurance. `?as=opa` gives the input document for Open Policy Agent: the "
        "very one that the gate GR107 sends.",
        parameters=[OpenApiParameter("as", str, enum=["opa"], description="opa: the best value of each fact, as input")],
        responses={200: _GIVES, **{code: REFUSALS[code] for code in (401, 403, 404, 422)}},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        wanted = request.query_params.get("as", "")
        if wanted not in ("", "opa"):
            raise InvalidInput("“as” is opa, or left out.", errors=(FieldError("/as", "unknown", "Such as ?as=opa."),))
        facts = facts_of(find_submission(caller=caller, submission_id=pk))
        if wanted == "opa":
            return Response({"input": opa_input(facts)})
        return Response({"schema": "guiderail/facts/1", "facts": facts.to_json()})


def facts_of(submission: Submission) -> FactSet:
    """As the last decision about the track saw them; for a draft as they stand."""
    decision = TrackDecision.objects.filter(submission=submission, revision=submission.revision).order_by("-id").first()
    if decision is not None and submission.revision:
        return FactSet.from_json(decision.facts)
    return preview_draft(submission).facts


def opa_input(facts: FactSet) -> dict[str, Any]:
    """The best known value of each fact, by name."""
    known = {name: facts.value(name) for name in USES_FACTS}
    return {"schema": INPUT, "facts": {name: value for name, value in known.items() if value is not None}}
