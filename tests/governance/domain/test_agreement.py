"""When sources disagree, and when they only round differently."""

from __future__ import annotations

from typing import Any

import pytest

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance


def two(name: str, measured: Any, stated: Any, **interval: float) -> FactSet:
    return FactSet.of(
        [
            Fact(name, measured, Assurance.MEASURED, "measured:performance", **interval),
            Fact(name, stated, Assurance.FILE, "README.md"),
        ]
    )


@pytest.mark.parametrize(
    ("name", "measured", "stated", "interval", "disagree"),
    [
        ("performance.candidate", 0.816783, 0.8167, {}, False),
        ("performance.candidate", 0.8168, 0.91, {}, True),
        ("performance.relative_change", 0.001, -0.0005, {"low": -0.002, "high": 0.003}, False),
        ("performance.relative_change", 0.001, 0.05, {"low": -0.002, "high": 0.003}, True),
        ("data.contains_pii", True, False, {}, True),
        ("model.features", ["a", "b"], ["b", "a"], {}, False),
        ("evaluation.dataset_digest", "sha256:" + "a" * 64, "e75f0b96", {}, False),
        ("evaluation.dataset_digest", "e75f0b96", "a0000000", {}, True),
        ("decision.domain", "credit", "marketing", {}, True),
    ],
)
def test_disagreement(name: str, measured: Any, stated: Any, interval: dict[str, float], disagree: bool) -> None:
    assert (name in two(name, measured, stated, **interval).conflicts()) is disagree
