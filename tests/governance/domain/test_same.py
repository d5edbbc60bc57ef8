"""When two fact values say the same."""

from __future__ import annotations

from typing import Any

import pytest

from governance.domain.facts import same

PLAN = [{"kind": "data_drift", "limit": 0.25, "features": ["all"]}, {"kind": "concept_drift", "limit": 0.05}]
REORDERED = [{"limit": 0.05, "kind": "concept_drift"}, {"features": ["all"], "limit": 0.25, "kind": "data_drift"}]


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        (PLAN, REORDERED, True),
        (PLAN, [{**PLAN[0], "limit": 0.3}, PLAN[1]], False),
        (PLAN, PLAN[:1], False),
        (["a", "b"], ["b", "a"], True),
        (1, 1.0, True),
        (True, 1, False),
        (["1"], ["2"], False),
    ],
)
def test_same(a: Any, b: Any, alike: bool) -> None:
    assert same(a, b) is alike
    assert same(b, a) is alike
