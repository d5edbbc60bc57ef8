"""Re-reviews: approvals that reached their age limit or soon will, unless a later version took their place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.vocabulary import OPEN_STATES, State
from governance.models import Submission
from governance.selectors.access import Caller, visible
from reviews.models import Deployment

SOON = timedelta(days=14)
MOST = 300


@dataclass(frozen=True)
class ReReview:
    """One approval. `lapsed`: it may not be deployed any more. `under_way`: what looks at it again, "" for none."""

    submission: str
    id: int
    system_id: int
    system: str
    version: str
    environment: str
    track: str
    owner: str
    until: datetime
    lapsed: bool
    live: bool
    under_way: str


def re_reviews(caller: Caller, *, only: str = "") -> tuple[ReReview, ...]:
    """What is due or will be within 14 days: live and lapsed first, then by date. Two queries. `only`: "mine"."""
    later = Submission.objects.filter(
        system=OuterRef("system"), environment=OuterRef("environment"), state=State.APPROVED, pk__gt=OuterRef("pk")
    )
    live = Deployment.objects.filter(version=OuterRef("version"), environment=OuterRef("environment"), state=Deployment.LIVE)
    rows = visible(Submission.objects.select_related("system__owner", "version", "submitter"), caller).annotate(
        until=Max("permits__expires_at"), is_live=Exists(live), is_replaced=Exists(later)
    )
    due = Q(state=State.EXPIRED) | Q(state=State.APPROVED, until__lte=Now() + SOON)
    # a lapsed one that still runs stays on the list whatever was approved since
    rows = rows.filter(due, until__isnull=False).filter(Q(is_replaced=False) | Q(is_live=True))
    if only == "mine":
        me = caller.person.pk if caller.person is not None else 0
        rows = rows.filter(Q(system__owner_id=me) | Q(submitter_id=me))
    found = list(rows.order_by("until", "pk")[:MOST])
    again = {
        (row.system_id, row.environment): row.number
        for row in Submission.objects.filter(system__in={row.system_id for row in found}, state__in=sorted(OPEN_STATES)).order_by(
            "pk"
        )
    }
    listed = [_row(row, again.get((row.system_id, row.environment), "")) for row in found]
    return tuple(sorted(listed, key=lambda row: (not (row.live and row.lapsed), not row.lapsed, row.until)))


def _row(row: Submission, under_way: str) -> ReReview:
    known = row.__dict__
    owner = row.system.owner or row.submitter
    return ReReview(
        submission=row.number,
        id=row.pk,
        system_id=row.system_id,
        system=row.system.slug,
        version=row.version.version,
        environment=row.environment,
        track=row.track,
        owner=owner.name,
        until=known["until"],
        lapsed=row.state == State.EXPIRED or known["until"] <= timezone.now(),
        live=known["is_live"],
        under_way=under_way,
    )
