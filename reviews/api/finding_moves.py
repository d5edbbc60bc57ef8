"""`/findings/{id}` and what people do with it: raising one, reporting the fix, verifying it, saying whose it is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from drf_spectacular.utils import extend_schema
from pydantic import StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, UserName, parse
from governance.api.callers import caller_of, person_named
from governance.api.lists import KEY, key_of
from governance.domain.decision_json import to_json
from governance.domain.vocabulary import Scope, Severity
from governance.selectors.access import Caller
from governance.services.repeating import once
from reviews.api.findings import FindingRowShape
from reviews.api.shapes import ActionShape
from reviews.api.submissions import REFUSALS
from reviews.api.threads import BY_A_PERSON, Words
from reviews.models import Finding
from reviews.selectors.findings import find, row_of
from reviews.selectors.offers import for_finding
from reviews.services.remedying import NewFinding, assign, raise_finding, report_fix, verify


class FindingBody(Closed):
    about: Annotated[str, StringConstraints(max_length=100)]
    severity: Severity
    says: Words
    fix: Words
    owner: UserName
    due_on: date | None = None


class FixBody(Closed):
    remediation: Words
    evidence: Annotated[str, StringConstraints(max_length=500)]


class VerifyBody(Closed):
    result: Literal["good", "not_enough"]
    why: Annotated[str, StringConstraints(max_length=300)]


class AssignBody(Closed):
    owner: UserName
    due_on: date | None = None


class FindingIn(serializers.Serializer[Any]):
    about = serializers.CharField(max_length=100, help_text="a gate, a question, a part")
    severity = serializers.CharField(help_text="low, medium, high or critical")
    says = serializers.CharField(help_text="what is wrong, in a sentence")
    fix = serializers.CharField(help_text="what good enough looks like")
    owner = serializers.CharField(max_length=150, help_text="user name of who sees to it")
    due_on = serializers.DateField(required=False, allow_null=True)


class FixIn(serializers.Serializer[Any]):
    remediation = serializers.CharField(help_text="what was done")
    evidence = serializers.CharField(max_length=500, help_text="a submission such as S-12, a file, an address")


class VerifyIn(serializers.Serializer[Any]):
    result = serializers.ChoiceField(["good", "not_enough"])
    why = serializers.CharField(max_length=300, help_text="what you looked at")


class AssignIn(serializers.Serializer[Any]):
    owner = serializers.CharField(max_length=150, help_text="user name")
    due_on = serializers.DateField(required=False, allow_null=True)


class FindingDocumentShape(FindingRowShape):
    risk = None  # type: ignore[assignment]
    fix = serializers.CharField(allow_blank=True)
    remediation = serializers.CharField(allow_blank=True)
    raised_by = serializers.CharField(allow_blank=True)
    fixed_by = serializers.CharField(allow_blank=True)
    fixed_at = serializers.DateTimeField(allow_null=True)
    verified_by = serializers.CharField(allow_blank=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_why = serializers.CharField(allow_blank=True)
    actions = ActionShape(many=True)


class FindingView(APIView):
    """One finding."""

    @extend_schema(
        operation_id="get_finding",
        summary="A finding with its fix, who verified it, and what you may do about it",
        responses={200: FindingDocumentShape, **{code: REFUSALS[code] for code in (401, 403, 404)}},
    )
    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        return _told(find(caller, pk), caller)


class RaiseFindingView(APIView):
    """Findings of one case."""

    @extend_schema(
        operation_id="raise_finding",
        summary="Raise a finding on a submission, as somebody who reviews",
        parameters=[KEY],
        request=FindingIn,
        responses={201: FindingDocumentShape, 200: FindingDocumentShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller, body = caller_of(request), parse(FindingBody, request.data)
        new = NewFinding(body.about, body.severity, body.says, body.fix, person_named(body.owner), body.due_on)

        def act(caller: Caller) -> int:
            return raise_finding(caller=caller, submission_id=pk, new=new).pk

        sent = {"submission": pk, **body.model_dump(mode="json")}
        made, fresh = once(caller, key=key_of(request), operation="raise_finding", body=sent, act=act)
        return _told(find(caller, made), caller, 201 if fresh else 200)


class FixFindingView(APIView):
    """Reporting a fix."""

    @extend_schema(
        operation_id="fix_finding",
        summary="Say what was done and where it can be seen; somebody else verifies it",
        request=FixIn,
        responses={200: FindingDocumentShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller, body = caller_of(request), parse(FixBody, request.data)
        return _told(report_fix(caller=caller, finding_id=pk, remediation=body.remediation, evidence=body.evidence), caller)


class VerifyFindingView(APIView):
    """Verifying a fix."""

    @extend_schema(
        operation_id="verify_finding",
        summary="Close a finding, or open it again, with what you looked at",
        description="By somebody who reviews and neither reported the fix nor worked on the version.",
        request=VerifyIn,
        responses={200: FindingDocumentShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller, body = caller_of(request), parse(VerifyBody, request.data)
        return _told(verify(caller=caller, finding_id=pk, good=body.result == "good", why=body.why), caller)


class AssignFindingView(APIView):
    """Whose a finding is."""

    @extend_schema(
        operation_id="assign_finding",
        summary="Say whose a finding is and until when",
        request=AssignIn,
        responses={200: FindingDocumentShape, **REFUSALS},
        auth=BY_A_PERSON,
    )
    def post(self, request: Request, pk: int) -> Response:
        caller, body = caller_of(request), parse(AssignBody, request.data)
        return _told(assign(caller=caller, finding_id=pk, owner_id=person_named(body.owner), due_on=body.due_on), caller)


def _told(row: Finding, caller: Caller, status: int = 200) -> Response:
    names = ("fix", "remediation", "fixed_at", "closed_at", "closed_why")
    people = {"raised_by": row.raised_by, "fixed_by": row.fixed_by, "verified_by": row.verified_by}
    body = {
        **to_json(row_of(row)),
        **{name: to_json(getattr(row, name)) for name in names},
        **{name: person.name if person is not None else "" for name, person in people.items()},
        "actions": to_json(for_finding(row, caller)),
    }
    return Response(body, status=status)
