"""The supervised stack gets over a broker that was killed, and over a worker that does not."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from gates.models import GateRun, WorkerSeen
from gates.selectors.runs import progress
from governance.config import embedded, worker_watch
from governance.config.celery import app
from governance.config.embedded_home import Home, State
from governance.config.embedded_processes import end, known
from governance.config.embedded_supervisor import Child, Supervisor
from governance.domain.vocabulary import RunStatus
from governance.models import Submission
from tests.gates import making
from tests.gates.conftest import PLUGIN
from tests.gates.engine.test_engine import all_finished, assert_each_finished_exactly_once
from tests.stack import Running, Stack

pytestmark = pytest.mark.django_db(transaction=True)

STUCK = 6.0
QUICK = {
    "GUIDERAIL_GATE_LEASE_SECONDS": "2",
    "GUIDERAIL_GATE_RETRY_SECONDS": "0.2",
    "GUIDERAIL_GATE_REDISPATCH_SECONDS": "0.5",
    "GUIDERAIL_RELAY_SECONDS": "0.5",
    "GUIDERAIL_WORKER_STUCK_SECONDS": str(STUCK),
    "GUIDERAIL_PLUGINS": PLUGIN,
    "GUIDERAIL_LOG_LEVEL": "WARNING",
}


@pytest.fixture
def supervised(stack: Stack, broker: Running | None, database_url: str, plugin: str) -> Iterator[Supervisor]:
    """The workers and the relay as `make demo` starts and supervises them, on the test database."""
    if broker is None:
        pytest.skip("REDIS_URL names a broker that the tests may not kill")
    home = Home(stack.folder / "supervised")
    home.make()
    # any process of ours that lives: an earlier test may have killed the last one
    ourselves = next(found for running in reversed(stack.started) if (found := known(running.pid)))
    supervisor = Supervisor(home, State(ourselves, environment={**QUICK, "DATABASE_URL": database_url}))
    embedded.start_workers(supervisor)
    yield supervisor
    end([found for child in supervisor.children if child.process and (found := known(child.process.pid))], seconds=1)
    for child in supervisor.children:
        if child.process:
            child.process.wait()


def looking_after(supervisor: Supervisor, ready: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            return False
        supervisor.look_after()
        time.sleep(0.1)
    return True


def child(supervisor: Supervisor, name: str) -> Child:
    return next(child for child in supervisor.children if child.name == name)


def submitted(*collectors: str, heavy: bool = False, **numbers: float) -> Submission:
    """A submission whose runs wait for the relay, as when its message was lost."""
    of = making.submission()
    for name in collectors:
        making.run(of, name, heavy=heavy, numbers=numbers, max_attempts=9)
    return of


def why_not() -> list[dict[str, object]]:
    return list(GateRun.objects.values("collector", "status", "attempt", "dispatches", "error"))


def test_what_is_submitted_after_the_broker_was_killed_is_finished_by_the_same_stack(
    supervised: Supervisor, stack: Stack, broker: Running
) -> None:
    submitted("tally_one", "tally_two")
    assert looking_after(supervised, all_finished, 60), why_not()
    submitted("tally_one", sleep=6.0)  # running while the broker goes away and comes back
    running = GateRun.objects.filter(status=RunStatus.RUNNING)
    assert looking_after(supervised, running.exists, 30), why_not()
    broker.kill()
    assert not looking_after(supervised, lambda: False, 7.0)
    stack.start_redis()
    submitted("tally_one", "tally_two", "tally_three")
    assert looking_after(supervised, all_finished, 45), why_not()
    assert_each_finished_exactly_once(6)


def test_a_worker_that_takes_nothing_is_ended_and_started_again(
    supervised: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted("tally_one")
    assert looking_after(supervised, all_finished, 60), why_not()
    stuck = child(supervised, "gates").process
    assert stuck is not None
    # deaf from now on: it is connected, idle and answers, and no message reaches it
    for queue in ("gates", "gates.heavy"):
        app.control.cancel_consumer(queue, destination=[name for name in names() if name.startswith("gates@")])
    time.sleep(1.0)
    submitted("tally_one", "tally_two")
    assert looking_after(supervised, all_finished, STUCK + 45), why_not()
    assert stuck.returncode == worker_watch.EXIT_CODE
    assert child(supervised, "worker").process is not None, "the other worker was ended too"
    said = capsys.readouterr().out
    assert Counter(line.split(" ", 1)[0] for line in said.splitlines() if " ended (" in line) == {"gates": 1}, said
    assert f"took none in {STUCK:g} s" in child(supervised, "gates").log.read_text()
    assert_each_finished_exactly_once(3)


def test_a_worker_whose_slots_are_all_taken_by_long_runs_is_there(supervised: Supervisor) -> None:
    for _ in range(2):
        of = submitted("tally_one", sleep=9.0)
    running = GateRun.objects.filter(status=RunStatus.RUNNING)
    assert looking_after(supervised, lambda: running.count() == 2, 60), why_not()
    waiting = submitted("heavy_tally", heavy=True)
    # as after a minute of that: no heartbeat got through
    WorkerSeen.objects.update(seen_at=Now() - timedelta(seconds=61))
    assert progress(waiting).worker_missing
    assert looking_after(supervised, lambda: not progress(waiting).worker_missing, 5)
    assert running.count() == 2, "the runs ended: a heartbeat may have been what was seen"
    assert progress(waiting).runs[0].says.endswith("waiting for a free worker.")
    assert progress(of).worker_missing == ""
    assert looking_after(supervised, all_finished, 60), why_not()


def names() -> set[str]:
    return set(WorkerSeen.objects.values_list("name", flat=True))
