"""Whose turn it is, with real workers: a red run among many green ones, light runs beside heavy ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from gates.models import GateRun
from gates.services.planning import PRIORITY, TAKEN_WITHIN
from governance.domain.vocabulary import RunStatus, Track
from governance.services.work import send as post
from tests.gates import making
from tests.gates.conftest import PLUGIN
from tests.gates.engine.test_engine import QUICK, all_finished, until
from tests.stack import Running

pytestmark = pytest.mark.django_db(transaction=True)


def ask(track: Track, *, heavy: bool = False, seconds: float = 0.1) -> GateRun:
    """Queue a run of a new submission, and wake a worker as the submit transaction does."""
    of = making.submission()
    name, task = ("heavy_tally", "gates.run_heavy") if heavy else ("tally_one", "gates.run_light")
    run = making.run(
        of,
        name,
        heavy=heavy,
        numbers={"sleep": seconds},
        priority=PRIORITY[track],
        due_at=Now() + TAKEN_WITHIN[track] + timedelta(minutes=5),
    )
    post(task, run.pk if heavy else of.pk, priority=PRIORITY[track])
    return run


def started(run: GateRun) -> bool:
    return GateRun.objects.filter(pk=run.pk, started_at__isnull=False).exists()


def test_a_red_run_that_comes_after_sixty_green_ones_is_the_next_one_taken(
    plugin: str, start_worker: Callable[..., Running]
) -> None:
    for _ in range(60):
        ask(Track.GREEN)
    start_worker(concurrency=1, GUIDERAIL_PLUGINS=PLUGIN, **QUICK)
    assert until(lambda: GateRun.objects.filter(status=RunStatus.DONE).count() >= 3, 60, relay=False)
    red = ask(Track.RED)
    assert until(lambda: started(red), 20, relay=False)
    red.refresh_from_db()
    after = GateRun.objects.filter(priority=PRIORITY[Track.GREEN], started_at__gt=red.queued_at, started_at__lt=red.started_at)
    # at most the one that was being taken while the red one was written
    assert after.count() <= 1
    assert GateRun.objects.filter(status=RunStatus.QUEUED, priority=PRIORITY[Track.GREEN]).count() > 40


def test_light_runs_do_not_wait_behind_heavy_ones(plugin: str, start_worker: Callable[..., Running]) -> None:
    start_worker(concurrency=2, GUIDERAIL_PLUGINS=PLUGIN, **QUICK)
    heavy = [ask(Track.RED, heavy=True, seconds=2.0) for _ in range(3)]
    assert until(lambda: any(started(run) for run in heavy), 20, relay=False)
    light = ask(Track.GREEN, seconds=0.0)
    assert until(lambda: GateRun.objects.filter(pk=light.pk, status=RunStatus.DONE).exists(), 20, relay=False)
    assert GateRun.objects.filter(heavy=True, status=RunStatus.QUEUED).count() >= 1
    assert GateRun.objects.filter(heavy=True, status=RunStatus.RUNNING).count() <= 1
    # those that found no room are taken by whoever ends, or by the relay
    assert until(all_finished, 40)
    assert set(GateRun.objects.values_list("status", flat=True)) == {RunStatus.DONE}
