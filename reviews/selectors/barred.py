"""Builds that are refused for ever, because a fairness gate failed on a version that a model registry knows."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.models import Submission, SystemVersion
from reviews.models import BarredBuild

SAYS = (
    "It is barred for good: {gate} failed on this build in {submission} ({says}) A new tag or number does not change that. "
    "Train and register a build that mends it."
)


def bars(version: str, digest: str, unit: str) -> Exists:
    """An annotation: whether the build is barred, by its version or by its digest. The fields of the row that name them."""
    same = Q(version_id=OuterRef(version)) | (Q(artifact_digest=OuterRef(digest)) & ~Q(artifact_digest=""))
    return Exists(BarredBuild.objects.filter(same, unit_id=OuterRef(unit)))


def bar_on(builds: QuerySet[SystemVersion]) -> BarredBuild | None:
    """The bar on one of these builds: on the version, or on its digest in the same unit."""
    digests = builds.exclude(artifact_digest="").values("artifact_digest")
    same = Q(version__in=builds) | Q(artifact_digest__in=digests, unit_id__in=builds.values("system__unit_id"))
    return BarredBuild.objects.select_related("submission").filter(same).order_by("id").first()


def bar_of(submission: Submission) -> BarredBuild | None:
    """The bar on a submission's build."""
    return bar_on(SystemVersion.objects.filter(pk=submission.version_id))


def words_of(bar: BarredBuild) -> str:
    """Why, in one sentence for whoever is refused."""
    says = bar.says if bar.says.endswith((".", "!", "?")) else f"{bar.says}."
    return SAYS.format(gate=bar.gate, submission=bar.submission.number, says=says)
