"""Claiming and keeping runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from gates.models import GateRun
from gates.services.claiming import claim_heavy, claim_light, keep
from governance.domain.vocabulary import RunStatus
from tests.gates import making

pytestmark = pytest.mark.django_db

PAST = Now() - timedelta(seconds=1)


def test_a_queued_run_is_taken_once() -> None:
    of = making.submission()
    run = making.run(of, "tally_one")
    (claim,) = claim_light(of.pk, worker="w1")
    assert (claim.id, claim.attempt, claim.collector, claim.inputs["seed"]) == (run.pk, 1, "tally_one", 1)
    assert claim_light(of.pk, worker="w2") == []
    run.refresh_from_db()
    assert (run.status, run.attempt, run.worker) == (RunStatus.RUNNING, 1, "w1")
    assert run.lease_until is not None


def test_all_light_runs_of_a_submission_are_taken_together_and_no_other() -> None:
    of, other = making.submission(), making.submission()
    for name in ("tally_one", "tally_two"):
        making.run(of, name)
    heavy = making.run(of, "heavy_tally", heavy=True)
    making.run(other, "tally_one")
    assert [claim.collector for claim in claim_light(of.pk, worker="w")] == ["tally_one", "tally_two"]
    assert [claim.id for claim in claim_heavy(heavy.pk, worker="w")] == [heavy.pk]
    assert claim_heavy(heavy.pk, worker="w") == []
    assert making.unfinished() == 4


def test_a_run_is_taken_over_when_its_lease_has_run_out_and_not_before() -> None:
    of = making.submission()
    run = making.run(of, "tally_one")
    (first,) = claim_light(of.pk, worker="w1")
    assert claim_light(of.pk, worker="w2") == []
    GateRun.objects.filter(pk=run.pk).update(lease_until=PAST)
    (second,) = claim_light(of.pk, worker="w2")
    assert (first.attempt, second.attempt) == (1, 2)
    assert keep([first]) == set()
    assert keep([second]) == {run.pk}


def test_no_run_is_taken_beyond_its_attempts_nor_before_it_is_due() -> None:
    of = making.submission()
    making.run(of, "tally_one", attempt=3, status=RunStatus.RUNNING, lease_until=PAST)
    making.run(of, "tally_two", not_before=Now() + timedelta(minutes=1))
    assert claim_light(of.pk, worker="w") == []


@pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.ERROR, RunStatus.CANCELLED])
def test_a_finished_run_is_never_taken(status: RunStatus) -> None:
    of = making.submission()
    making.run(of, "tally_one", status=status)
    assert claim_light(of.pk, worker="w") == []


def test_runs_on_their_last_attempt_are_taken_one_at_a_time() -> None:
    of = making.submission()
    for name in ("tally_one", "tally_two"):
        making.run(of, name, attempt=2)
    making.run(of, "tally_three", attempt=1)
    assert [claim.collector for claim in claim_light(of.pk, worker="w")] == ["tally_three"]
    assert [claim.collector for claim in claim_light(of.pk, worker="w")] == ["tally_one"]
    assert [claim.collector for claim in claim_light(of.pk, worker="w")] == ["tally_two"]


def test_keeping_renews_the_lease_of_what_is_still_held(settings: Any) -> None:
    of = making.submission()
    for name in ("tally_one", "tally_two"):
        making.run(of, name)
    settings.GATE_LEASE_SECONDS = 10.0
    one, two = claim_light(of.pk, worker="w")
    GateRun.objects.filter(pk=two.id).update(status=RunStatus.CANCELLED)
    before = GateRun.objects.get(pk=one.id).lease_until
    settings.GATE_LEASE_SECONDS = 100.0
    assert keep([two, one]) == {one.id}
    after = GateRun.objects.get(pk=one.id).lease_until
    assert before is not None and after is not None
    assert timedelta(seconds=80) < after - before < timedelta(seconds=100)
