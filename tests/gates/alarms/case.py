"""One simulation of a gate on data in which nothing is wrong, or something known is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gates import registry
from gates.spec import Measured
from governance.domain.vocabulary import Verdict

SEED = 20260101
Draw = Callable[[np.random.Generator, Path], Mapping[str, bool]]


@dataclass(frozen=True)
class Case:
    """`about`: what is drawn, in words; `size`: rows in words; `draw` gives named events, each true or false; `full`: how often
    the campaign draws. `published`: event -> share measured when the method was chosen (GATES), where there is one.
    """

    key: str
    about: str
    size: str
    draw: Draw
    full: int
    published: Mapping[str, float] | None = None


def shares(case: Case, runs: int, folder: Path, seed: int = SEED) -> dict[str, float]:
    """Share of `runs` in which each event happened; the same every time."""
    seen: dict[str, int] = {}
    for run in range(runs):
        for event, happened in case.draw(np.random.default_rng([seed, run]), folder).items():
            seen[event] = seen.get(event, 0) + bool(happened)
    return {event: count / runs for event, count in seen.items()}


def verdicts(code: str, measured: Measured) -> dict[str, bool]:
    """What the gate says at its default limits, as events."""
    gate = registry.gate(code)
    verdict = gate.judge(measured, gate.limits_with()).verdict
    return {
        f"{code} fails": verdict is Verdict.FAIL,
        f"{code} warns": verdict is Verdict.WARN,
        f"{code} cannot tell": verdict is Verdict.NOT_ASSESSED,
    }
