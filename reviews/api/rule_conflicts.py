"""`/rule-conflicts` and `/precedents`: rules that do not fit a workload, and what was decided about them."""

from __future__ import annotations

from typing import Annotated, Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, Slug, parse
from governance.api.callers import caller_of
from governance.api.lists import CURSOR, KEY, LIMIT, given_of, key_of, limit_of, list_of, listed
from governance.domain.decision_json import to_json
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from governance.models import ConflictRuling, RuleConflict
from governance.selectors.access import Caller
from governance.selectors.conflicts import conflicts, find_conflict, rulings
from governance.services.repeating import once
from reviews.api.bodies import Id
from reviews.api.shapes import ActionShape
from reviews.api.submissions import REFUSALS
from reviews.api.threads import BY_A_PERSON, Words
from reviews.selectors.offers import for_rule_conflict
from reviews.selectors.paging import page_of
from reviews.services.rule_conflicts import open_conflict


class ConflictBody(Closed):
    pack: Slug = "ml_model"
    about: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    workload: Words
    why: Words
    submission: Id | None = None


class ConflictIn(serializers.Serializer[Any]):
    pack = serializers.CharField(default="ml_model")
    about = serializers.CharField(max_length=40, help_text="the rule or gate")
    workload = serializers.CharField(help_text="what you do that it was not made for")
    why = serializers.CharField(help_text="why it does not fit, and what would")
    submission = serializers.IntegerField(required=False, allow_null=True, help_text="the number of the case where you met it")


class RulingShape(serializers.Serializer[Any]):
    decision = serializers.CharField(help_text="keep, change or precedent")
    handling = serializers.CharField(help_text="what the next one who meets the rule does")
    at = serializers.DateTimeField()


class PrecedentShape(RulingShape):
    conflict = serializers.CharField()
    pack = serializers.CharField()
    about = serializers.CharField()


class RuleConflictShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    pack = serializers.CharField()
    about = serializers.CharField()
    workload = serializers.CharField(allow_blank=True, help_text="empty outside its unit")
    why = serializers.CharField(allow_blank=True)
    asked_by = serializers.CharField(allow_blank=True)
    submission = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    ruling = RulingShape(allow_null=True)
    url = serializers.CharField(help_text="the page on which a policy author decides")
    actions = ActionShape(many=True)


class RuleConflictsView(APIView):
    """Conflicts about rules."""

    @extend_schema(
        operation_id="list_rule_conflicts",
        summary="Rules that somebody of your units says do not fit, the latest first",
        parameters=[
            OpenApiParameter("state", str, enum=["open", "decided"]),
            OpenApiParameter("pack", str),
            OpenApiParameter("about", str, description="a rule or gate"),
            CURSOR,
            LIMIT,
        ],
        responses={200: list_of("RuleConflictList", RuleConflictShape), **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        given = given_of(request, "state", "pack", "about")
        rows = conflicts(caller).filter(**{name: given[name] for name in ("pack", "about") if given[name]})
        if given["state"]:
            if given["state"] not in ("open", "decided"):
                says = "state is open or decided."
                raise InvalidInput(says, errors=(FieldError("/state", "unknown", says),))
            rows = rows.filter(ruling__isnull=given["state"] == "open")
        page = page_of(rows, keys=("-id",), cursor=request.query_params.get("cursor", ""), size=limit_of(request))
        return listed(request, given, [_told(row, caller, True) for row in page.rows], page.next, page.previous)

    @extend_schema(
        operation_id="open_rule_conflict",
        summary="Say that a rule or gate does not fit what you do",
        description="The rule counts until a policy author has decided, which is done on the page that the answer names.",
        parameters=[KEY],
        request=ConflictIn,
        responses={201: RuleConflictShape, 200: RuleConflictShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request) -> Response:
        caller, body = caller_of(request), parse(ConflictBody, request.data)
        given = body.model_dump()
        submission = given.pop("submission")

        def act(caller: Caller) -> int:
            return open_conflict(caller=caller, **given, submission_id=submission).pk

        made, fresh = once(caller, key=key_of(request), operation="open_rule_conflict", body=body.model_dump(), act=act)
        return Response(_told(*_found(caller, made)), status=201 if fresh else 200)


class RuleConflictView(APIView):
    """One conflict."""

    @extend_schema(
        operation_id="get_rule_conflict",
        summary="A conflict about a rule with its decision; outside its unit the decision alone",
        responses={200: RuleConflictShape, **{code: REFUSALS[code] for code in (401, 403, 404)}},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        return Response(_told(*_found(caller, pk)))


class PrecedentsView(APIView):
    """Decisions about rules, which hold in every unit."""

    @extend_schema(
        operation_id="list_precedents",
        summary="What was decided about rules that did not fit, the latest first",
        parameters=[OpenApiParameter("pack", str), OpenApiParameter("about", str, description="a rule or gate"), CURSOR, LIMIT],
        responses={200: list_of("PrecedentList", PrecedentShape), **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        given = given_of(request, "pack", "about")
        page = page_of(
            rulings(pack=given["pack"], about=given["about"]),
            keys=("-id",),
            cursor=request.query_params.get("cursor", ""),
            size=limit_of(request),
        )
        told = [
            {"conflict": row.conflict.number, "pack": row.conflict.pack, "about": row.conflict.about, **_ruling(row)}
            for row in page.rows
        ]
        return listed(request, given, told, page.next, page.previous)


def _found(caller: Caller, pk: int) -> tuple[RuleConflict, Caller, bool]:
    row, inside = find_conflict(caller, pk)
    return row, caller, inside


def _ruling(row: ConflictRuling) -> dict[str, Any]:
    return {"decision": row.decision, "handling": row.handling, "at": row.at}


def _told(row: RuleConflict, caller: Caller, inside: bool) -> dict[str, Any]:
    ruling: ConflictRuling | None = getattr(row, "ruling", None)
    return {
        **{name: getattr(row, name) for name in ("id", "number", "pack", "about", "at")},
        "workload": row.workload if inside else "",
        "why": row.why if inside else "",
        "asked_by": row.asked_by.name if inside else "",
        "submission": row.submission.number if inside and row.submission is not None else "",
        "ruling": _ruling(ruling) if ruling is not None else None,
        "url": f"/conflicts/{row.pk}",
        "actions": to_json(for_rule_conflict(row, caller)),
    }
