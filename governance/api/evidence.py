"""`POST /api/v1/evidence`: store a file by content. `GET /api/v1/evidence/{sha256}`: is it there already?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of, unit_of
from governance.domain.errors import FieldError, Forbidden, InvalidInput
from governance.domain.vocabulary import Scope
from governance.services.evidence import find_evidence, store_evidence
from governance.services.partial_evidence import Piece, take_piece

_CHUNK = 1024 * 1024


class RawBodyParser(BaseParser):
    """Leaves the body as a stream, whatever its type."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        return {"stream": stream}


class EvidenceStored(serializers.Serializer[Any]):
    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    name = serializers.CharField()
    media_type = serializers.CharField()


class EvidenceView(APIView):
    """Store an evidence file."""

    parser_classes = [MultiPartParser, RawBodyParser]

    @extend_schema(
        operation_id="store_evidence",
        summary="Store an evidence file by content",
        description="Multipart field `file`, or the raw body with `Content-Type` and `?name=`. 201 when new, 200 when known.",
        parameters=[OpenApiParameter("name", str, description="file name, for a raw body")],
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            },
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={201: EvidenceStored, 200: EvidenceStored, 422: OpenApiResponse(description="empty, too large, or no file")},
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        name, media_type, chunks = _incoming(request)
        row, created = store_evidence(caller=caller, unit_id=unit_of(caller), name=name, media_type=media_type, chunks=chunks)
        body = {"sha256": row.sha256, "size": row.size, "name": row.name, "media_type": row.media_type}
        return Response(body, status=201 if created else 200)


class EvidenceFileView(APIView):
    """What is known of a stored file; and files that arrive in pieces."""

    parser_classes = [RawBodyParser]

    @extend_schema(
        operation_id="get_evidence",
        summary="Whether a file is stored already, so that nobody sends it twice",
        responses={200: EvidenceStored, 404: OpenApiResponse(description="not stored in the caller's unit")},
    )
    def get(self, request: Request, sha256: str) -> Response:
        caller = caller_of(request)
        if caller.token is not None and not {Scope.EVIDENCE.value, Scope.READ.value} & set(caller.token.scopes):
            raise Forbidden(
                "This token lacks the scope “evidence”. Ask an administrator for one that has it.", code="scope_needed"
            )
        row = find_evidence(caller=caller, unit_id=unit_of(caller), sha256=sha256)
        return Response({"sha256": row.sha256, "size": row.size, "name": row.name, "media_type": row.media_type})

    @extend_schema(
        operation_id="store_evidence_piece",
        summary="Send a large file in pieces, and go on after a break",
        description="`Content-Range: bytes 0-8388607/20000000` appends; `bytes */20000000` without a body asks how much has "
        "arrived. A piece sent again changes nothing; a gap is 409. 202 with `offset` until the file is whole and has this "
        "sha256: then 201. Pieces are kept for a day.",
        parameters=[
            OpenApiParameter("Content-Range", str, OpenApiParameter.HEADER, required=True),
            OpenApiParameter("name", str, description="file name"),
        ],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={
            201: EvidenceStored,
            202: inline_serializer("EvidencePiece", {"offset": serializers.IntegerField(help_text="bytes that have arrived")}),
            409: OpenApiResponse(description="a gap, or another request sends the same file"),
            422: OpenApiResponse(description="no such range, or the whole file has another sha256"),
        },
    )
    def put(self, request: Request, sha256: str) -> Response:
        caller = caller_of(request)
        stream = request.data.get("stream") if isinstance(request.data, Mapping) else None
        arrived, row = take_piece(
            caller=caller,
            unit_id=unit_of(caller),
            sha256=sha256.removeprefix("sha256:"),
            name=request.query_params.get("name", "evidence"),
            media_type=request.content_type or "application/octet-stream",
            piece=Piece.parse(request.headers.get("Content-Range", "")),
            chunks=_read(stream),
        )
        if row is None:
            return Response({"offset": arrived}, status=202)
        body = {"sha256": row.sha256, "size": row.size, "name": row.name, "media_type": row.media_type, "offset": arrived}
        return Response(body, status=201)


def _incoming(request: Request) -> tuple[str, str, Iterator[bytes]]:
    if request.content_type.startswith("multipart/"):
        upload = request.FILES.get("file")
        if upload is None:
            raise InvalidInput(
                "The form has no field “file”.",
                errors=(FieldError("/file", "missing", "Send the bytes as the multipart field “file”."),),
            )
        return upload.name or "evidence", upload.content_type or "application/octet-stream", upload.chunks(_CHUNK)
    name = request.query_params.get("name", "evidence")
    stream = request.data.get("stream") if isinstance(request.data, Mapping) else None
    return name, request.content_type or "application/octet-stream", _read(stream)


def _read(stream: object) -> Iterator[bytes]:
    read = getattr(stream, "read", None)
    while read is not None and (chunk := read(_CHUNK)):
        yield chunk
