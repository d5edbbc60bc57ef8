"""What monitors reported about the version of a case, and its incidents, as a document to take away."""

from __future__ import annotations

from typing import Any

from governance.domain.decision_json import to_json
from reviews.models import Incident, MonitoringEvent

MOST = 2_000

_EVENT = ("id", "environment", "signal", "since", "at", "source", "link", "note", "verdict", "policy_digest", "received_at")
_READING = ("metric", "subject", "value", "baseline", "against", "n", "limit", "verdict", "severity", "says")
_INCIDENT = ("id", "kind", "severity", "state", "title", "says", "began_at", "opened_at", "resolved_at", "closed_at", "playbook")


def alerts_document(submission_id: int) -> dict[str, Any]:
    """Every report with its readings as they were judged, the latest first, and every incident. Three statements."""
    events = MonitoringEvent.objects.filter(submission_id=submission_id).prefetch_related("readings").order_by("-at", "-id")
    incidents = Incident.objects.filter(submission_id=submission_id).order_by("-id")
    return {
        "schema": "guiderail/alerts/1",
        "reports": [
            {**_row(event, _EVENT), "readings": [_row(reading, _READING) for reading in event.readings.all()]}
            for event in events[:MOST]
        ],
        "incidents": [_row(incident, _INCIDENT) for incident in incidents[:MOST]],
    }


def _row(row: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: to_json(getattr(row, name)) for name in columns}
