"""Barring a build for good: a version that a registry knows and that failed a fairness gate is never promoted.

Only versions of linked models are barred: for others a failed gate stops the case, and a waiver may be asked for. A bar holds for
the version, for its digest and for what the registry's version is a name of: registering or tagging it anew changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from gates.models import GateOutcome
from governance.domain.vocabulary import Verdict
from governance.models import Submission
from governance.services.work import Work
from reviews.models import BarredBuild, RegistryVersion
from reviews.selectors.barred import bar_of, words_of

FAIRNESS = "GF"
ABOUT = "registry.barred"


def bar_if_biased(work: Work, submission: Submission, outcomes: Iterable[GateOutcome]) -> str:
    """Bar the build when a blocking fairness gate failed and a registry knows the version. Returns why it is barred, or "".

    Also for a build that was barred before, under another version or number.
    """
    if (bar := bar_of(submission)) is not None:
        if bar.version_id != submission.version_id:
            _bar(work, submission, like=bar)
        return words_of(bar)
    failed = next((o for o in outcomes if o.blocking and o.verdict == Verdict.FAIL and o.code.startswith(FAIRNESS)), None)
    seen = RegistryVersion.objects.filter(submission__version_id=submission.version_id).select_related("link").first()
    if failed is None or seen is None:
        return ""
    bar = BarredBuild.objects.create(
        unit_id=submission.unit_id,
        version=submission.version,
        artifact_digest=submission.version.artifact_digest,
        server=seen.link.server,
        source=seen.source,
        submission=submission,
        gate=failed.code,
        says=failed.says,
    )
    work.note("build.barred", submission, _said(bar))
    return words_of(bar)


def bar_known_source(work: Work, submission: Submission, *, server: str, source: str) -> None:
    """Bar a version just opened whose content was barred under another number."""
    if not source or BarredBuild.objects.filter(version_id=submission.version_id).exists():
        return
    before = BarredBuild.objects.filter(~Q(source=""), unit_id=submission.unit_id, server=server, source=source).first()
    if before is not None:
        _bar(work, submission, like=before)


def _bar(work: Work, submission: Submission, *, like: BarredBuild) -> None:
    bar, created = BarredBuild.objects.get_or_create(
        version=submission.version,
        defaults={
            "unit_id": submission.unit_id,
            "artifact_digest": submission.version.artifact_digest or like.artifact_digest,
            "server": like.server,
            "source": like.source,
            "submission": like.submission,
            "gate": like.gate,
            "says": like.says,
        },
    )
    if created:
        work.note("build.barred", submission, {**_said(bar), "like": like.version_id})


def _said(bar: BarredBuild) -> dict[str, object]:
    return {"version": bar.version_id, "artifact": bar.artifact_digest, "source": bar.source, "gate": bar.gate}
