"""`/api/v1/registers/{register}`: sources, architectures, vendors, regions. Programs read and propose; people decide."""

from __future__ import annotations

from collections.abc import Mapping

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of, unit_of
from governance.domain.errors import InvalidInput, NotFound
from governance.domain.registers import REGISTERS, register_named
from governance.domain.vocabulary import Scope
from governance.selectors.registers import entries, to_json
from governance.services.registers import propose

MOST_LISTED = 1_000
WHICH = OpenApiParameter("register", str, OpenApiParameter.PATH, enum=list(REGISTERS), description="Which register.")


class RegisterView(APIView):
    """One register."""

    @extend_schema(
        operation_id="list_register",
        summary="Data sources, approved architectures, vendors with their assessments, or allowed regions",
        parameters=[WHICH],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, register: str) -> Response:
        caller, chosen = caller_of(request), register_named(register)
        caller.require_scope(Scope.READ)
        rows = [to_json(chosen, row) for row in entries(caller, chosen)[:MOST_LISTED]]
        return Response({"next": None, "previous": None, "results": rows})


class RegisterEntryView(APIView):
    """One entry, by its name."""

    @extend_schema(
        operation_id="get_register_entry",
        summary="One entry of a register",
        parameters=[WHICH],
        responses={200: OpenApiTypes.OBJECT, 404: OpenApiResponse(description="not registered in your unit")},
    )
    def get(self, request: Request, register: str, name: str) -> Response:
        caller, chosen = caller_of(request), register_named(register)
        caller.require_scope(Scope.READ)
        found = entries(caller, chosen).filter(unit_id=unit_of(caller), name=name).first()
        if found is None:
            raise NotFound(f"“{name[:100]}” is not registered in your business unit.")
        return Response(to_json(chosen, found))

    @extend_schema(
        operation_id="propose_register_entry",
        summary="Propose an entry or a change",
        parameters=[WHICH],
        description='`{"values": {field: value}, "why": "…"}`. 202 with the proposal: it counts once a second person has '
        "approved it, which no token can. 200 when everything is registered so already.",
        request=OpenApiTypes.OBJECT,
        responses={
            202: OpenApiTypes.OBJECT,
            200: OpenApiTypes.OBJECT,
            422: OpenApiResponse(description="a wrong value"),
        },
    )
    def put(self, request: Request, register: str, name: str) -> Response:
        caller = caller_of(request)
        body = request.data
        if not isinstance(body, Mapping) or not isinstance(body.get("values"), Mapping) or not isinstance(body.get("why"), str):
            raise InvalidInput("Send an object with “values” (field to value) and “why” (a sentence).")
        if odd := sorted(set(body) - {"values", "why"}):
            raise InvalidInput(f"“{str(odd[0])[:60]}” is not a field here; “values” and “why” are.")
        made = propose(
            caller=caller,
            unit_id=unit_of(caller),
            name=name,
            values=body["values"],
            why=body["why"],
            origin="api",
            register=register_named(register).key,
        )
        if made is None:
            return Response({"state": "registered", "name": name})
        told = {"state": "proposed", "name": made.name, "values": made.values, "proposal": made.pk}
        return Response({**told, "url": request.build_absolute_uri(f"/registers/changes/{made.pk}")}, status=202)
