"""What a number of submissions a month means for the people who review: a small queueing simulation. Pure and repeatable.

Arrivals come at random over the working hours (Poisson). Green needs nobody. Yellow is read by an engineer; red by an analyst and
then by a risk officer, each of whom has so many hours a day for it. First come, first served. Times are working hours.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HOURS_A_DAY, DAYS_A_MONTH = 8.0, 21
SERVICE_LEVEL = {"yellow": 3.0, "red": 24.0}
"""Working hours until a step is due: three hours and three days, the defaults of the packs. Red has two steps."""
STEPS: Mapping[str, tuple[str, ...]] = {"green": (), "yellow": ("platform_engineer",), "red": ("analyst", "risk_officer")}


@dataclass(frozen=True)
class Team:
    """Who reviews: role -> people, and the hours each has for it a day. `effort`: hours a case takes, by role."""

    people: Mapping[str, int] = field(default_factory=lambda: {"platform_engineer": 2, "analyst": 1, "risk_officer": 1})
    hours: float = 4.0
    effort: Mapping[str, float] = field(default_factory=lambda: {"platform_engineer": 0.5, "analyst": 4.0, "risk_officer": 1.0})


@dataclass(frozen=True)
class Outcome:
    """What became of the submissions of one track. `late`: share of the steps that were decided after their due time."""

    track: str
    number: int
    median: float
    ninetieth: float
    late: float


@dataclass(frozen=True)
class Simulated:
    """The result. `busy`: role -> share of their hours that was used; above 1 the queue grows without end."""

    monthly: int
    months: int
    outcomes: tuple[Outcome, ...]
    busy: Mapping[str, float]
    by_nobody: float

    @property
    def sustainable(self) -> bool:
        """Whether nobody is asked for more hours than they have."""
        return all(share <= 1 for share in self.busy.values())


def simulate(
    monthly: int, *, shares: Mapping[str, float], team: Team | None = None, months: int = 12, seed: int = 7
) -> Simulated:
    """Let `monthly` submissions a month arrive for `months`. `shares`: track -> share of the arrivals; they are made to add up.

    Raises ValueError for numbers that mean nothing.
    """
    team = team or Team()
    whole = sum(shares.values())
    if monthly < 1 or months < 1 or whole <= 0 or team.hours <= 0 or any(n < 1 for n in team.people.values()):
        raise ValueError("A simulation needs arrivals, months, shares and people with hours.")
    chance = random.Random(seed)
    end = months * DAYS_A_MONTH * HOURS_A_DAY
    rate = monthly / (DAYS_A_MONTH * HOURS_A_DAY)
    tracks = [track for track in STEPS if shares.get(track)]
    weights = [shares[track] for track in tracks]
    arrivals, at = [], chance.expovariate(rate)
    while at < end:
        arrivals.append((at, chance.choices(tracks, weights)[0]))
        at += chance.expovariate(rate)
    took, late, steps, used = _served(arrivals, team, chance)
    available = {role: people * team.hours * DAYS_A_MONTH * months for role, people in team.people.items()}
    outcomes = tuple(
        Outcome(
            track,
            len(took[track]),
            _at(took[track], 0.5),
            _at(took[track], 0.9),
            late[track] / steps[track] if steps[track] else 0,
        )
        for track in STEPS
        if took[track]
    )
    green = len(took["green"]) / len(arrivals) if arrivals else 0.0
    return Simulated(monthly, months, outcomes, {role: used[role] / available[role] for role in team.people}, green)


def _served(
    arrivals: Sequence[tuple[float, str]], team: Team, chance: random.Random
) -> tuple[dict[str, list[float]], dict[str, int], dict[str, int], dict[str, float]]:
    """Serve everybody: hours each took by track, late steps, steps, and hours used by role."""
    free = {role: [0.0] * people for role, people in team.people.items()}
    took: dict[str, list[float]] = {track: [] for track in STEPS}
    late, steps = dict.fromkeys(STEPS, 0), dict.fromkeys(STEPS, 0)
    used = dict.fromkeys(team.people, 0.0)
    # (ready, when it arrived, track, which step): steps are taken in the order in which they become ready
    waiting = [(at, at, track, 0) for at, track in arrivals]
    heapq.heapify(waiting)
    while waiting:
        ready, came, track, number = heapq.heappop(waiting)
        if number == len(STEPS[track]):
            took[track].append(ready - came)
            continue
        role = STEPS[track][number]
        effort = team.effort[role] * chance.uniform(0.5, 1.5)
        begun = max(ready, heapq.heappop(free[role]))
        done = begun + effort * HOURS_A_DAY / team.hours
        heapq.heappush(free[role], done)
        used[role] += effort
        steps[track] += 1
        late[track] += done - ready > SERVICE_LEVEL[track]
        heapq.heappush(waiting, (done, came, track, number + 1))
    return took, late, steps, used


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0
