"""A Celery application of its own with tasks that do nothing: what the chord of B6 is made of."""

from __future__ import annotations

import os
from collections.abc import Sequence

from celery import Celery

app = Celery(
    "tests.bench.chord_app", broker=os.environ.get("REDIS_URL"), backend=os.environ.get("REDIS_URL"), set_as_current=False
)
app.conf.update(task_default_queue="bench", broker_connection_retry_on_startup=True, worker_prefetch_multiplier=1)


@app.task
def nothing(number: int) -> int:
    """One part."""
    return number


@app.task
def done(parts: Sequence[int]) -> int:
    """The end, when every part has come."""
    return len(parts)
