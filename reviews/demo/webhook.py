"""How a webhook of the demo looks: set up, and switched off, because nobody listens at its address."""

from __future__ import annotations

from django.utils import timezone

from governance.selectors.access import caller_for
from reviews.demo.cast import Cast
from reviews.models import WebhookEndpoint
from reviews.services.webhook_endpoints import add_endpoint, set_enabled

HOOK = "Release notes"
TOLD = ("submission.approved", "deployment.rolled_back", "incident.opened")


def webhook_switched_off(cast: Cast) -> None:
    """Made and switched off at once: nothing is ever sent there. Told once."""
    unit = cast.units["shop"]
    if WebhookEndpoint.objects.filter(unit=unit, name=HOOK).exists():
        return
    adm = caller_for(cast.people["adm"], origin="job")
    now = timezone.now()
    row, _ = add_endpoint(caller=adm, unit=unit, name=HOOK, url="https://hooks.example.org/guiderail", events=TOLD, proved_at=now)
    set_enabled(caller=adm, endpoint_id=row.pk, enabled=False, proved_at=now)
