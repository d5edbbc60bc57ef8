"""What other submissions declared and cost reaches the collectors that compare with it, across units, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates import registry
from gates.collecting import Inputs
from gates.metrics.experiment_impl import OPPOSITE, severity_of
from gates.metrics.experiment_plan_impl import from_register
from gates.models import Measurement
from gates.services.elsewhere import measured_elsewhere
from governance.domain.vocabulary import RunStatus, State
from governance.models import Submission, SystemVersion
from tests.gates import making

pytestmark = pytest.mark.django_db

DECLARED = {
    "id": "wishlist-order", "team": "shop-growth", "decision": "gift order", "direction": -1, "change": "", "unit": "visitor",
    "layer": "gifts", "population": {"country": ["de"]}, "start": "2026-12-01", "end": "2026-12-20",
}  # fmt: skip


def measured(of: Submission, collector: str, metric: str, value: float, detail: dict[str, Any] | None = None, **run: Any) -> None:
    row = making.run(of, collector, status=RunStatus.DONE, **run)
    Measurement.objects.create(run=row, submission=of, metric=metric, group="", value=value, detail=detail or {})


def declaring(state: State = State.IN_REVIEW, unit: str = "shop", **changes: Any) -> Submission:
    other = making.submission(of=making.unit(unit), state=state)
    measured(other, "experiment", "experiment.declared", 1.0, {**DECLARED, **changes})
    return other


def test_experiments_of_other_units_are_known_and_enough_is_known_to_see_that_they_are_opposite() -> None:
    declaring()
    mine = making.submission(of=making.unit("clinic"))
    found = measured_elsewhere(mine, {"experiment"})["running_experiments"]
    assert found == [DECLARED]
    own = from_register({**DECLARED, "id": "gift-order", "team": "shop-recommendations", "direction": 1})
    assert severity_of(own, from_register(found[0])) == OPPOSITE


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.REJECTED, State.SUPERSEDED, State.REVOKED, State.EXPIRED])
def test_what_no_longer_runs_is_not_met(state: State) -> None:
    declaring(state)
    assert measured_elsewhere(making.submission(), {"experiment"})["running_experiments"] == []


def test_only_the_latest_revision_speaks_and_never_the_version_itself() -> None:
    other = declaring()
    making.revise(other, 2)
    mine = declaring()
    assert measured_elsewhere(mine, {"experiment"})["running_experiments"] == []
    measured(other, "experiment", "experiment.declared", 1.0, {**DECLARED, "id": "later"})
    assert [row["id"] for row in measured_elsewhere(mine, {"experiment"})["running_experiments"]] == ["later"]


def test_earlier_versions_costs_are_those_of_the_same_system_oldest_first() -> None:
    first = making.submission()
    measured(first, "cost", "cost.per_1k", 0.10)
    measured(making.submission(), "cost", "cost.per_1k", 9.0)
    version = SystemVersion.objects.create(system=first.system, version="2.0.0")
    second = making.submission()
    Submission.objects.filter(pk=second.pk).update(system=first.system, version=version)
    second.refresh_from_db()
    assert measured_elsewhere(second, {"cost_report"})["earlier_costs"] == [{"version": "1.0.0", "per_1k": 0.10}]


def test_who_hands_in_nothing_to_compare_asks_nothing() -> None:
    declaring()
    mine = making.submission()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = measured_elsewhere(mine, {"candidate_predictions"})
    assert found == {"running_experiments": [], "earlier_costs": []} and len(asked) == 0


def test_without_an_ab_test_the_collector_says_so_whatever_others_run() -> None:
    settings = {"running_experiments": [DECLARED]}
    assert registry.collector("experiment").collect(Inputs(facts={"rollout.strategy": "full"}, settings=settings)).not_applicable
