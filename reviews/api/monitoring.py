"""`/api/v1/monitoring/…`: what monitors report of versions in use, and the series that come of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import AwareDatetime, Field, StringConstraints
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.bodies import Closed, parse
from governance.api.callers import caller_of, unit_of
from governance.domain.decision_json import to_json
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from governance.policy.monitoring import SIGNALS, Reading
from reviews.api.deployments import Name
from reviews.api.submissions import REFUSALS
from reviews.models import MonitoringEvent
from reviews.selectors.monitoring import event_row, events, find_event, series
from reviews.services.monitoring import NewSignal, report_signal

Short = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
Link = Annotated[str, StringConstraints(max_length=500, pattern=r"^(https?://[^\s]+)?$")]


class ReadingBody(Closed):
    """One number. `value` null: it could not be measured, which is recorded as unknown, never as fine."""

    metric: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.]{0,59}$")]
    value: Number | None
    subject: Short = ""
    baseline: Number | None = None
    n: Annotated[int, Field(ge=0, le=2**62)] | None = None


class SignalBody(Closed):
    """One report about one deployed version. `id`: the monitor's own name for it, unless an Idempotency-Key is sent."""

    system: Name
    version: Name
    environment: Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)] = "production"
    kind: Literal["drift", "performance", "cost", "data_quality", "privacy", "access", "incident"]
    id: Short = ""
    readings: list[ReadingBody] = Field(default_factory=list, max_length=500)
    at: AwareDatetime | None = None
    since: AwareDatetime | None = None
    source: Name = ""
    link: Link = ""
    note: Annotated[str, StringConstraints(max_length=2_000)] = ""
    incident: Annotated[str, StringConstraints(max_length=20)] = ""
    severity: Annotated[str, StringConstraints(max_length=10)] = ""


class ReadingIn(serializers.Serializer[Any]):
    metric = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    subject = serializers.CharField(required=False)
    baseline = serializers.FloatField(required=False, allow_null=True)
    n = serializers.IntegerField(required=False, allow_null=True)


class SignalIn(serializers.Serializer[Any]):
    system = serializers.CharField()
    version = serializers.CharField()
    environment = serializers.CharField(required=False)
    kind = serializers.ChoiceField([*SIGNALS, "incident"])
    id = serializers.CharField(required=False)
    readings = ReadingIn(many=True, required=False)
    at = serializers.DateTimeField(required=False)
    since = serializers.DateTimeField(required=False)
    source = serializers.CharField(required=False)  # type: ignore[assignment]
    link = serializers.CharField(required=False)
    note = serializers.CharField(required=False)
    incident = serializers.CharField(required=False)
    severity = serializers.CharField(required=False)


class JudgedShape(serializers.Serializer[Any]):
    metric = serializers.CharField()
    subject = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    against = serializers.FloatField(allow_null=True)
    limit = serializers.CharField()
    verdict = serializers.CharField()
    severity = serializers.CharField()
    says = serializers.CharField()
    finding = serializers.CharField(allow_null=True)


class EventShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    key = serializers.CharField()
    at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    system = serializers.CharField()
    version = serializers.CharField()
    environment = serializers.CharField()
    submission = serializers.CharField()
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    source = serializers.CharField()  # type: ignore[assignment]
    verdict = serializers.CharField()
    says = serializers.CharField()
    findings = serializers.ListField(child=serializers.CharField())
    incidents = serializers.ListField(child=serializers.CharField())


class ReportedShape(EventShape):
    readings = JudgedShape(many=True)


