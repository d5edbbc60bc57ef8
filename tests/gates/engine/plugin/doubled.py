"""Measures the same thing twice: a fault of the collector."""

from gates.collecting import Collected, Inputs
from gates.spec import Measure

NAME, TITLE, VERSION, HEAVY = "doubled", "Measuring twice", 1, False
REQUIRES: tuple[str, ...] = ()
OPTIONAL: tuple[str, ...] = ()
USES_FACTS: tuple[str, ...] = ()


def collect(inputs: Inputs) -> Collected:
    return Collected((Measure("same", 1.0), Measure("same", 2.0)))
