"""Inference cost and latency: what a thousand predictions and a month cost against the budget, and how fast they come.

Reads the evidence `cost_report`: latency samples of candidate and champion with hardware, batch size and concurrency, the price,
the expected volume, the budget and the service objective. The form is described on the page of the gate GC101.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs

NAME = "cost"
TITLE = "Working out what predictions cost and how fast they come"
VERSION = 1
HEAVY = False
REQUIRES: tuple[str, ...] = ()
OPTIONAL = ("cost_report",)
USES_FACTS = ("cost.per_1k_predictions", "impact.people_per_month")
USES_REGISTERS = ("earlier_costs",)


def collect(inputs: Inputs) -> Collected:
    """Measure; EvidenceProblem when the report cannot be used.

    Settings: `cost.report_from_per_month`: under this declared monthly cost no report is asked for.
    `earlier_costs`: what earlier versions of the system were measured to cost, oldest first.
    """
    from gates.metrics import cost_impl

    return cost_impl.collect(inputs)
