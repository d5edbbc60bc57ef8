"""What runs where, and whether a permit covers it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from governance.domain.errors import NotFound
from governance.models import Submission
from governance.selectors.access import Caller, visible
from reviews.models import Deployment, Permit
from reviews.selectors.paging import page_of
from reviews.selectors.waiving import rests_on_gone


def covered_now() -> Exists:
    """For deployments: whether a valid permit for the version, environment and exposure exists at this moment."""
    permits = Permit.objects.filter(
        version=OuterRef("version"),
        environment=OuterRef("environment"),
        exposure__gte=OuterRef("exposure"),
        revoked_at__isnull=True,
        expires_at__gt=Now(),
    ).exclude(rests_on_gone())
    return Exists(permits)


@dataclass(frozen=True)
class DeploymentRow:
    """One line of the list. `submission`: the latest about this version and environment; "" where nothing is known."""

    id: int
    system: str
    version: str
    environment: str
    target: str
    exposure: int
    state: str
    observed: bool
    covered: bool
    first_seen: datetime | None
    at: datetime
    reported_by: str
    owner: str
    submission: str


def deployments(
    caller: Caller, *, only: str = "", cursor: str = "", size: int = 50
) -> tuple[tuple[DeploymentRow, ...], str, str]:
    """Reported deployments, the latest first: rows, next and previous cursor. One query.

    `only`: live, or unpermitted (live without a valid permit).
    """
    about = Submission.objects.filter(version=OuterRef("version"), environment=OuterRef("environment")).order_by("-id")
    rows = visible(Deployment.objects.select_related("version__system__owner", "reported_by"), caller)
    if only in ("live", "unpermitted"):
        rows = rows.filter(state=Deployment.LIVE)
    if only == "unpermitted":
        rows = rows.exclude(covered_now())
    page = page_of(rows.annotate(is_covered=covered_now(), about=about.values("pk")[:1]), keys=("-id",), cursor=cursor, size=size)
    return tuple(_row(row) for row in page.rows), page.next, page.previous


def find_deployment(*, caller: Caller, deployment_id: int) -> Deployment:
    """A deployment by id, or `NotFound`."""
    rows = visible(Deployment.objects.select_related("version__system", "permit"), caller)
    row = rows.filter(pk=deployment_id).first()
    if row is None:
        raise NotFound("There is no such deployment in your business unit.")
    return row


def _row(row: Deployment) -> DeploymentRow:
    owner = row.version.system.owner if row.version is not None else None
    about = getattr(row, "about", None)
    return DeploymentRow(
        id=row.pk,
        system=row.system,
        version=row.version_name,
        environment=row.environment,
        target=row.target,
        exposure=row.exposure,
        state=row.state,
        observed=row.observed,
        covered=bool(getattr(row, "is_covered", False)),
        first_seen=row.unpermitted_since,
        at=row.at,
        reported_by=row.reported_by.name,
        owner=owner.name if owner is not None else "",
        submission=f"S-{about}" if about else "",
    )
