"""The test collectors as a plugin package, here and in worker processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gates import registry

PLUGIN = "tests.gates.engine.plugin"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The registry also finds the collectors of tests/gates/engine/plugin; workers started meanwhile do too."""
    monkeypatch.setenv("GUIDERAIL_PLUGINS", PLUGIN)
    registry.forget()
    yield PLUGIN
    monkeypatch.undo()
    registry.forget()