class EventListShape(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = EventShape(many=True)


class PointShape(serializers.Serializer[Any]):
    event = serializers.IntegerField()
    at = serializers.DateTimeField()
    system = serializers.CharField()
    version = serializers.CharField()
    environment = serializers.CharField()
    signal = serializers.CharField()
    metric = serializers.CharField()
    subject = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(allow_null=True)
    against = serializers.FloatField(allow_null=True)
    limit = serializers.CharField()
    verdict = serializers.CharField()
    severity = serializers.CharField()
    finding = serializers.CharField()


class SeriesShape(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = PointShape(many=True)


class MonitoringEventsView(APIView):
    """Reports of monitors."""

    @extend_schema(
        operation_id="list_monitoring_events",
        summary="What monitors reported, the latest first",
        parameters=[
            OpenApiParameter("kind", str, description="drift, performance, cost, data_quality, privacy, access or incident"),
            OpenApiParameter("only", str, description="over or unknown"),
            OpenApiParameter("system", str),
            OpenApiParameter("cursor", str),
        ],
        responses={200: EventListShape, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        kind, only, system, cursor = (_plain(request, name) for name in ("kind", "only", "system", "cursor"))
        rows, following, previous = events(caller, kind=kind, only=only, system=system, cursor=cursor)
        return Response({"next": following or None, "previous": previous or None, "results": [to_json(row) for row in rows]})

    @extend_schema(
        operation_id="report_monitoring_event",
        summary="Report drift, performance, cost, data quality, privacy, access or an incident of a deployed version",
        description="Every reading is judged against the limits of the policy; over one, a finding is opened or joined. 201 when "
        "it is new, 200 for the same key with the same content, 409 `idempotency_key_reused` for other content, 404 "
        "`unknown_version`, 409 `not_deployed`.",
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        request=SignalIn,
        responses={201: ReportedShape, 200: ReportedShape, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.MONITOR)
        body = parse(SignalBody, request.data)
        new = _signal(body, _key(request, body))
        row, created = report_signal(caller=caller, unit_id=unit_of(caller), new=new)
        return Response(_document(find_event(caller=caller, event_id=row.pk)), status=201 if created else 200)


class MonitoringSeriesView(APIView):
    """The series of a metric."""

    @extend_schema(
        operation_id="list_monitoring_series",
        summary="Points of one kind of signal, the latest first: data quality, drift, privacy, access, performance, cost",
        parameters=[
            OpenApiParameter("kind", str, required=True, description=", ".join(SIGNALS)),
            *(OpenApiParameter(name, str) for name in ("system", "version", "metric", "subject", "cursor")),
        ],
        responses={200: SeriesShape, **{code: REFUSALS[code] for code in (401, 403, 422)}},
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        caller.require_scope(Scope.READ)
        kind, system, version, metric, subject, cursor = (
            _plain(request, name) for name in ("kind", "system", "version", "metric", "subject", "cursor")
        )
        rows, following, previous = series(
            caller, signal=kind, system=system, version=version, metric=metric, subject=subject, cursor=cursor
        )
        return Response({"next": following or None, "previous": previous or None, "results": [to_json(row) for row in rows]})


def _plain(request: Request, name: str) -> str:
    return request.query_params.get(name, "")[:400].replace("\x00", "")


def _key(request: Request, body: SignalBody) -> str:
    key = request.headers.get("Idempotency-Key", "").strip() or body.id
    if not key or len(key) > 200 or not key.isprintable():
        raise InvalidInput(
            "Name the report: “id”, or an Idempotency-Key header. Sent again under that name it is recorded once.",
            errors=(FieldError("/id", "missing", "Up to 200 printable characters, such as a UUID."),),
        )
    return key


def _signal(body: SignalBody, key: str) -> NewSignal:
    readings = tuple(Reading(row.metric, row.value, row.subject, row.baseline, row.n) for row in body.readings)
    at: datetime | None = body.at
    return NewSignal(
        key=key,
        system=body.system,
        version=body.version,
        signal=body.kind,
        environment=body.environment,
        readings=readings,
        at=at,
        since=body.since,
        source=body.source,
        link=body.link,
        note=body.note,
        incident_kind=body.incident,
        severity=body.severity,
    )


def _document(row: MonitoringEvent) -> dict[str, Any]:
    readings = [
        {
            "metric": reading.metric,
            "subject": reading.subject,
            "value": reading.value,
            "against": reading.against,
            "limit": reading.limit,
            "verdict": reading.verdict,
            "severity": reading.severity,
            "says": reading.says,
            "finding": reading.finding.number if reading.finding is not None else None,
        }
        for reading in row.readings.all()
    ]
    document: dict[str, Any] = to_json(event_row(row))
    return {**document, "readings": readings}
