"""Messages that wake workers, sent from a thread of their own: a request never waits for the broker.

A dead broker takes seconds to say so, and a hanging one as long as its timeout. Losing a message only costs time: the row in the
database is the truth, and the relay sends again what nobody took. So the post box is bounded, and while the broker is known
to be away nothing is tried.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from celery import current_app

log = logging.getLogger(__name__)

WAIT_AFTER_FAULT = 5.0
MOST_WAITING = 10_000


@dataclass(frozen=True)
class Message:
    """A task by name with its ids. `priority`: 0 goes first, where the transport knows priorities."""

    task: str
    ids: tuple[int | str, ...]
    priority: int = 0


_HERE: ContextVar[tuple[frozenset[str], list[Message]] | None] = ContextVar("messages kept here", default=None)


@contextmanager
def kept_here(*tasks: str) -> Iterator[list[Message]]:
    """Messages for these tasks posted meanwhile are not sent: they gather in the list, for who asked to do them itself.

    As with every message, losing one only costs time.
    """
    kept: list[Message] = []
    token = _HERE.set((frozenset(tasks), kept))
    try:
        yield kept
    finally:
        _HERE.reset(token)


@dataclass
class PostBox:
    """The waiting messages of one process and the thread that sends them, started with the first message."""

    waiting: queue.Queue[Message] = field(default_factory=lambda: queue.Queue(MOST_WAITING))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None
    _process: int = 0
    _closed_until: float = 0.0
    _ending: bool = False

    def post(self, message: Message) -> bool:
        """Hand in a message; returns at once. False when the box is full."""
        here = _HERE.get()
        if here is not None and message.task in here[0]:
            if message not in here[1]:
                here[1].append(message)
            return True
        return self.send_on(message)

    def send_on(self, message: Message) -> bool:
        """The same for a message that is sent in any case."""
        self._start()
        try:
            self.waiting.put_nowait(message)
        except queue.Full:
            log.warning("too many messages wait for the broker; the relay will send %s%s", message.task, message.ids)
            return False
        return True

    def flush(self, seconds: float) -> bool:
        """Wait until everything posted so far was tried, at most that long."""
        until = time.monotonic() + seconds
        while self.waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)
        return not self.waiting.unfinished_tasks

    def end(self, seconds: float) -> None:
        """The process ends: what is still waiting gets that long, and faults are no longer logged."""
        self._ending = True
        self.flush(seconds)

    def _start(self) -> None:
        if self._thread is not None and self._process == os.getpid() and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or self._process != os.getpid() or not self._thread.is_alive():
                if self._process != os.getpid():  # a forked child starts empty: its parent sends what the parent posted
                    self.waiting = queue.Queue(MOST_WAITING)
                self._process = os.getpid()
                self._thread = threading.Thread(target=self._work, args=(self.waiting,), name="messages", daemon=True)
                self._thread.start()

    def _work(self, waiting: queue.Queue[Message]) -> None:
        while True:
            message = waiting.get()
            try:
                self._send(message)
            finally:
                waiting.task_done()

    def _send(self, message: Message) -> None:
        if time.monotonic() < self._closed_until:
            log.info("the broker is away; the relay will send %s%s", message.task, message.ids)
            return
        try:
            current_app.send_task(message.task, args=message.ids, priority=message.priority)
        except Exception as exc:  # any broker fault is only a delay
            self._closed_until = time.monotonic() + WAIT_AFTER_FAULT
            if self._ending:  # the log may be closed already
                return
            log.warning("broker did not take %s%s: %s", message.task, message.ids, exc)


BOX = PostBox()


@atexit.register
def _last_post() -> None:
    """A command that ends right after its transaction still gets its messages out, when the broker answers."""
    BOX.end(2.0)
