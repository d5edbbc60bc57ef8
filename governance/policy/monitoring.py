"""What a pack says about versions in use: limits for what monitors report, and what follows beyond them.

A reading is judged here and nowhere else. Pure: the reading, the approved values and the plan go in, the judgement comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    field_validator,
    model_validator,
)

from governance.domain.vocabulary import Severity
from governance.policy.bands import Band, parse_band
from governance.policy.conditions import is_fact_name

SIGNALS = ("drift", "performance", "cost", "data_quality", "privacy", "access")
"""What limits can be about. A monitor can also report an incident, which is no number."""
INCIDENT_KINDS = ("failed_deployment", "bias", "privacy", "degradation", "cost", "other")
LEVELS = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)

Words = Annotated[str, Field(min_length=1, max_length=2_000)]
Metric = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.]{0,59}$")]
BandField = Annotated[Band, PlainValidator(parse_band), PlainSerializer(str, return_type=str)]


def _fact(name: Any) -> str:
    if not is_fact_name(name):
        raise ValueError(f"Expected a dotted fact name such as cost.per_1k_predictions, found {name!r:.80}.")
    return str(name)


FactName = Annotated[str, BeforeValidator(_fact)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SignalLimit(_Part):
    """Limits of some metrics of one kind of signal.

    `compare`: the value itself, or its relative rise or drop against what was approved (`approved` names the fact;
    `approved_metric` the fact that says which metric that is) or, where nothing was approved, against the baseline the monitor
    sends. `medium`, `high`, `critical`: the band that opens a finding of that severity. `due_days`: how long there is to mend it.
    `incident`: the kind of incident a reading in the high or critical band opens, with its playbook.
    """

    signal: Literal["drift", "performance", "cost", "data_quality", "privacy", "access"]
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]
    compare: Literal["value", "rise", "drop"] = "value"
    approved: FactName | None = None
    approved_metric: FactName | None = None
    medium: BandField | None = None
    high: BandField | None = None
    critical: BandField | None = None
    why: Words
    fix: Words
    due_days: Annotated[int, Field(ge=1, le=365)]
    incident: Literal["failed_deployment", "bias", "privacy", "degradation", "cost", "other"] | None = None
    note: Words | None = None
    source: Words | None = None

    @field_validator("metrics", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _in_order(self) -> SignalLimit:
        bands = [band for _, band in self.bands]
        if not bands:
            raise ValueError('Give at least one of medium, high and critical, such as high: ">= 0.25".')
        upward = bands[0].upward
        if any(band.upward is not upward for band in bands):
            raise ValueError("The bands of one metric point in one direction. Use > with >, or < with <.")
        if any((milder.limit < harder.limit) is not upward for harder, milder in pairwise(bands)):
            raise ValueError("A more serious band has to lie beyond the milder one. Exchange or correct the limits.")
        if self.compare == "value" and self.approved is not None:
            raise ValueError("“approved” is what a rise or drop is compared with. Set “compare”, or take it out.")
        if (self.note is None) is (self.source is None):
            raise ValueError("Say where the limits come from: either “source: …” or “note: convention”.")
        return self

    @property
    def bands(self) -> list[tuple[Severity, Band]]:
        """The bands given, the most serious first."""
        found = ((level, getattr(self, level.value)) for level in LEVELS)
        return [(level, band) for level, band in found if band is not None]


class MonitoringPlan(_Part):
    """What is watched after a release, and what follows."""

    why: Words
    limits: Annotated[tuple[SignalLimit, ...], Field(min_length=1)]

    @field_validator("limits", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _once(self) -> MonitoringPlan:
        seen: set[tuple[str, str]] = set()
        for limit in self.limits:
            for metric in limit.metrics:
                if (limit.signal, metric) in seen:
                    raise ValueError(f"{limit.signal} {metric} has limits twice. Remove one.")
                seen.add((limit.signal, metric))
        return self

    def limit_for(self, signal: str, metric: str) -> SignalLimit | None:
        """The limits of a metric, or None where the pack has none."""
        return next((row for row in self.limits if row.signal == signal and metric in row.metrics), None)


@dataclass(frozen=True)
class Reading:
    """One number of a monitor. `subject`: the feature, group or table it is about; None as `value`: it could not be measured."""

    metric: str
    value: float | None
    subject: str = ""
    baseline: float | None = None
    n: int | None = None


@dataclass(frozen=True)
class Judgement:
    """What the limits make of a reading.

    `verdict`: over, within, unknown (not measured, or nothing to compare with) or unjudged (no limit in the pack). `against`:
    what it was compared with. `limit`: the band that was crossed, else the mildest one, in the pack's words.
    """

    verdict: str
    says: str
    severity: Severity | None = None
    limit: str = ""
    against: float | None = None


def judge(plan: MonitoringPlan | None, signal: str, reading: Reading, approved: Mapping[str, Any]) -> Judgement:
    """Judge one reading. `approved`: facts the version was approved on, by name."""
    what = f"{reading.metric} of {reading.subject}" if reading.subject else reading.metric
    limit = plan.limit_for(signal, reading.metric) if plan is not None else None
    if limit is None:
        return Judgement(
            "unjudged", f"{what}: recorded. The policy has no limit for {signal.replace('_', ' ')} {reading.metric}."
        )
    mildest = limit.bands[-1][1]
    if reading.value is None:
        return Judgement("unknown", f"{what} could not be measured.", limit=_told(limit, mildest))
    number, against, words = reading.value, None, f"{what} is {reading.value:.4g}"
    if limit.compare != "value":
        against, whence = _compared_with(limit, reading, approved)
        if against is None or against == 0:
            return Judgement(
                "unknown", f"{words}. There is nothing to compare it with: send “baseline”.", limit=_told(limit, mildest)
            )
        # 0.06 is 20 % above 0.05, whatever binary fractions make of it
        change = round((reading.value - against) / abs(against), 9)
        number = change if limit.compare == "rise" else -change
        words = f"{words}, {change:+.1%} against {against:.4g} {whence}"
    for severity, band in limit.bands:
        if band.reaches(number):
            return Judgement("over", f"{words}; over the limit is {_told(limit, band)}.", severity, _told(limit, band), against)
    return Judgement("within", f"{words}; over the limit would be {_told(limit, mildest)}.", None, _told(limit, mildest), against)


def _compared_with(limit: SignalLimit, reading: Reading, approved: Mapping[str, Any]) -> tuple[float | None, str]:
    value = approved.get(limit.approved) if limit.approved is not None else None
    same = limit.approved_metric is None or approved.get(limit.approved_metric) == reading.metric
    if same and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value), "as approved"
    return reading.baseline, "as the monitor's baseline"


def _told(limit: SignalLimit, band: Band) -> str:
    """When it is over, in words: 0.25 or more; a rise of 20 % or more."""
    number = f"{band.limit:g}" if limit.compare == "value" else f"{band.limit * 100:g} %"
    words = _SIGNS[band.sign].format(number)
    return words if limit.compare == "value" else f"a {limit.compare} of {words}"


_SIGNS = {">=": "{} or more", ">": "more than {}", "<=": "{} or less", "<": "less than {}"}
