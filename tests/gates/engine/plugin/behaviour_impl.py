"""What the test collectors do."""

from __future__ import annotations

import time

from gates.collecting import Collected, Inputs, MeasuredFact
from gates.spec import Measure


def measure(name: str, inputs: Inputs) -> Collected:
    """Sleep as long as the settings say, then measure three numbers."""
    time.sleep(float(inputs.settings.get("sleep", 0.0)))
    rows = tuple(
        Measure(f"{name}.value", float(number), group="" if number == 0 else f"part={number}", n=number) for number in range(3)
    )
    return Collected(rows, facts=(MeasuredFact(f"{name}.fact", 0.25, 0.2, 0.3),))
