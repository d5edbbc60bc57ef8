"""Past decisions judged again by another pack, or with other facts: who would change track, and why. Pure.

Only what can come out otherwise is evaluated: rules that differ between the decision's pack and the one tried, and rules that
read a shifted fact. What a rule says of statements it has met before is remembered, so a hundred thousand decisions cost about as
much as their different values.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance, Role, Track, strictest
from governance.policy.backtest_tally import MOST_LISTED, Changed, Tally
from governance.policy.differing import same_rule
from governance.policy.envelopes import Envelope, judge_envelope
from governance.policy.evaluating import CompiledRule, Outcome, Pack, covered_track, steps_on
from governance.policy.stages import DAY

MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Past:
    """One stored decision, as far as a back-test reads it.

    `hits`: rule -> track, as stored; `columns`: fact name -> its statements as text (`statements_of`); `week`: of the decision
    (`2026-W47`); `bad`: how it turned out badly, "" when it did not; `key`: equal for equal hits, where that is known;
    `envelope`: the change envelope it was judged under, with what was used up then.
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
    envelope: Envelope | None = None


@dataclass(frozen=True)
class Plan:
    """What has to be evaluated again for decisions of one pack. `dropped`: rules whose stored result no longer counts."""

    rules: tuple[CompiledRule, ...]
    dropped: frozenset[str]

    @property
    def reads(self) -> frozenset[str]:
        """Facts to read for it."""
        return frozenset(name for compiled in self.rules for name in compiled.rule.reads)

    def under(self, envelope: Envelope, after: Pack) -> Plan:
        """The same for a decision under an envelope: the rules it covers are judged as well, whatever was stored of them."""
        again = {compiled.rule.id for compiled in self.rules}
        covered = frozenset(envelope.rules)
        more = tuple(compiled for compiled in after.compiled if compiled.rule.id in covered - again)
        return Plan((*self.rules, *more), self.dropped | covered)


def reads_under(envelope: Envelope, after: Pack) -> frozenset[str]:
    """Facts that a decision under an envelope is read with, beside those of every decision."""
    covered = (rule for rule in after.rules if rule.id in envelope.rules)
    return frozenset({DAY, *(bound.fact for bound in envelope.bounds), *(name for rule in covered for name in rule.reads)})


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
        self._seen: dict[tuple[str, ...], Outcome] = {}
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
        if row.envelope is None:
            outcomes = tuple(self._outcome(compiled, row)[1] for compiled in plan.rules)
        else:
            changed = {compiled.rule.id for compiled in plan.rules}
            plan = plan.under(row.envelope, self.after)
            outcomes = self._under(row, row.envelope, plan, changed)
        # decisions with the same hits and the same new outcomes come to the same: most of them do
        key = (row.policy, row.key or tuple(row.hits.items()), outcomes, row.envelope.rules if row.envelope is not None else ())
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

    def _under(self, row: Past, envelope: Envelope, plan: Plan, changed: Collection[str]) -> tuple[Track | None, ...]:
        """Outcomes under the envelope as it stood then: inside it, the rules it covers ask for its track and no more.

        A rule that did not change had its stage on the day of the decision; a changed one is judged as if it counted.
        """
        found = [self._outcome(compiled, row, () if compiled.rule.id in changed else (DAY,)) for compiled in plan.rules]
        names = [bound.fact for bound in envelope.bounds]
        statements = {name: facts for name in names if (facts := self._statements(name, row.columns.get(name, "[]")))}
        if not judge_envelope(envelope, statements, row.pending).inside:
            return tuple(track for _, track in found)
        return tuple(covered_track(compiled.rule, outcome, envelope) for compiled, outcome in zip(plan.rules, found, strict=True))

    def _outcome(self, compiled: CompiledRule, row: Past, more: tuple[str, ...] = ()) -> Outcome:
        names = (*compiled.rule.reads, *more)
        key = (compiled.rule.id, *more, *[row.columns.get(name, "[]") for name in names], *row.pending)
        if key in self._seen:
            return self._seen[key]
        statements = {name: facts for name in names if (facts := self._statements(name, row.columns.get(name, "[]")))}
        outcome = compiled.outcome(statements, row.pending)
        if len(self._seen) < MOST_REMEMBERED:
            self._seen[key] = outcome
        return outcome

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
