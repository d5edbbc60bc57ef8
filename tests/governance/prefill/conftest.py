"""Samples and short ways to look at a reading."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from governance.prefill.reading import Reading, read_source

METADATA = Path(__file__).parents[2] / "data" / "metadata"


@pytest.fixture(scope="session")
def metadata() -> Path:
    """The samples made with the named tools, kept in the project."""
    return METADATA


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Reading]:
    """Read one of the kept samples."""
    return lambda name: read_source(name, (METADATA / name).read_bytes())


@pytest.fixture(scope="session")
def read() -> Callable[..., Reading]:
    """Read a value as JSON, or a text as it is."""

    def reading(name: str, content: Any) -> Reading:
        data = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
        return read_source(name, data)

    return reading
