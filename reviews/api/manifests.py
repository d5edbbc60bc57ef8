"""Pipeline manifests against the organisation's Rego: asked by CI or by the cluster, no team's repository changes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.storable import unstorable
from governance.prefill.safe_yaml import parse_yaml
from governance.prefill.source import Source
from governance.services.deciding_elsewhere import PIPELINES, Decision, NoDecision, decide
from reviews.api.kubernetes import shortened
from reviews.api.permits import require_permit_scope
from reviews.api.submissions import REFUSALS

LONGEST, MOST_DOCUMENTS = 2 * 1024**2, 20
_SPLIT = re.compile(r"^---[ \t]*$", re.MULTILINE)
_GIVEN = inline_serializer("Manifest", {"manifest": serializers.CharField(help_text="YAML or JSON, as the compiler wrote it")})
_GIVES = inline_serializer(
    "ManifestDecision",
    {
        "allowed": serializers.BooleanField(),
        "reasons": serializers.ListField(child=serializers.CharField()),
        "warnings": serializers.ListField(child=serializers.CharField()),
        "engine": serializers.CharField(),
    },
)


class ManifestView(APIView):
    """A manifest as text."""

    @extend_schema(
        operation_id="check_manifest",
        summary="Does a pipeline manifest (Argo Workflows, Kubeflow Pipelines) keep to the policies?",
        description="Decided in Rego, package guiderail.pipelines: of the operator's OPA server or folder, else as shipped (a "
        "step labelled “monitoring”). 200 either way; no decision is not allowed.",
        request=_GIVEN,
        responses={200: _GIVES, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def post(self, request: Request) -> Response:
        require_permit_scope(caller_of(request))
        text = request.data.get("manifest") if isinstance(request.data, Mapping) else None
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
            raise _wrong("Send the manifest as text, up to 2 MiB.")
        decision = judged({"documents": documents_of(text)})
        return Response(
            {
                "allowed": decision.allowed,
                "reasons": list(decision.deny),
                "warnings": list(decision.warn),
                "engine": decision.engine,
            }
        )


class PipelineAdmissionView(APIView):
    """The same for a cluster: an admission webhook for Argo's objects."""

    @extend_schema(
        operation_id="kubernetes_validate_pipeline",
        summary="Kubernetes admission review (v1) of a pipeline: allowed while the policies are kept",
        description="Reads the object as it stands. 200 either way; no decision is not allowed.",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def post(self, request: Request) -> Response:
        require_permit_scope(caller_of(request))
        data = request.data if isinstance(request.data, Mapping) else {}
        review = data.get("request")
        if data.get("apiVersion") != "admission.k8s.io/v1" or not isinstance(review, Mapping) or unstorable(review):
            raise _wrong("This is no AdmissionReview of admission.k8s.io/v1.", "/request")
        answer: dict[str, Any] = {"uid": str(review.get("uid") or ""), "allowed": True}
        if review.get("operation") in ("CREATE", "UPDATE"):
            decision = judged({"documents": [review.get("object")]})
            answer["allowed"] = decision.allowed
            if not decision.allowed:
                answer["status"] = {"code": 403, "message": f"Guiderail: {' '.join(decision.deny)}"}
            if decision.warn:
                answer["warnings"] = [shortened(text) for text in decision.warn]
        return Response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer})


def judged(given: Mapping[str, Any]) -> Decision:
    """The decision; where nobody decided, a refusal that says so."""
    try:
        return decide(PIPELINES, given)
    except NoDecision as problem:
        return Decision((str(problem),), (), "nobody")


def documents_of(text: str) -> list[Any]:
    """The documents of a manifest. Raises `InvalidInput` for what is neither YAML nor JSON."""
    if text.lstrip().startswith("{"):
        try:
            return [json.loads(text)]
        except (ValueError, RecursionError) as exc:
            raise _wrong("The manifest is no JSON.") from exc
    parts = [part for part in _SPLIT.split(text) if part.strip()]
    if len(parts) > MOST_DOCUMENTS:
        raise _wrong(f"A manifest has up to {MOST_DOCUMENTS} documents.")
    found = []
    for part in parts:
        value, problems, ok = parse_yaml(part, Source("manifest.yaml", ""))
        if not ok:
            raise _wrong(problems[0].detail)
        if value is not None:
            found.append(value)
    return found


def _wrong(says: str, pointer: str = "/manifest") -> InvalidInput:
    return InvalidInput(says, errors=(FieldError(pointer, "invalid", says),))
