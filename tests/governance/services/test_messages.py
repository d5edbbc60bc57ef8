"""The post box: posting never waits, whatever the broker does."""

from __future__ import annotations

import os
import threading
import time

import pytest

from governance.config.celery import app
from governance.services import messages
from governance.services.messages import Message, PostBox


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int | str, ...], int]]:
    """What reached the broker's client; the broker itself is not the subject here."""
    arrived: list[tuple[str, tuple[int | str, ...], int]] = []
    monkeypatch.setattr(app, "send_task", lambda name, args, priority: arrived.append((name, args, priority)))
    return arrived


def test_messages_leave_in_order_with_their_priority(sent: list[object]) -> None:
    box = PostBox()
    for number in range(5):
        assert box.post(Message("gates.run_light", (number,), 3))
    assert box.flush(5)
    assert sent == [("gates.run_light", (number,), 3) for number in range(5)]


def test_a_hanging_broker_blocks_nobody_and_a_full_box_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = threading.Event()
    monkeypatch.setattr(app, "send_task", lambda name, args, priority: stuck.wait(30))
    monkeypatch.setattr(messages, "MOST_WAITING", 3)
    box = PostBox()
    started = time.monotonic()
    taken = [box.post(Message("t", (number,))) for number in range(10)]
    assert time.monotonic() - started < 0.5
    assert taken[:3] == [True] * 3
    assert taken[-1] is False
    assert not box.flush(0.05)
    stuck.set()
    assert box.flush(5)


def test_after_a_fault_the_broker_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def refuse(name: str, args: tuple[int], priority: int) -> None:
        tried.append(args[0])
        raise OSError("connection refused")

    monkeypatch.setattr(app, "send_task", refuse)
    box = PostBox()
    for number in range(4):
        box.post(Message("t", (number,)))
    assert box.flush(5)
    assert tried == [0]
    monkeypatch.setattr(messages, "WAIT_AFTER_FAULT", 0.0)
    box._closed_until = 0.0
    box.post(Message("t", (9,)))
    assert box.flush(5)
    assert tried == [0, 9]


def test_a_forked_child_sends_its_own_messages(sent: list[object]) -> None:
    box = PostBox()
    box.post(Message("t", (1,)))
    assert box.flush(5)
    pid = os.getpid()
    box._process = pid + 1  # as after a fork: the thread of the parent is not here
    box.post(Message("t", (2,)))
    assert box.flush(5)
    assert (box._process, sent[-1]) == (pid, ("t", (2,), 0))


def test_what_somebody_does_here_is_not_sent(sent: list[object]) -> None:
    box = PostBox()
    with messages.kept_here("reviews.settle") as kept:
        for number in (1, 1, 2):
            assert box.post(Message("reviews.settle", (number,)))
        assert box.post(Message("gates.run_light", (3,)))
        assert box.send_on(Message("reviews.settle", (4,)))
        other = threading.Thread(target=lambda: box.post(Message("reviews.settle", (5,))))
        other.start()
        other.join()
    assert kept == [Message("reviews.settle", (1,)), Message("reviews.settle", (2,))]
    assert box.post(Message("reviews.settle", (6,)))
    assert box.flush(5)
    assert sent == [("gates.run_light", (3,), 0), *(("reviews.settle", (number,), 0) for number in (4, 5, 6))]
