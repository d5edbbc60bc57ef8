"""Thirty rules as somebody would write them by hand over the answers as they came: no sources, no intervals, no reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Answers = Mapping[str, Any]


def _is(name: str, *values: Any) -> Callable[[Answers], bool]:
    return lambda answers: answers.get(name) in values


def _over(name: str, limit: float) -> Callable[[Answers], bool]:
    return lambda answers: (answers.get(name) or 0) > limit


_MATTERS = ("decision.domain", "impact.financial", "decision.automated", "data.contains_pii", "rollout.strategy")
_NUMBERS = (
    "performance.relative_change", "fairness.accuracy_difference", "drift.share", "cost.change", "latency.p99", "model.size",
    "features.added", "features.removed", "explanations.change", "incidents.open",
)  # fmt: skip
RULES: tuple[tuple[Callable[[Answers], bool], str], ...] = (
    *((_is(name, "credit", "high", True, "big_bang"), "red") for name in _MATTERS),
    *((_is(name, "fraud", "medium", None), "yellow") for name in _MATTERS),
    *((_over(name, 0.15), "red") for name in _NUMBERS),
    *((_over(name, 0.05), "yellow") for name in _NUMBERS),
)
_RANK = {"green": 0, "yellow": 1, "red": 2}


def decide(answers: Answers) -> dict[str, Any]:
    """The strictest colour and the numbers of the rules that asked for it."""
    fired = [(track, number) for number, (rule, track) in enumerate(RULES) if rule(answers)]
    worst = max((track for track, _ in fired), key=_RANK.__getitem__, default="green")
    return {"track": worst, "rules": [number for track, number in fired if track == worst]}
