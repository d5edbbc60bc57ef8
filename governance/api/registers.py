"""`/api/v1/registers/sources`: the register of data sources. Programs read it and propose; people decide."""

from __future__ import annotations

from collections.abc import Mapping

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of, unit_of
from governance.domain.errors import InvalidInput, NotFound
from governance.domain.vocabulary import Scope
from governance.selectors.source_register import entries, to_json
from governance.services.source_register import propose

MOST_LISTED = 1_000


class SourcesView(APIView):
    """The register."""

    @extend_schema(
        operation_id="list_sources",
        summary="Data sources and feature stores, with owner, quality rule, legal basis and approval",
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        rows = [to_json(row) for row in entries(caller)[:MOST_LISTED]]
        return Response({"next": None, "previous": None, "results": rows})


class SourceView(APIView):
    """One entry, by its name."""

    @extend_schema(
        operation_id="get_source",
        summary="One data source",
        responses={200: OpenApiTypes.OBJECT, 404: OpenApiResponse(description="not registered in your unit")},
    )
    def get(self, request: Request, name: str) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        found = entries(caller).filter(unit_id=unit_of(caller), name=name).first()
        if found is None:
            raise NotFound(f"“{name[:100]}” is not registered in your business unit.")
        return Response(to_json(found))

    @extend_schema(
        operation_id="propose_source",
        summary="Propose an entry or a change",
        description='`{"values": {field: value}, "why": "…"}`. 202 with the proposal: it counts once a second person has '
        "approved it, which no token can. 200 when everything is registered so already.",
        request=OpenApiTypes.OBJECT,
        responses={
            202: OpenApiTypes.OBJECT,
            200: OpenApiTypes.OBJECT,
            422: OpenApiResponse(description="a wrong value"),
        },
    )
    def put(self, request: Request, name: str) -> Response:
        caller = caller_of(request)
        body = request.data
        if not isinstance(body, Mapping) or not isinstance(body.get("values"), Mapping) or not isinstance(body.get("why"), str):
            raise InvalidInput("Send an object with “values” (field to value) and “why” (a sentence).")
        if odd := sorted(set(body) - {"values", "why"}):
            raise InvalidInput(f"“{str(odd[0])[:60]}” is not a field here; “values” and “why” are.")
        made = propose(caller=caller, unit_id=unit_of(caller), name=name, values=body["values"], why=body["why"], origin="api")
        if made is None:
            return Response({"state": "registered", "name": name})
        told = {"state": "proposed", "name": made.name, "values": made.values, "proposal": made.pk}
        return Response({**told, "url": request.build_absolute_uri(f"/registers/changes/{made.pk}")}, status=202)
