"""Change envelopes: small updates of a high-risk system that two people allowed beforehand, within numbers. Pure.

An envelope covers named rules about the use of one system. While every bound holds, those rules ask for the envelope's track
and no more; every other rule counts as it does without. A bound on what is not known is broken. What was used up before (uses,
looks at the test set, drift since people last reviewed) comes in with the terms, so that a stored decision evaluates to itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance, Track
from governance.policy.conditions import Statements, spread_of


@dataclass(frozen=True)
class Bound:
    """A fact has to lie from `low` to `high`; `total`: the most its size may add up to since people last reviewed a version."""

    fact: str
    low: float
    high: float
    total: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {"fact": self.fact, "low": self.low, "high": self.high, "total": self.total}


@dataclass(frozen=True)
class Envelope:
    """The terms in force for one submission. `until`, `day`: the last day it holds and the day judged (`2027-01-31`).

    `uses`, `looks`: what other versions used up; `spent`: fact -> what earlier versions added up to; `barred`: why it cannot be
    used here whatever the numbers, such as that the submitter asked for it.
    """

    id: int
    title: str
    track: Track
    rules: tuple[str, ...]
    bounds: tuple[Bound, ...]
    until: str
    day: str
    most_uses: int
    uses: int
    most_looks: int
    looks: int
    spent: Mapping[str, float] = field(default_factory=dict)
    barred: str = ""

    @property
    def number(self) -> str:
        return f"E-{self.id}"

    def to_json(self) -> dict[str, Any]:
        """The terms as they are stored with the decision."""
        return {
            "id": self.id,
            "title": self.title,
            "track": self.track.value,
            "rules": list(self.rules),
            "bounds": [bound.to_json() for bound in self.bounds],
            "until": self.until,
            "day": self.day,
            "most_uses": self.most_uses,
            "uses": self.uses,
            "most_looks": self.most_looks,
            "looks": self.looks,
            "spent": dict(self.spent),
            "barred": self.barred,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Envelope:
        return cls(
            **{
                **data,
                "track": Track(data["track"]),
                "rules": tuple(data["rules"]),
                "bounds": tuple(Bound(**row) for row in data["bounds"]),
            }
        )


@dataclass(frozen=True)
class Held:
    """What became of one bound. `holds` None: still to be measured."""

    bound: Bound
    holds: bool | None
    says: str

    def to_json(self) -> dict[str, Any]:
        return {"fact": self.bound.fact, "holds": self.holds, "says": self.says}


@dataclass(frozen=True)
class Judgement:
    """Whether a submission stays inside. `broke`: what does not hold, beside the bounds."""

    envelope: Envelope
    bounds: tuple[Held, ...]
    broke: tuple[str, ...]

    @property
    def inside(self) -> bool:
        return not self.broke and all(row.holds is not False for row in self.bounds)

    @property
    def only_bounds(self) -> bool:
        """Whether other numbers would bring it inside."""
        return not self.broke

    @property
    def says(self) -> str:
        """One sentence: where it is, and each bound or what broke."""
        terms = f"the change envelope {self.envelope.number} “{self.envelope.title}”"
        if self.inside:
            return f"Inside {terms}: {'; '.join(row.says for row in self.bounds)}."
        broken = [*self.broke, *(row.says for row in self.bounds if row.holds is False)]
        return f"Outside {terms}: {'; '.join(broken)}."

    def to_json(self) -> dict[str, Any]:
        return {
            "envelope": self.envelope.number,
            "title": self.envelope.title,
            "track": self.envelope.track.value,
            "inside": self.inside,
            "says": self.says,
            "bounds": [row.to_json() for row in self.bounds],
        }


def judge_envelope(
    envelope: Envelope, statements: Statements, pending: Collection[str], percent: Collection[str] = frozenset()
) -> Judgement:
    """Hold a submission's facts against the terms. `percent`: facts that people read in percent.

    While something is pending, a fact nobody has stated yet is still to be measured; in the final evaluation it is unknown, and
    what is unknown is outside.
    """
    broke = []
    if envelope.barred:
        broke.append(envelope.barred)
    if envelope.day > envelope.until:
        broke.append(f"it ended on {envelope.until}")
    if envelope.uses >= envelope.most_uses:
        broke.append(f"its {envelope.most_uses} uses are used up")
    if envelope.looks >= envelope.most_looks:
        broke.append(f"the test set was looked at {envelope.looks} times, {envelope.most_looks} are allowed")
    held = tuple(_held(bound, envelope, statements, pending, bound.fact in percent) for bound in envelope.bounds)
    return Judgement(envelope, held, tuple(broke))


def _held(bound: Bound, envelope: Envelope, statements: Statements, pending: Collection[str], percent: bool) -> Held:
    rows = statements.get(bound.fact, ())
    allowed = f"allowed {_number(bound.low, percent)} to {_number(bound.high, percent)}"
    if not rows and pending:
        return Held(bound, None, f"{bound.fact} is still to be measured, {allowed}")
    spreads = [spread_of(fact) for fact in rows]
    if not rows or any(spread is None for spread in spreads):
        return Held(bound, False, f"{bound.fact} is not known, {allowed}")
    if all(fact.assurance < Assurance.FILE for fact in rows):
        if pending:
            return Held(bound, None, f"{bound.fact} was only typed and is still to be measured, {allowed}")
        return Held(bound, False, f"{bound.fact} was only typed by a person, and nothing shows it ({allowed})")
    low = min(spread[0] for spread in spreads if spread is not None)
    high = max(spread[1] for spread in spreads if spread is not None)
    value = _shown(rows[0], low, high, percent)
    if low < bound.low or high > bound.high:
        return Held(bound, False, f"{bound.fact} is {value}, {allowed}")
    if bound.total is not None:
        total = envelope.spent.get(bound.fact, 0.0) + max(abs(low), abs(high))
        words = f"{_size(total, percent)} since people last reviewed a version, at most {_size(bound.total, percent)}"
        if total > bound.total:
            return Held(bound, False, f"{bound.fact} is {value} and adds up to {words}")
        return Held(bound, True, f"{bound.fact} is {value}, {allowed}; {words}")
    return Held(bound, True, f"{bound.fact} is {value}, {allowed}")


def _shown(fact: Fact, low: float, high: float, percent: bool) -> str:
    value = _number(float(fact.value), percent)
    return (
        value if low == high else f"{value} ({_number(low, percent)} to {_number(high, percent)} with its interval and sources)"
    )


def _number(value: float, percent: bool) -> str:
    return f"{value * 100:+.4g}%" if percent else f"{value:.6g}"


def _size(value: float, percent: bool) -> str:
    return f"{value * 100:.4g}%" if percent else f"{value:.6g}"
