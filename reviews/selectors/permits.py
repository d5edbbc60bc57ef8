"""The answer to "may this version go to this environment?"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from governance.domain.lifecycle import words
from governance.domain.vocabulary import State
from governance.models import Submission, SystemVersion
from governance.policy.exposure import FULL
from governance.selectors.access import Caller, visible
from governance.selectors.freezes import freeze_of, in_words
from reviews.models import BarredBuild, Deployment, Permit
from reviews.selectors.barred import bar_on, bars, words_of
from reviews.selectors.decision_view import url_of
from reviews.selectors.waiving import rests_on_gone


@dataclass(frozen=True)
class PermitAnswer:
    """The answer with its reasons. `reasons` say what stands in the way, or what the permit rests on.

    `exposure`: up to how many percent of traffic or people the permit holds; None where there is none that holds.
    """

    allowed: bool
    permit: str | None
    reasons: tuple[str, ...]
    expires_at: datetime | None
    submission: str | None
    url: str | None
    verdict: str
    exposure: int | None = None


def permit_answer(
    caller: Caller,
    *,
    system: str = "",
    version: str = "",
    environment: str = "production",
    digest: str = "",
    exposure: int = FULL,
) -> PermitAnswer:
    """May it be deployed there? By system and version, or by the artefact's digest. Fails closed: the unknown is not allowed.

    `exposure`: to which share of traffic or people, in percent. Not said, it is about all of it.
    Verdicts: allowed, over_exposure (it holds for less), frozen (it holds, and nothing new is released now), expired, revoked,
    under_review (no permit yet), refused, unknown.
    """
    permits = visible(Permit.objects.select_related("submission", "version"), caller).filter(environment=environment)
    permits = (
        permits.filter(artifact_digest=digest)
        if digest
        else permits.filter(version__system__slug=system, version__version=version)
    )
    permits = permits.annotate(ground_gone=rests_on_gone(), is_barred=bars("version_id", "artifact_digest", "unit_id"))
    rows, now = list(permits.order_by("-issued_at")[:50]), timezone.now()
    valid = [row for row in rows if row.revoked_at is None and row.expires_at > now and not row.ground_gone]
    builds = _builds(caller, system, version, digest)
    if any(row.is_barred for row in rows) and (bar := bar_on(builds)) is not None:
        return _refused(bar)
    # a digest that somebody revoked stays refused, whatever other submission of the same bytes was approved
    revoked = next((row for row in rows if row.revoked_at is not None), None)
    if revoked is not None and not any(row.issued_at > revoked.revoked_at for row in valid if revoked.revoked_at is not None):
        return _answer(revoked, "revoked", f"The permit was revoked on {_day(revoked.revoked_at)}: {revoked.revoked_why}")
    if valid:
        # the latest of those that go far enough; else the one that goes furthest
        row = next((row for row in valid if row.exposure >= exposure), max(valid, key=lambda row: row.exposure))
        if row.exposure < exposure:
            return _answer(
                row,
                "over_exposure",
                f"The permit holds up to {row.exposure} % of traffic or people, and this is about {exposure} %. "
                f"Stay at {row.exposure} %, or ask for more on the page of {row.submission.number}.",
            )
        if (frozen := freeze_of(row.submission)) is not None and not _is_there(row, exposure):
            told = in_words(frozen)
            return replace(_answer(row, "frozen", told.says), reasons=(told.says, told.fix))
        later = row.submission.state == State.SUPERSEDED
        more = " A later version is approved; this permit stays valid for the way back." if later else ""
        return _answer(
            row,
            "allowed",
            f"{row.submission.number} is {words(State(row.submission.state))}; valid {_up_to(row.exposure)}until "
            f"{_day(row.expires_at)}.{more}",
        )
    if rows and rows[0].ground_gone:
        return _answer(rows[0], "expired", "A waiver the approval rests on does not hold any more. Look at the case.")
    if rows:
        return _answer(rows[0], "expired", f"The permit expired on {_day(rows[0].expires_at)}. Submit the version again.")
    if (bar := bar_on(builds)) is not None:
        return _refused(bar)
    return _without_permit(builds, system, version, environment, digest)


def _answer(row: Permit, verdict: str, reason: str) -> PermitAnswer:
    allowed = verdict == "allowed"
    holds = row.exposure if verdict in ("allowed", "over_exposure", "frozen") else None
    url = url_of(row.submission)
    return PermitAnswer(allowed, str(row.pk), (reason,), row.expires_at, row.submission.number, url, verdict, holds)


def _is_there(row: Permit, exposure: int) -> bool:
    """Whether it serves there already, as much as is asked for, or did before: a freeze stops what is new, never the way back."""
    if row.submission.state == State.SUPERSEDED:
        return True
    served = Deployment.objects.filter(version=row.version, environment=row.environment, permit__isnull=False)
    return served.filter(exposure__gte=exposure, state__in=[Deployment.LIVE, Deployment.REPLACED]).exists()


def _up_to(exposure: int) -> str:
    return "" if exposure == FULL else f"up to {exposure} % "


def _refused(bar: BarredBuild) -> PermitAnswer:
    return PermitAnswer(False, None, (words_of(bar),), None, bar.submission.number, url_of(bar.submission), "refused")


def _builds(caller: Caller, system: str, version: str, digest: str) -> QuerySet[SystemVersion]:
    builds = visible(SystemVersion.objects.all(), caller, "system__unit_id")
    return builds.filter(artifact_digest=digest) if digest else builds.filter(system__slug=system, version=version)


def _without_permit(builds: QuerySet[SystemVersion], system: str, version: str, environment: str, digest: str) -> PermitAnswer:
    what = f"artefact {digest[:19]}…" if digest else f"{system} {version}"
    row = Submission.objects.filter(version__in=builds, environment=environment).order_by("-id").first()
    if row is None:
        return PermitAnswer(
            False, None, (f"Nothing is known of {what} in {environment}. Submit it first.",), None, None, None, "unknown"
        )
    state = State(row.state)
    gone = state in (State.REJECTED, State.WITHDRAWN)
    turn = f" It is the turn of: {row.turn.replace('_', ' ')}." if row.turn else ""
    reason = f"{row.number} is {words(state)}, so there is no permit.{turn}"
    return PermitAnswer(False, None, (reason,), None, row.number, url_of(row), "refused" if gone else "under_review")


def _day(moment: datetime | None) -> str:
    return f"{moment:%d %B %Y, %H:%M} UTC" if moment is not None else "an unknown day"
