"""The sentence of every gate, on every example: what it names was measured, or is a limit."""

from __future__ import annotations

import pytest

from gates import registry
from gates.registry import Gate
from gates.spec import Example, Measured
from tests.gates.numbers import among, numbers, shown, stored, with_inverses

CASES = [
    pytest.param(gate, example, id=f"{gate.code} {example.name}")
    for gate in registry.gates().values()
    if gate.plugin is None
    for example in gate.examples
    if example.measured
]


@pytest.mark.parametrize(("gate", "example"), CASES)
def test_observed_value_and_sentence_are_of_the_measured_rows(gate: Gate, example: Example) -> None:
    measured, limits = Measured.of(example.measured), gate.limits_with(example.limits)
    result = gate.judge(measured, limits)
    held = stored(measured.rows)
    for number in (result.observed, result.low, result.high, None if result.n is None else float(result.n)):
        assert number is None or any(abs(abs(number) - abs(one)) <= 1e-12 * max(1, abs(one)) for one in held), (number, result)
    known = with_inverses(held | set(numbers(limits)))
    for text in (result.says, *result.notes):
        for word, size, places in shown(text):
            assert among(size, places, known), f"“{word}” in “{text}” was not measured"
