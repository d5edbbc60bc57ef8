"""What an evaluation gives: every rule with its result, the track, and what the track asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Role, Track
from governance.policy.bands import Band, in_unit, worst_of
from governance.policy.conditions import Atom, in_words, limit_in_words
from governance.policy.envelopes import Judgement
from governance.policy.rules import Rule
from governance.policy.steps import Step


class RuleStatus(StrEnum):
    """What became of a rule."""

    FIRED = "fired"
    HELD = "held"
    UNKNOWN = "unknown"
    PENDING = "pending"
    NOT_APPLICABLE = "not_applicable"


class Checked(NamedTuple):
    """One rule and its result. `fact` is the statement that decided (the most assured one where the rule held).

    `track` is what this rule asks for: None when it raises nothing. Words are made from the facts when they are read.
    `stage` and `would`: while the rule is watched or warns only, and what it would ask for. `envelope`: the change envelope that
    covers it, with `would` what it asks for outside.
    """

    rule: Rule
    status: RuleStatus
    track: Track | None
    fact: Fact | None
    facts: FactSet
    stage: str = ""
    would: Track | None = None
    envelope: str = ""

    @property
    def asks_for(self) -> Track | None:
        """What the rule asks for, or would ask for if it counted."""
        return self.would or self.track

    @property
    def value(self) -> Any:
        """The value that decided; None when unknown."""
        return self.fact.value if self.fact is not None else None

    @property
    def limit(self) -> str:
        """The limit as people read it: `>= 15%`, `one of credit, fraud`."""
        bands = self.rule.bands
        if bands is None:
            condition = self.rule.condition
            return limit_in_words(condition) if isinstance(condition, Atom) else in_words(condition)
        band = bands.red if self.asks_for is Track.RED and bands.red is not None else bands.yellow or bands.red
        return limit_of(band, self.rule)

    @property
    def crosses(self) -> bool:
        """Whether only the interval of the measured number, not the number itself, reaches the limit."""
        bands, fact = self.rule.bands, self.fact
        if bands is None or fact is None or self.asks_for is None or (fact.low is None and fact.high is None):
            return False
        band = bands.red if self.asks_for is Track.RED else bands.yellow
        if band is None or self.status is not RuleStatus.FIRED:
            return False
        bare = worst_of(Fact(fact.name, fact.value, fact.assurance, fact.origin), self.rule.direction, band.upward)
        return bare is not None and not band.reaches(bare)

    @property
    def says(self) -> str:
        """The reason in words."""
        rule, fact = self.rule, self.fact
        if self.status is RuleStatus.NOT_APPLICABLE:
            return rule.not_applicable_says or f"{rule.title}: does not apply here"
        if self.status is RuleStatus.PENDING:
            return f"{rule.title}: still to be measured"
        if self.status is RuleStatus.HELD:
            return rule.held or f"{rule.title}: within what the policy allows"
        template = rule.says
        if self.status is RuleStatus.UNKNOWN:
            template = rule.unknown_says or template
            if rule.unknown_says is None:
                return f"{rule.title}: not known, and the policy does not ask for it"
        elif rule.says_when_positive is not None and isinstance(self.value, int | float) and self.value > 0:
            template = rule.says_when_positive
        words = template.fill(
            lambda name: fact.value if fact is not None and name == fact.name else self.facts.value(name), self.limit
        )
        if self.crosses and fact is not None:
            low, high = number_in_words(fact.low, rule), number_in_words(fact.high, rule)
            words += f" (95% interval {low} to {high} crosses the limit {self.limit}, so the stricter side counts)"
        return words

    @property
    def editable_by(self) -> str:
        """Who can change it. What is merely unknown the submitter can answer."""
        return "submitter" if self.status is RuleStatus.UNKNOWN and self.rule.editable_by == "nobody" else self.rule.editable_by

    @property
    def source(self) -> str:
        """Where the value comes from: "answer", a file's name, a register, a collector; "" when nobody spoke."""
        if self.fact is None:
            return ""
        return "answer" if self.fact.assurance is Assurance.DECLARED else self.fact.origin

    def to_json(self) -> dict[str, Any]:
        """One entry of the contract's `reasons`, and of the list of everything that was checked."""
        fact = self.fact
        row: dict[str, Any] = {
            "rule": self.rule.id,
            "title": self.rule.title,
            "status": self.status.value,
            "track": self.track.value if self.track is not None else None,
            "says": self.says,
            "fact": fact.name if fact is not None else self.rule.about,
            "value": self.value,
            "limit": self.limit,
            "source": self.source,
            "locator": fact.locator if fact is not None else "",
            "assurance": fact.assurance.label if fact is not None else "",
            "editable_by": self.editable_by,
            "learn": f"/learn/{self.rule.learn}",
        }
        if fact is not None and (fact.low is not None or fact.high is not None):
            row["interval"] = [fact.low, fact.high]
        if self.would is not None:
            # only where it is so: what was stored before has no such words, and has to come out the same
            row["would"] = self.would.value
            row |= {"stage": self.stage, "stages": self.rule.stages.says} if self.stage and self.rule.stages else {}
            row |= {"envelope": self.envelope} if self.envelope else {}
        return row


