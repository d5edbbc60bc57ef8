"""What collectors say while they run: on the row, seldom; and a cancelled one is stopped, its neighbours go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates import sandbox
from gates.collecting import Doing, Inputs
from gates.models import GateRun
from gates.selectors.runs import progress
from gates.services.claiming import claim_light, note_doing
from gates.services.running import measure
from gates.wire import MAX_DOING, WireError, decode_doing
from governance.domain.vocabulary import RunStatus
from tests.gates import making

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plugin")]


def in_a_thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def seen(of: GateRun, found: Callable[[GateRun], bool], seconds: float = 20) -> GateRun:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        of.refresh_from_db()
        if found(of):
            return of
        time.sleep(0.05)
    raise AssertionError(f"not seen: {of.status} “{of.doing}” {of.steps_done} of {of.steps_total}")


def test_a_flood_of_words_becomes_few_lines_and_the_last_ones_are_heard() -> None:
    heard: list[Doing] = []
    inputs = Inputs(settings={"flood": 200_000, "steps": 12})
    job = ("teller", "tests.gates.engine.plugin.teller", inputs)
    (ran,) = sandbox.run_modules([job], told=lambda name, doing: heard.append(doing))
    assert ran.status is sandbox.Status.DONE
    assert heard[0] == Doing()
    reading = [doing for doing in heard if doing.says == "reading rows"]
    assert 1 <= len(reading) <= 4 * ran.seconds + 1
    # a new sentence is passed on at once, however short the time since the last one
    assert [doing.says for doing in heard if doing.done == 0 and doing.says.startswith("explaining")] == [
        "explaining rows, part 1"
    ]
    assert heard[-1].says == "explaining rows, part 2"


def test_the_row_says_what_is_done_and_a_second_passes_between_two_statements(plugin: str) -> None:
    of = making.submission()
    run = making.run(of, "teller", numbers={"flood": 50_000, "steps": 35})
    claims = claim_light(of.pk, worker="w")
    statements: list[str] = []
    started = time.monotonic()

    def work() -> None:
        with CaptureQueriesContext(connection) as caught:
            measure(claims, worker="w", queues={"gates"})
        statements.extend(query["sql"] for query in caught.captured_queries)

    thread = in_a_thread(work)
    seen(run, lambda row: row.doing.startswith("explaining rows") and bool(row.steps_done))
    shown = progress(of).runs[0]
    assert shown.doing.startswith("explaining rows, part ")
    assert shown.doing.endswith(" of 35") and shown.doing in shown.says
    assert (shown.steps_total, shown.status) == (35, "running")
    thread.join()
    told = [sql for sql in statements if "SET doing" in sql]
    assert 2 <= len(told) <= (time.monotonic() - started) / 0.9
    run.refresh_from_db()
    assert run.status == RunStatus.DONE


def test_a_cancelled_collector_is_stopped_and_its_neighbours_are_measured(plugin: str) -> None:
    of = making.submission()
    long = making.run(of, "teller", numbers={"steps": 600})
    for name in ("tally_one", "tally_two", "unusable"):
        making.run(of, name)
    claims = claim_light(of.pk, worker="w")
    started = time.monotonic()
    thread = in_a_thread(lambda: measure(claims, worker="w", queues={"gates"}))
    seen(long, lambda row: bool(row.doing))
    GateRun.objects.filter(pk=long.pk).update(status=RunStatus.CANCELLED, lease_until=None)
    thread.join()
    assert time.monotonic() - started < 30
    assert dict(GateRun.objects.values_list("collector", "status")) == {
        "teller": RunStatus.CANCELLED,
        "tally_one": RunStatus.DONE,
        "tally_two": RunStatus.DONE,
        "unusable": RunStatus.DONE,
    }
    assert set(GateRun.objects.exclude(pk=long.pk).values_list("attempt", flat=True)) == {1}


def test_only_the_current_attempt_is_heard() -> None:
    of = making.submission()
    making.run(of, "tally_one")
    (claim,) = claim_light(of.pk, worker="w")
    assert note_doing(claim, Doing("reading rows", 5, 10))
    GateRun.objects.update(attempt=2)
    assert not note_doing(claim, Doing("reading rows", 6, 10))


def test_what_the_child_says_is_checked_and_cut() -> None:
    assert decode_doing({"says": "a  b\n" + "x" * 500}).says == ("a b " + "x" * 500)[:MAX_DOING]
    for wrong in ({"says": 1}, {"says": "", "done": -1}, {"says": "", "total": True}, {"says": "", "done": "1"}, {"done": 2**70}):
        with pytest.raises(WireError):
            decode_doing(wrong)
