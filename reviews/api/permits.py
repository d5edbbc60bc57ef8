"""`GET /api/v1/permits`: may this version go to this environment?"""

from __future__ import annotations

import re
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of
from governance.domain.decision_json import to_json
from governance.domain.errors import FieldError, Forbidden, InvalidInput
from governance.domain.vocabulary import Scope
from governance.policy.exposure import FULL
from governance.selectors.access import Caller
from governance.services.signing import envelope
from reviews.api.schemas import EnvelopeShape, PermitAnswerShape
from reviews.api.submissions import REFUSALS
from reviews.selectors.attestations import permit_statement
from reviews.selectors.permits import permit_answer


class PermitsView(APIView):
    """The question deployment tools ask."""

    @extend_schema(
        operation_id="ask_permit",
        summary="May this version go to this environment?",
        description="Answers 200 either way; the unknown is not allowed. Give system and version, or the artefact's digest.",
        parameters=[
            OpenApiParameter("system", str),
            OpenApiParameter("version", str),
            OpenApiParameter("digest", str, description="sha256:…"),
            OpenApiParameter("environment", str, description="production unless told"),
            OpenApiParameter("exposure", int, description="percent of traffic or people, 1 to 100; all of it unless told"),
        ],
        responses={200: PermitAnswerShape, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        require_permit_scope(caller)
        given = {name: request.query_params.get(name, "").replace("\x00", "") for name in ("system", "version", "digest")}
        environment = request.query_params.get("environment", "production").replace("\x00", "")
        by_version, by_digest = bool(given["system"] and given["version"]), bool(given["digest"])
        if by_version is by_digest or (by_digest and (given["system"] or given["version"])):
            raise InvalidInput(
                "Ask by “system” and “version”, or by “digest”.",
                errors=(
                    FieldError(
                        "/system", "missing", "Give ?system=…&version=…&environment=…, or ?digest=sha256:…&environment=…."
                    ),
                ),
            )
        if by_digest:
            given["digest"] = _digest(given["digest"])
        exposure = percent(request.query_params.get("exposure", ""))
        return Response(to_json(permit_answer(caller, environment=environment, exposure=exposure, **given)))


class AttestationView(APIView):
    """A permit as a signed statement."""

    @extend_schema(
        operation_id="get_attestation",
        summary="The permit as a signed in-toto statement (DSSE), to be checked without asking",
        description="A SLSA verification summary about the artefact's digest. Public keys: /.well-known/guiderail/keys.json. "
        "409 for a permit that does not hold now. A later revocation cannot be seen offline: ask where you can.",
        responses={200: EnvelopeShape, **{code: REFUSALS[code] for code in (401, 403, 404, 409)}},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        caller = caller_of(request)
        require_permit_scope(caller)
        return Response(envelope(permit_statement(caller, str(pk))))


def require_permit_scope(caller: Caller) -> None:
    """`permit` is the scope of deployers; whoever may read may ask as well."""
    if caller.token is not None and not {Scope.PERMIT.value, Scope.READ.value} & set(caller.token.scopes):
        raise Forbidden("This token lacks the scope “permit”. Ask an administrator for one that has it.", code="scope_needed")


def percent(raw: str) -> int:
    """A whole percentage from 1 to 100; all of it where nothing is said. Raises `InvalidInput`."""
    if not raw:
        return FULL
    if not re.fullmatch(r"[1-9]\d?|100", raw):
        raise InvalidInput(
            "The exposure is a whole percentage from 1 to 100.",
            errors=(FieldError("/exposure", "invalid", "Such as 5, without a percent sign; round up."),),
        )
    return int(raw)


def _digest(raw: str) -> str:
    found = re.fullmatch(r"(?:sha256:)?([0-9a-f]{64})", raw.strip().lower())
    if found is None:
        raise InvalidInput(
            "The digest is sha256: and 64 hexadecimal digits.",
            errors=(FieldError("/digest", "invalid", "Such as sha256:9f86d0…"),),
        )
    return f"sha256:{found[1]}"
