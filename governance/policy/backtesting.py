"""Past decisions judged again by another pack, or with other facts: who would change track, and why. Pure.

Only what can come out otherwise is evaluated: rules that differ between the decision's pack and the one tried, and rules that
read a shifted fact. What a rule says of statements it has met before is remembered, so a hundred thousand decisions cost about as
much as their different values.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance, Role, Track, strictest
from governance.policy.differing import same_rule
from governance.policy.evaluating import CompiledRule, Pack, steps_on

MOST_REMEMBERED = 20_000
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Past:
    """One stored decision, as far as a back-test reads it.

    `hits`: rule -> track, as stored; `columns`: fact name -> its statements as text (`statements_of`); `week`: of the decision
    (`2026-W47`); `bad`: how it turned out badly, "" when it did not; `key`: equal for equal hits, where that is known.
    """

    submission: int
    decision: int
    policy: int
    track: Track
    hits: Mapping[str, Track]
    pending: frozenset[str]
    columns: Mapping[str, str]
    week: str
    bad: str = ""
    key: str = ""


@dataclass(frozen=True)
class Plan:
    """What has to be evaluated again for decisions of one pack. `dropped`: rules whose stored result no longer counts."""

    rules: tuple[CompiledRule, ...]
    dropped: frozenset[str]

    @property
    def reads(self) -> frozenset[str]:
        """Facts to read for it."""
        return frozenset(name for compiled in self.rules for name in compiled.rule.reads)


def plan_for(before: Pack, after: Pack, shifts: Mapping[str, float]) -> Plan:
    """Rules of `after` that may come out otherwise than `before` did, or read a shifted fact."""
    old = {rule.id: rule for rule in before.rules}
    again = [
        compiled
        for compiled in after.compiled
        if (was := old.get(compiled.rule.id)) is None
        or not same_rule(was, compiled.rule)
        or any(shift_of(name, shifts) for name in compiled.rule.reads)
    ]
    gone = old.keys() - {rule.id for rule in after.rules}
    return Plan(tuple(again), frozenset({compiled.rule.id for compiled in again} | gone))


def shift_of(name: str, shifts: Mapping[str, float]) -> float:
    """What is added to a fact: the sum of every pattern that fits its name (`*psi*`)."""
    return sum(amount for pattern, amount in shifts.items() if fnmatchcase(name, pattern))


def statements_of(name: str, text: str, shift: float = 0.0) -> tuple[Fact, ...]:
    """Statements from a column: a list of `[value, assurance, low, high]`. Numbers are moved by `shift`, intervals with them."""
    rows = [
        Fact(name, _moved(value, shift), Assurance(assurance), "stored", low=_moved(low, shift), high=_moved(high, shift))
        for value, assurance, low, high in json.loads(text)
    ]
    return tuple(sorted(rows, key=lambda fact: -fact.assurance)) if len(rows) > 1 else tuple(rows)


def _moved(value: Any, shift: float) -> Any:
    return value + shift if shift and isinstance(value, int | float) and not isinstance(value, bool) else value


@dataclass
class Changed:
    """One submission that would change track, and the rules that make it so."""

    submission: int
    decision: int
    before: Track
    after: Track
    rules: tuple[str, ...]
    bad: str

    def to_json(self) -> dict[str, Any]:
        return {
            "submission": f"S-{self.submission}",
            "decision": self.decision,
            "before": self.before.value,
            "after": self.after.value,
            "rules": list(self.rules),
            "outcome": self.bad,
        }


@dataclass
class Tally:
    """What a back-test has found so far. Bounded: only the first changed submissions are kept by name."""

    judged: int = 0
    moves: Counter[tuple[Track, Track]] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    listed: list[Changed] = field(default_factory=list)
    load_before: Counter[tuple[str, str]] = field(default_factory=Counter)
    load_after: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: int = 0
    caught: int = 0
    let_go: int = 0
    stricter: int = 0
    harmless: int = 0

    @property
    def changed(self) -> int:
        return sum(count for (before, after), count in self.moves.items() if before is not after)

    def to_json(self) -> dict[str, Any]:
        """The result as it is stored and exported."""
        weeks = sorted({week for _, week in (*self.load_before, *self.load_after)})
        roles = [role for role in Role if any(key[0] == role for key in (*self.load_before, *self.load_after))]
        return {
            "judged": self.judged,
            "changed": self.changed,
            "moves": [
                {"before": a.value, "after": b.value, "count": self.moves[a, b]} for a in Track for b in Track if self.moves[a, b]
            ],
            "causes": [{"rule": rule, "count": count} for rule, count in self.causes.most_common()],
            "submissions": [row.to_json() for row in self.listed],
            "load": [
                {
                    "role": role.value,
                    "label": role.label,
                    "week": week,
                    "before": self.load_before[role.value, week],
                    "after": self.load_after[role.value, week],
                }
                for week in weeks
                for role in roles
            ],
            "went_wrong": self.bad,
            "caught": self.caught,
            "let_go": self.let_go,
            "stricter": self.stricter,
            "harmless": self.harmless,
        }


@dataclass(frozen=True, slots=True)
class Came:
    """What one combination of stored hits and new outcomes comes to."""

    track: Track
    causes: tuple[str, ...]
    roles_before: tuple[str, ...]
    roles_after: tuple[str, ...]


class Backtester:
    """Judges past decisions by `after`. `before`: pack id -> the pack a decision was made by."""

    def __init__(self, before: Mapping[int, Pack], after: Pack, shifts: Mapping[str, float] | None = None) -> None:
        self.before, self.after, self.shifts = dict(before), after, dict(shifts or {})
        self.plans = {key: plan_for(pack, after, self.shifts) for key, pack in self.before.items()}
        self.tally = Tally()
        self._seen: dict[tuple[str, ...], Track | None] = {}
        self._came: dict[tuple[Any, ...], Came] = {}
        self._read: dict[tuple[str, str], tuple[Fact, ...]] = {}
        self._steps: dict[tuple[int, Track, frozenset[str]], tuple[str, ...]] = {}
        packs = {0: after, **self.before}
        self._adding = {key: frozenset(rule.id for rule in pack.rules if rule.adds_steps) for key, pack in packs.items()}

    @property
    def reads(self) -> frozenset[str]:
        """Facts that have to be in the columns."""
        return frozenset().union(*(plan.reads for plan in self.plans.values()))

    def judge(self, rows: Iterable[Past]) -> None:
        """Judge a batch and add it to the tally."""
        for row in rows:
            self._judge(row)

    def _judge(self, row: Past) -> None:
        plan, tally = self.plans[row.policy], self.tally
        outcomes = tuple(self._outcome(compiled, row) for compiled in plan.rules)
        # decisions with the same hits and the same new outcomes come to the same: most of them do
        key = (row.policy, row.key or tuple(row.hits.items()), outcomes)
        found = self._came.get(key)
        if found is None:
            found = self._come_to(row, plan, outcomes)
            if len(self._came) < MOST_REMEMBERED:
                self._came[key] = found
        before, after = row.track, found.track
        tally.judged += 1
        tally.moves[before, after] += 1
        for role in found.roles_before:
            tally.load_before[role, row.week] += 1
        for role in found.roles_after:
            tally.load_after[role, row.week] += 1
        bad = bool(row.bad)
        tally.bad += bad
        if before is after:
            return
        if after.rank > before.rank:
            tally.stricter += 1
            tally.caught += bad
            tally.harmless += not bad
        else:
            tally.let_go += bad
        for rule in found.causes:
            tally.causes[rule] += 1
        if len(tally.listed) < MOST_LISTED:
            tally.listed.append(Changed(row.submission, row.decision, before, after, found.causes, row.bad))

    def _come_to(self, row: Past, plan: Plan, outcomes: tuple[Track | None, ...]) -> Came:
        """What hits and new outcomes come to: the track, the rules that make a difference, and who reviews."""
        hits = {rule: track for rule, track in row.hits.items() if rule not in plan.dropped}
        hits |= {c.rule.id: track for c, track in zip(plan.rules, outcomes, strict=True) if track is not None}
        after, before = strictest(*hits.values()), row.track
        if after.rank > before.rank:
            causes = tuple(rule for rule, track in hits.items() if track is after and row.hits.get(rule) is not track)
        else:
            causes = tuple(rule for rule, track in row.hits.items() if track is before and hits.get(rule) is not track)
        return Came(
            after,
            causes,
            self._roles(row.policy, self.before[row.policy], before, frozenset(row.hits)),
            self._roles(0, self.after, after, frozenset(hits)),
        )

    def _outcome(self, compiled: CompiledRule, row: Past) -> Track | None:
        names = compiled.rule.reads
        key = (compiled.rule.id, *[row.columns.get(name, "[]") for name in names], *row.pending)
        if key in self._seen:
            return self._seen[key]
        statements = {name: facts for name in names if (facts := self._statements(name, row.columns.get(name, "[]")))}
        track = compiled.outcome(statements, row.pending)[1]
        if len(self._seen) < MOST_REMEMBERED:
            self._seen[key] = track
        return track

    def _statements(self, name: str, text: str) -> tuple[Fact, ...]:
        """Statements of a column, read once for each different text."""
        known = self._read.get((name, text))
        if known is None:
            known = statements_of(name, text, shift_of(name, self.shifts) if self.shifts else 0.0)
            if len(self._read) < MOST_REMEMBERED:
                self._read[name, text] = known
        return known

    def _roles(self, key: int, pack: Pack, track: Track, rules: frozenset[str]) -> tuple[str, ...]:
        adding = rules & self._adding[key]
        known = self._steps.get((key, track, adding))
        if known is None:
            because: dict[Role, list[str]] = {}
            for rule in pack.rules:
                for role in rule.adds_steps if rule.id in adding else ():
                    because.setdefault(role, []).append(rule.id)
            known = tuple(step.role.value for step in steps_on(pack, track, because))
            self._steps[key, track, adding] = known
        return known
