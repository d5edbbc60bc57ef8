"""Which events go out, what they say, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from governance.domain.errors import NotFound
from governance.models import AuditEvent, Submission
from governance.selectors.access import Caller, visible
from governance.selectors.administration import require_reading
from reviews.models import WebhookDelivery, WebhookEndpoint

EVENTS: Mapping[str, str] = {
    "submission.created": "a draft was opened or a version handed in",
    "submission.track_assigned": "the policy assigned a track",
    "gates.finished": "the gates of a revision are judged",
    "review.requested": "a review step has the turn",
    "submission.changes_requested": "a reviewer sent it back with a list",
    "submission.approved": "the policy or the reviewers approved it",
    "submission.rejected": "a reviewer rejected it",
    "submission.superseded": "a later version took its place",
    "permit.issued": "it may be deployed",
    "permit.revoked": "it may not be deployed any more",
    "waiver.granted": "a failed gate was waived for a time",
    "waiver.expiring": "a waiver ends soon",
    "deployment.rolled_back": "a version was taken back",
    "incident.opened": "something went wrong in use",
}
FROM_AUDIT: Mapping[str, str] = {
    "submission.opened": "submission.created",
    "submission.track_assigned": "submission.track_assigned",
    "gates.judged": "gates.finished",
    "review.requested": "review.requested",
    "submission.request_changes": "submission.changes_requested",
    "submission.approve_by_policy": "submission.approved",
    "submission.complete_review": "submission.approved",
    "submission.reject": "submission.rejected",
    "submission.supersede": "submission.superseded",
    "permit.issued": "permit.issued",
    "permit.revoked": "permit.revoked",
    "waiver.granted": "waiver.granted",
    "waiver.expiring": "waiver.expiring",
    "deployment.rolled_back": "deployment.rolled_back",
    "incident.opened": "incident.opened",
}
"""Audit action -> event. The audit trail is where a change is written in its own transaction: nothing else has to remember to
announce it."""
TEST = "webhook.test"


def endpoints(caller: Caller) -> QuerySet[WebhookEndpoint]:
    """Endpoints of the caller's units that were not removed; those of all units only for who administers all."""
    require_reading(caller)
    rows = WebhookEndpoint.objects.select_related("unit", "created_by").filter(removed_at__isnull=True)
    return visible(rows, caller)


def find_endpoint(caller: Caller, endpoint_id: int) -> WebhookEndpoint:
    """One of them, or `NotFound`."""
    row = endpoints(caller).filter(pk=endpoint_id).first()
    if row is None:
        raise NotFound("There is no such webhook in your business unit.")
    return row


def log_of(endpoint: WebhookEndpoint, most: int = 100) -> list[WebhookDelivery]:
    """The latest deliveries with their attempts. Two statements."""
    return list(endpoint.deliveries.prefetch_related("log").order_by("-id")[:most])


def messages(events: Iterable[AuditEvent], format_: str) -> list[tuple[AuditEvent, str, str]]:
    """Each event with its name and the body that is signed and sent. One statement for all of them."""
    events = [event for event in events if event.action in FROM_AUDIT]
    ids = {event: int(event.object.split(":", 1)[1]) for event in events if event.object.startswith("submission:")}
    rows = Submission.objects.select_related("system", "version").in_bulk(set(ids.values()))
    found = []
    for event in events:
        name = FROM_AUDIT[event.action]
        data = json.loads(event.payload)["data"]
        about = rows.get(ids[event]) if event in ids else None
        found.append((event, name, body_of(format_, name, event.at.isoformat(), about, data)))
    return found


def body_of(format_: str, name: str, at: str, about: Submission | None, data: Mapping[str, Any]) -> str:
    """The body: Standard Webhooks' `type`, `timestamp`, `data`; or a message as Slack and Teams take it. No personal data."""
    subject: dict[str, Any] = {}
    if about is not None:
        subject = {
            "submission": about.number,
            "system": about.system.slug,
            "version": about.version.version,
            "environment": about.environment,
            "track": about.track,
            "url": f"{settings.PUBLIC_URL}/submissions/{about.number}",
        }
    if format_ == "standard":
        return _json({"type": name, "timestamp": at, "data": {**subject, "details": dict(data)}})
    what = f"{about.system.slug} {about.version.version} in {about.environment}" if about is not None else "Guiderail"
    says = f"{what}: {EVENTS.get(name, 'a test of this webhook')}"
    url = subject.get("url", settings.PUBLIC_URL)
    if format_ == "slack":
        return _json({"text": f"{_escaped(says)} (<{url}|open>)"})
    card = {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "wrap": True, "weight": "Bolder", "text": says}, {"type": "TextBlock", "text": name}],
        "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": url}],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _json({"type": "message", "attachments": [content]})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _escaped(text: str) -> str:
    """Slack reads these three as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
