"""The canonical form is RFC 8785's, whichever encoder writes it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from governance.domain.canonical import canonical_json, digest
from governance.domain.vocabulary import Track

NUMBERS = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-40, 40).map(lambda power: 10.0**power),
    st.integers(-(10**17), 10**17).map(float),
    st.decimals(-1000, 1000, places=3).map(float),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(), st.sampled_from(list(Track)))
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner))


@given(JSON)
@example({"\U0001f600": 1, "\ue000": 2, "a": 1.0, "b": [-0.0, 1e-7, 1e16, 1e21, 123456789012345680.0, 5e-324, 0.0001, 0.00001]})
@example(['\x00\x1f\x7f"\\\u2028\u00e4', True, 1, 1.0, False, 0, 0.0])
@example({"a": {"b": {"c": (2.0, 0.1 + 0.2, 999999999999999.9, 1e15)}}})
def test_it_is_the_form_of_the_rfc(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "bad",
    [math.nan, math.inf, -math.inf, 2**53, -(2**53), {1: "x"}, {None: 1}, {True: 1}, {1.5: 1}, "\ud800", {"a": "\udfff"}, b"x"],
)
def test_what_json_cannot_carry_is_refused_at_any_depth(bad: Any) -> None:
    for value in (bad, [bad], {"a": [0.5, bad]}, {"a": 1.0, "b": {"c": bad}}):
        with pytest.raises(ValueError):
            canonical_json(value)


def test_the_order_of_keys_changes_nothing() -> None:
    assert digest({"b": 1, "a": [1.0]}) == digest({"a": [1], "b": 1.0})