def limit_of(band: Band | None, rule: Rule) -> str:
    """A band's sign and limit in the rule's unit."""
    return f"{band.sign} {number_in_words(band.limit, rule)}" if band is not None else ""


def number_in_words(number: float | None, rule: Rule) -> str:
    """A number in the rule's unit: `15%`, `0.05`."""
    if number is None:
        return "?"
    return in_unit(number, rule.unit)


@dataclass(frozen=True)
class RequiredStep:
    """One review step this submission needs. `because`: ids of the rules that added it; empty when the track asks for it.

    `plan`: the step as the pack describes it; `parallel`: open at the same time as the step before it.
    """

    role: Role
    attests: str
    due: str
    because: tuple[str, ...] = ()
    plan: Step | None = None
    parallel: bool = False

    def to_json(self) -> dict[str, Any]:
        found = {"role": self.role.value, "attests": self.attests, "due": self.due, "because": list(self.because)}
        return {**found, "parallel": True} if self.parallel else found


def required(step: Step, due: str, because: Iterable[str] = ()) -> tuple[RequiredStep, ...]:
    """What one step of the pack asks of a submission: one signature, or as many as its quorum, all open at the same time."""
    first = RequiredStep(step.role, step.attests, step.due or due, tuple(because), step, step.parallel)
    return (first, *(replace(first, parallel=True) for _ in range(step.quorum - 1)))


@dataclass(frozen=True)
class GatePlan:
    """One gate to run, with the limits in force. `needs`: evidence role -> why."""

    code: str
    limits: Mapping[str, Any]
    blocking: bool
    needs: Mapping[str, str]
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "limits": dict(self.limits), "blocking": self.blocking, "needs": dict(self.needs)}


@dataclass(frozen=True)
class Contradiction:
    """Sources that do not agree about a fact a rule reads; the most assured statement first."""

    fact: str
    statements: tuple[Fact, ...]
    rules: tuple[str, ...]

    @property
    def says(self) -> str:
        """Both sides in one sentence."""
        sides = "; ".join(f"{_short(f.value)} ({f.assurance.label}, {f.origin})" for f in self.statements)
        return f"Sources disagree about {self.fact}: {sides}. The stricter one counts; correct the wrong one."

    def to_json(self) -> dict[str, Any]:
        return {
            "fact": self.fact,
            "says": self.says,
            "rules": list(self.rules),
            "statements": [f.to_json() for f in self.statements],
        }


def _short(value: Any) -> str:
    text = (
        ("yes" if value else "no")
        if isinstance(value, bool)
        else ", ".join(map(str, value)) or "none"
        if isinstance(value, list)
        else str(value)
    )
    return text if len(text) <= 80 else text[:79] + "…"


@dataclass(frozen=True)
class Assessment:
    """The answer of the policy. `hits`: what raised the track, strictest first; `checked`: every rule."""

    pack: str
    version: str
    digest: str
    track: Track
    hits: tuple[Checked, ...]
    checked: tuple[Checked, ...]
    steps: tuple[RequiredStep, ...]
    gates: tuple[GatePlan, ...]
    due: str
    contradictions: tuple[Contradiction, ...]
    sentence: str
    envelope: Judgement | None = None

    @property
    def pending(self) -> tuple[Checked, ...]:
        """Rules that wait for a measurement."""
        return tuple(row for row in self.checked if row.status is RuleStatus.PENDING)

    def reasons(self) -> list[dict[str, Any]]:
        """The contract's `reasons`."""
        return [row.to_json() for row in self.hits]

    def to_json(self) -> dict[str, Any]:
        """Everything, as it is stored with a decision and compared on replay."""
        found = {
            "policy": {"pack": self.pack, "version": self.version, "digest": self.digest},
            "track": self.track.value,
            "sentence": self.sentence,
            "reasons": self.reasons(),
            "checked": [row.to_json() for row in self.checked],
            "steps": [step.to_json() for step in self.steps],
            "gates": [gate.to_json() for gate in self.gates],
            "contradictions": [row.to_json() for row in self.contradictions],
        }
        return {**found, "envelope": self.envelope.to_json()} if self.envelope is not None else found
