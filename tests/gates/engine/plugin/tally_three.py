"""Measures three numbers."""

from gates.collecting import Collected, Inputs
from tests.gates.engine.plugin.behaviour_impl import measure

NAME, TITLE, VERSION, HEAVY = "tally_three", "Counting to three (three)", 1, False
REQUIRES: tuple[str, ...] = ()
OPTIONAL: tuple[str, ...] = ("candidate_predictions",)
USES_FACTS: tuple[str, ...] = ("model.features",)


def collect(inputs: Inputs) -> Collected:
    return measure(NAME, inputs)
