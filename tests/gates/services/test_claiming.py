"""Claiming and keeping runs."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from gates.models import GateRun
from gates.services import claiming
from gates.services.claiming import claim_heavy, claim_light, claim_next_heavy, claim_next_light, keep
from gates.services.planning import PRIORITY, TAKEN_WITHIN
from governance.domain.vocabulary import RunStatus, Track
from tests.gates import making

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plugin")]

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


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count of turns starts anew: which claims go to what is overdue does not depend on earlier tests."""
    monkeypatch.setattr(claiming, "_turns", itertools.count(1))


def waiting(track: Track, *, heavy: bool = False, queued: timedelta = timedelta()) -> GateRun:
    """A submission's only run, queued so long ago."""
    name = "heavy_tally" if heavy else "tally_one"
    due = Now() - queued + TAKEN_WITHIN[track]
    return making.run(making.submission(), name, heavy=heavy, priority=PRIORITY[track], queued_at=Now() - queued, due_at=due)


def test_red_goes_before_sixty_green_ones_that_were_there_first(turns: None) -> None:
    for _ in range(60):
        waiting(Track.GREEN)
    red = waiting(Track.RED)
    assert [claim.id for claim in claim_next_light(worker="w")] == [red.pk]


def test_within_a_track_the_one_that_was_due_first_is_first(turns: None) -> None:
    late = waiting(Track.YELLOW)
    early = waiting(Track.YELLOW, queued=timedelta(seconds=30))
    assert [claim.id for claim in claim_next_light(worker="w")] == [early.pk]
    assert [claim.id for claim in claim_next_light(worker="w")] == [late.pk]


def test_red_does_not_keep_a_green_one_waiting_for_ever(turns: None) -> None:
    green = waiting(Track.GREEN, queued=timedelta(minutes=16))
    for _ in range(20):
        waiting(Track.RED)
    taken = [claim_next_light(worker="w")[0].id for _ in range(4)]
    assert taken.index(green.pk) == claiming.OVERDUE_EVERY - 1


def test_a_flood_of_overdue_green_ones_takes_every_fourth_turn_and_no_more(turns: None) -> None:
    green = {waiting(Track.GREEN, queued=timedelta(hours=1)).pk for _ in range(20)}
    red = {waiting(Track.RED).pk for _ in range(9)}
    taken = [claim_next_light(worker="w")[0].id for _ in range(12)]
    assert len(green & set(taken)) == 3
    assert red <= set(taken)


def test_a_turn_takes_everything_light_that_waits_for_the_same_submission(turns: None) -> None:
    of = making.submission()
    for name in ("tally_one", "tally_two"):
        making.run(of, name, priority=0)
    making.run(of, "tally_three", priority=0, attempt=2)
    making.run(of, "heavy_tally", heavy=True, priority=0)
    assert [claim.collector for claim in claim_next_light(worker="w")] == ["tally_one", "tally_two"]
    assert [claim.collector for claim in claim_next_light(worker="w")] == ["tally_three"]
    assert claim_next_light(worker="w") == []
    assert [claim.collector for claim in claim_next_heavy(worker="w")] == ["heavy_tally"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_takes_light_ones_too_holds_one_heavy_run_at_a_time(turns: None) -> None:
    first, second = (waiting(track, heavy=True) for track in (Track.RED, Track.GREEN))
    assert [claim.id for claim in claim_next_heavy(worker="w", most=1)] == [first.pk]
    assert claim_next_heavy(worker="w", most=1) == []
    assert [claim.id for claim in claim_next_heavy(worker="another", most=1)] == [second.pk]
    third = waiting(Track.GREEN, heavy=True)
    # a run whose lease ran out is held by nobody; and it goes before what is less urgent
    GateRun.objects.filter(pk=first.pk).update(lease_until=PAST)
    assert [claim.id for claim in claim_next_heavy(worker="w", most=1)] == [first.pk]
    GateRun.objects.filter(pk=first.pk).update(status=RunStatus.DONE)
    assert [claim.id for claim in claim_next_heavy(worker="w", most=1)] == [third.pk]
