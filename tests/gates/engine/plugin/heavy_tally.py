"""The same as a heavy collector, with a file it cannot do without."""

from gates.collecting import Collected, Inputs
from tests.gates.engine.plugin.behaviour_impl import measure

NAME, TITLE, VERSION, HEAVY = "heavy_tally", "Counting slowly", 1, True
REQUIRES: tuple[str, ...] = ("candidate_model",)
OPTIONAL: tuple[str, ...] = ()
USES_FACTS: tuple[str, ...] = ()


def collect(inputs: Inputs) -> Collected:
    return measure(NAME, inputs)
