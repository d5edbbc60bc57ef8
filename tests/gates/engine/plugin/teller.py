"""Says what it is doing far more often than anybody reads, then for a while now and then."""

import time

from gates.collecting import Collected, Inputs, working_on
from gates.spec import Measure

NAME, TITLE, VERSION, HEAVY = "teller", "Talking while it works", 1, False
REQUIRES: tuple[str, ...] = ()
OPTIONAL: tuple[str, ...] = ()
USES_FACTS: tuple[str, ...] = ()


def collect(inputs: Inputs) -> Collected:
    total = int(inputs.settings.get("flood", 0))
    for row in range(total):
        working_on("reading rows", row, total)
    steps = int(inputs.settings.get("steps", 0))
    for step in range(steps):
        working_on(f"explaining rows, part {step // 10 + 1}", step, steps)
        time.sleep(0.1)
    return Collected((Measure("teller.value", float(total)),))
