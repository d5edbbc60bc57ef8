"""These tests bring their own workers, with collectors that no other worker knows: an ordinary one would take their runs."""

from __future__ import annotations

import pytest

from tests.stack import Running


@pytest.fixture(autouse=True)
def _no_other_worker(_worker: list[Running]) -> None:
    """End the worker that other tests share; the next one that asks for it starts another."""
    while _worker:
        _worker.pop().stop(seconds=1)
