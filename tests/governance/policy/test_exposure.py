"""How far an approval goes, which step answers for more, and when the policy authorises it by itself."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from governance.domain.vocabulary import Role, Track
from governance.policy.exposure import (
    FULL,
    AutomaticRaise,
    ExposurePlan,
    ExposureStep,
    SignalStanding,
    first_exposure,
    not_automatic,
    step_for,
)

PLAN: dict[str, Any] = {
    "why": "Harm grows with the number of people.",
    "tracks": {
        "green": {"first": 100},
        "yellow": {
            "first": 25,
            "steps": [
                {"to": 100, "by": "platform_engineer", "why": "w", "automatic": {"after_days": 3, "signals": ["performance"]}}
            ],
        },
        "red": {"first": 5, "steps": [{"to": 25, "by": "analyst", "why": "w"}, {"to": 80, "by": "risk_officer", "why": "w"}]},
    },
}


def plan(**changed: Any) -> ExposurePlan:
    return ExposurePlan.model_validate({**PLAN, "tracks": {**PLAN["tracks"], **changed}})


@pytest.mark.parametrize(
    ("track", "present", "wanted", "expected"),
    [
        (Track.RED, 5, 25, Role.ANALYST),
        (Track.RED, 5, 6, Role.ANALYST),
        (Track.RED, 5, 26, "One step at a time"),
        (Track.RED, 25, 80, Role.RISK_OFFICER),
        (Track.RED, 5, 5, "up to 5 % already"),
        (Track.RED, 80, 81, "no further than 80 %"),
        (Track.GREEN, 100, 100, "up to 100 % already"),
        (Track.YELLOW, 25, 101, "1 to 100"),
        (Track.YELLOW, 25, 0, "1 to 100"),
    ],
)
def test_which_step_answers(track: Track, present: int, wanted: int, expected: Role | str) -> None:
    step = step_for(plan(), track, present, wanted)
    if isinstance(expected, Role):
        assert isinstance(step, ExposureStep) and step.by is expected
    else:
        assert isinstance(step, str) and expected in step


def test_a_pack_that_says_nothing_allows_all_of_it_and_nothing_more() -> None:
    assert first_exposure(None, Track.RED) == FULL
    assert first_exposure(plan(), Track.RED) == 5
    assert "no further" in str(step_for(None, Track.RED, 50, 60))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"red": {"first": 5, "steps": [{"to": 5, "by": "analyst", "why": "w"}]}}, "more than the one before"),
        ({"red": {"first": 5, "steps": [{"to": 25, "by": "auditor", "why": "w"}]}}, "does not review"),
        ({"red": {"first": 0}}, "greater than or equal to 1"),
        (
            {
                "red": {
                    "first": 5,
                    "steps": [{"to": 25, "by": "analyst", "why": "w", "automatic": {"after_days": 1, "signals": ["drift"]}}],
                }
            },
            "by people only",
        ),
    ],
)
def test_what_a_pack_cannot_say(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        plan(**changed)


STEP = ExposureStep(
    to=100, by=Role.PLATFORM_ENGINEER, why="w", automatic=AutomaticRaise(after_days=3, signals=("performance", "drift"))
)
GOOD: dict[str, Any] = {
    "present": 25,
    "running_days": {25: 3.0},
    "signals": {"performance": SignalStanding(within=1), "drift": SignalStanding(within=4)},
    "incidents": 0,
    "findings": 0,
}


def test_everything_measured_and_good_needs_nobody() -> None:
    assert not_automatic(STEP, Track.YELLOW, **GOOD) == ()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"running_days": {}}, "No deployment at 25 %"),
        ({"running_days": {10: 9.0}}, "No deployment at 25 %"),
        ({"running_days": {25: 2.99}}, "asks for 3"),
        ({"running_days": {25: 5.0, 50: 1.0}}, "more than the permit allows"),
        ({"signals": {}}, "Nothing within its limits was reported about performance"),
        ({"signals": {**GOOD["signals"], "drift": SignalStanding(unjudged=7)}}, "reported about drift"),
        ({"signals": {**GOOD["signals"], "drift": SignalStanding(within=9, unknown=1)}}, "1 reading not measured"),
        ({"signals": {**GOOD["signals"], "cost": SignalStanding(over=2)}}, "Cost: 2 readings over a limit"),
        ({"incidents": 1}, "1 open incident"),
        ({"findings": 1}, "finding of a monitor"),
    ],
)
def test_anything_unknown_or_bad_is_for_people(changed: dict[str, Any], says: str) -> None:
    assert any(says in reason for reason in not_automatic(STEP, Track.YELLOW, **{**GOOD, **changed}))


def test_red_is_for_people_whatever_was_measured() -> None:
    assert not_automatic(STEP, Track.RED, **GOOD)
    assert not_automatic(ExposureStep(to=100, by=Role.ANALYST, why="w"), Track.YELLOW, **GOOD)
