"""A declared A/B test: how it is set up, which other tests it meets, and whether its split came out as planned.

Reads the evidence `experiment` (its form is described on the page of the gate GE101). Other running tests come from what other
submissions declared and were measured to declare.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs

NAME = "experiment"
TITLE = "Reading the set-up of the A/B test"
VERSION = 1
HEAVY = False
REQUIRES: tuple[str, ...] = ()
OPTIONAL = ("experiment",)
USES_FACTS = ("rollout.strategy", "rollout.traffic_percent")
USES_REGISTERS = ("running_experiments",)


def collect(inputs: Inputs) -> Collected:
    """Measure; EvidenceProblem when the document cannot be read. `running_experiments`: what other submissions declare."""
    from gates.metrics import experiment_impl

    return experiment_impl.collect(inputs)
