"""Up to which share of traffic or people an approval holds, and who lets it go further, by track.

Pure: the plan, the track and what is asked for go in; the step that answers, or why there is none, comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from governance.domain.vocabulary import REVIEWING_ROLES, Track
from governance.policy.pack_fields import Part, RoleField, TrackField, Words

FULL = 100
"""All of it. What a question that names no exposure is about: whoever does not say how far they go may go all the way."""

Percent = Annotated[int, Field(ge=1, le=FULL)]


class AutomaticRaise(Part):
    """When the policy itself lets a version go further: after so many days at its present exposure, with reports about each of
    these signals, all within their limits. Anything not reported, not measured or over a limit is for people."""

    after_days: Annotated[int, Field(ge=1, le=90)]
    signals: Annotated[
        tuple[Literal["drift", "performance", "cost", "data_quality", "privacy", "access"], ...], Field(min_length=1)
    ]

    @field_validator("signals", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw


class ExposureStep(Part):
    """One step further: up to `to` percent, authorised by `by`, or by the policy where `automatic` holds."""

    to: Percent
    by: RoleField
    why: Words
    automatic: AutomaticRaise | None = None

    @model_validator(mode="after")
    def _reviews(self) -> ExposureStep:
        if self.by not in REVIEWING_ROLES:
            raise ValueError(f"“{self.by}” does not review. Use one of {', '.join(sorted(REVIEWING_ROLES))}.")
        return self


class TrackExposure(Part):
    """A track's ladder: `first` is what its approval allows, each step more than the one before. The last step is the most that
    can be had without a new review."""

    first: Percent
    steps: tuple[ExposureStep, ...] = ()

    @field_validator("steps", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _climbs(self) -> TrackExposure:
        if any(lower >= higher for lower, higher in pairwise([self.first, *(step.to for step in self.steps)])):
            raise ValueError("Each step allows more than the one before. Put them in order, from “first” up.")
        return self

    @property
    def most(self) -> int:
        return self.steps[-1].to if self.steps else self.first


class ExposurePlan(Part):
    """What an approval allows at first on each track, and who authorises more. A pack without one allows all of it at once."""

    why: Words
    tracks: dict[TrackField, TrackExposure]

    @model_validator(mode="after")
    def _whole(self) -> ExposurePlan:
        if set(self.tracks) != set(Track):
            raise ValueError("“tracks” has to say what green, yellow and red allow, each once.")
        if any(step.automatic is not None for step in self.tracks[Track.RED].steps):
            raise ValueError("Red goes further by people only. Take “automatic” out of its steps.")
        return self


def first_exposure(plan: ExposurePlan | None, track: Track) -> int:
    """What an approval on this track allows, in percent."""
    return plan.tracks[track].first if plan is not None else FULL


def step_for(plan: ExposurePlan | None, track: Track, present: int, wanted: int) -> ExposureStep | str:
    """The step that answers for going from `present` to `wanted` percent, or in words why there is none."""
    if not 1 <= wanted <= FULL:
        return "Exposure is a whole percentage from 1 to 100."
    if wanted <= present:
        return f"The permit holds up to {present} % already, so nothing has to be asked for."
    following = next((step for step in plan.tracks[track].steps if step.to > present), None) if plan is not None else None
    if following is None:
        return f"The policy lets a {track} case go no further than {present} %. Submit a version for a new review."
    if wanted > following.to:
        return f"One step at a time: from {present} % the policy allows up to {following.to} %. Ask for that first."
    return following


@dataclass(frozen=True)
class SignalStanding:
    """Reports about one signal since the version runs at its present exposure: how many readings, and how they were judged."""

    within: int = 0
    over: int = 0
    unknown: int = 0
    unjudged: int = 0


def not_automatic(
    step: ExposureStep,
    track: Track,
    *,
    present: int,
    running_days: Mapping[int, float],
    signals: Mapping[str, SignalStanding],
    incidents: int,
    findings: int,
) -> tuple[str, ...]:
    """Why the policy does not authorise the step by itself; empty when it does.

    `running_days`: exposure of each live deployment -> days it runs so. `incidents`, `findings`: open ones about the version.
    """
    if step.automatic is None or track is Track.RED:
        return (f"The policy leaves this step to the {step.by.label}.",)
    found = []
    days = max((ran for exposure, ran in running_days.items() if exposure == present), default=None)
    if days is None:
        found.append(f"No deployment at {present} % was reported.")
    elif days < step.automatic.after_days:
        found.append(f"It runs at {present} % for {days:.1f} days; the policy asks for {step.automatic.after_days}.")
    if over := [exposure for exposure in running_days if exposure > present]:
        found.append(f"A deployment at {max(over)} % is more than the permit allows.")
    for signal in step.automatic.signals:
        if signals.get(signal, SignalStanding()).within == 0:
            found.append(f"Nothing within its limits was reported about {signal.replace('_', ' ')}.")
    for name, standing in sorted(signals.items()):
        for count, words in ((standing.over, "over a limit"), (standing.unknown, "not measured")):
            if count:
                found.append(f"{name.replace('_', ' ').capitalize()}: {count} reading{'s' * (count > 1)} {words}.")
    for count, words in ((incidents, "incident"), (findings, "finding of a monitor")):
        if count:
            found.append(f"{count} open {words}{'s' * (count > 1 and words == 'incident')}.")
    return tuple(found)
