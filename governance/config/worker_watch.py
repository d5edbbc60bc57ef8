"""Ends a worker that takes no messages any more, so that whoever supervises it starts a new one.

Celery 5.7 survives a Redis that went away most of the time, not always. Whoever uses a channel of the closed connection (to
acknowledge what was running) may find kombu asking a transport without a client for its address: an AttributeError
(`kombu/transport/redis.py`, `_connparams`). That is no connection error, so Celery (`Consumer.start`) does not connect again but
shuts down, waiting for its pool: the process lives on and takes nothing.

A thread beside the event loop looks at what counts, whatever the reason is: messages wait in this worker's queues, the broker
answers, and the worker takes none although a slot is free or its event loop stands still. After `WORKER_STUCK_SECONDS` of that,
without a break, the process and everything below it are killed. Nothing is lost: rows are the truth, leases run out, the relay
sends again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from celery import bootsteps
from celery.worker import state
from celery.worker.components import Timer

from governance.config.embedded_processes import descendants

log = logging.getLogger(__name__)
EXIT_CODE = 75  # EX_TEMPFAIL: try again
STANDSTILL = 5.0  # the event loop moves every second; connecting again holds it up for longer, which counts like standing still


@dataclass
class Watch:
    """When a worker is to be ended. Seconds are those of a monotonic clock."""

    limit: float
    _since: float | None = None
    _taken: int = -1

    def stuck(self, now: float, *, waiting: bool, able: bool, taken: int) -> bool:
        """One look: whether messages wait, whether the worker ought to take one, how many it has taken so far.

        True when nothing was taken in `limit` seconds of looks that all found it waiting and able.
        """
        if not (waiting and able) or taken != self._taken:
            self._since, self._taken = None, taken
            return False
        if self._since is None:
            self._since = now
        return now - self._since >= self.limit


class Waiting:
    """Asks the broker, over a connection of its own, whether messages wait in some queues."""

    def __init__(self, app: Any, queues: Iterable[str]) -> None:
        self.app, self.queues = app, tuple(queues)
        self._connection: Any = None

    def __call__(self) -> bool:
        """False also when the broker does not answer: then no worker could do better."""
        try:
            if self._connection is None:
                self._connection = self.app.connection_for_read()
                self._connection.connect()
            with self._connection.channel() as channel:
                return any(self._length(channel, queue) for queue in self.queues)
        except Exception as problem:  # whatever a client library raises, the worker goes on
            log.debug("the broker does not say what waits: %s", problem)
            self._forget()
            return False

    def _length(self, channel: Any, queue: str) -> int:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except channel.connection.client.channel_errors:  # a queue without messages does not exist in Redis
            return 0

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.release()


class WorkerWatch(bootsteps.StartStopStep):
    """The thread, as a step of the worker's start."""

    requires = (Timer,)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.moved = time.monotonic()

    def include_if(self, worker: Any) -> bool:
        return bool(worker.app.conf.worker_stuck_seconds > 0 and worker.use_eventloop)

    def start(self, worker: Any) -> None:
        # on the worker's own timer, which outlives connections
        worker.timer.call_repeatedly(1.0, self._move)
        threading.Thread(target=self._look_on, args=(worker,), name="worker-watch", daemon=True).start()

    def _move(self) -> None:
        self.moved = time.monotonic()

    def _look_on(self, worker: Any) -> None:
        seconds = float(worker.app.conf.worker_stuck_seconds)
        watch, waiting = Watch(seconds), Waiting(worker.app, worker.app.amqp.queues.consume_from)
        while not _asked_to_stop():
            time.sleep(min(seconds / 5, 5.0))
            now = time.monotonic()
            free = len(state.reserved_requests) < worker.concurrency
            able = free or now - self.moved > STANDSTILL
            if watch.stuck(now, waiting=waiting(), able=able, taken=state.all_total_count[0]) and not _asked_to_stop():
                end_process(f"Messages wait and this worker took none in {seconds:g} s. It ends, to be started again.")


def _asked_to_stop() -> bool:
    """Somebody ends the worker in order, and it finishes what it has begun."""
    asked: tuple[object, ...] = (state.should_stop, state.should_terminate)  # exit codes, which may be 0
    return any(code is not None and code is not False for code in asked)


def end_process(why: str) -> None:
    """Kill what this process started, then end it at once: a worker in this state cannot be asked to stop."""
    log.critical("%s", why)
    for pid in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    os._exit(EXIT_CODE)
