"""What was measured for other submissions and concerns this one: A/B tests that run, and what earlier versions cost.

Asked only when this revision hands in the evidence that is compared with it, so that nobody else pays for the question.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from django.db.models import F, QuerySet

from gates.models import Measurement
from governance.domain.vocabulary import EvidenceRole, RunStatus, State
from governance.models import Submission

_RUNNING = (State.IN_CHECKS, State.CHECKS_FAILED, State.IN_REVIEW, State.CHANGES_REQUESTED, State.APPROVED)
_MOST = 200
_MOST_VERSIONS = 20


def measured_elsewhere(submission: Submission, roles: Container[str]) -> dict[str, Any]:
    """`running_experiments`: what other submissions of any unit declared, latest first; `earlier_costs`: what earlier versions of
    the system were measured to cost, oldest first. Empty where this revision hands in nothing to compare.
    """
    return {
        "running_experiments": _experiments(submission) if EvidenceRole.EXPERIMENT in roles else [],
        "earlier_costs": _costs(submission) if EvidenceRole.COST_REPORT in roles else [],
    }


def _measured(metric: str, collector: str) -> QuerySet[Measurement]:
    """Measurements of the latest revision of other submissions, from runs that came to an end."""
    return Measurement.objects.filter(
        metric=metric,
        run__collector=collector,
        run__current=True,
        run__status=RunStatus.DONE,
        run__not_measured="",
        run__not_applicable="",
        run__revision=F("run__submission__revision"),
    )


def _experiments(submission: Submission) -> list[dict[str, Any]]:
    """Tests of all units: two teams meet on the same people whatever unit they belong to, and only what they need to know of
    each other is told (name, team, people, dates)."""
    found = (
        _measured("experiment.declared", "experiment")
        .filter(run__submission__state__in=_RUNNING)
        .exclude(run__submission__version_id=submission.version_id)
    )
    return [dict(detail) for detail in found.order_by("-id").values_list("detail", flat=True)[:_MOST]]


def _costs(submission: Submission) -> list[dict[str, Any]]:
    found = _measured("cost.per_1k", "cost").filter(
        run__submission__system_id=submission.system_id, run__submission_id__lt=submission.pk, value__isnull=False
    )
    latest: dict[str, float] = {}
    for version, value in found.order_by("id").values_list("run__submission__version__version", "value"):
        if value is not None:
            latest.pop(version, None)
            latest[version] = value
    return [{"version": version, "per_1k": value} for version, value in list(latest.items())[-_MOST_VERSIONS:]]
