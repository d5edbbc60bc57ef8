"""What would change the track: closed conditions turned round, and every answer tried before it is given.

For each lighter track the rules that stand in the way are taken one after the other; a rule is turned off by giving its
facts values under which its condition fails. A set of changes counts only when the rules that read the changed facts,
evaluated again, leave no rule above the track.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.policy.assessment import Assessment, Checked, RuleStatus, limit_of
from governance.policy.bands import Band
from governance.policy.conditions import Atom, Condition, Joined, Negated
from governance.policy.evaluating import Outcome, Pack, evaluate
from governance.policy.rules import Rule

MOST_SETS = 3
MOST_TRIES = 40
MOST_WAYS = 12

Values = Mapping[str, Any]
Choices = Callable[[str], Sequence[Any]]


@dataclass(frozen=True)
class Change:
    """One thing to change: in words, by whom, and the values it was tried with. `says` is the reason it takes away."""

    rule: str
    change: str
    by: str
    says: str
    values: tuple[tuple[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "change": self.change, "by": self.by}


@dataclass(frozen=True)
class WayOut:
    """How a lighter track would be reached: `sets` are the smallest sets of changes; `in_the_way` is what nobody can change."""

    to: Track
    possible: bool
    sets: tuple[tuple[Change, ...], ...]
    in_the_way: tuple[Change, ...]
    says: str

    def to_json(self) -> dict[str, Any]:
        """One entry of the contract's `would_change`; `alternatives` are further sets as small as `if`."""
        first = self.sets[0] if self.possible else self.in_the_way
        return {
            "to": self.to.value,
            "possible": self.possible,
            "says": self.says,
            "if": [change.to_json() for change in first],
            "alternatives": [[change.to_json() for change in changes] for changes in self.sets[1:]],
        }


def what_would_change(
    pack: Pack, facts: FactSet, assessment: Assessment, pending: Collection[str] = frozenset()
) -> tuple[WayOut, ...]:
    """For each lighter track, the next one first: the smallest sets of changes that reach it, or why none does."""
    lighter = [track for track in (Track.YELLOW, Track.GREEN) if track.rank < assessment.track.rank]
    ways = [_way_out(pack, facts, assessment, pending, target) for target in lighter]
    inside = _back_inside(pack, facts, assessment, pending)
    if inside is not None:
        track, changes = inside
        says = f"it would be {track} if: {', '.join(change.change for change in changes)}"
        ways = [
            WayOut(way.to, True, (changes,), (), says) if not way.possible and track.rank <= way.to.rank else way for way in ways
        ]
    return tuple(ways)


def _back_inside(
    pack: Pack, facts: FactSet, assessment: Assessment, pending: Collection[str]
) -> tuple[Track, tuple[Change, ...]] | None:
    """What would bring it back inside its change envelope, and the track it would then have; None where nothing would."""
    judged = assessment.envelope
    if judged is None or judged.inside or not judged.only_bounds:
        return None
    changes, statements = [], dict(facts.by_name)
    for row in judged.bounds:
        if row.holds is False:
            bound = row.bound
            spent = judged.envelope.spent.get(bound.fact, 0.0)
            most = max(bound.total - spent, 0.0) if bound.total is not None else math.inf
            low, high = max(bound.low, -most), min(bound.high, most)
            if low > high:
                return None
            value = min(max(0.0, low), high)
            statements[bound.fact] = (Fact(bound.fact, value, Assurance.MEASURED, "what if"),)
            words = f"{row.says.split(', allowed')[0].split(' and adds')[0]}; bring it to {low:.4g} … {high:.4g}"
            changes.append(Change(judged.envelope.number, words, "submitter", row.says, ((bound.fact, value),)))
    after = evaluate(pack, FactSet(statements), pending=pending, envelope=judged.envelope)
    return (after.track, tuple(changes)) if after.track.rank < assessment.track.rank else None


def _way_out(pack: Pack, facts: FactSet, assessment: Assessment, pending: Collection[str], target: Track) -> WayOut:
    above = [hit for hit in assessment.hits if hit.track is not None and hit.track.rank > target.rank]
    fixed = tuple(_change(hit, target, {}) for hit in above if hit.editable_by == "nobody")
    if fixed:
        return WayOut(target, False, (), fixed, f"none, because {', '.join(c.says for c in fixed)}; nobody can change this")
    search = _Search(pack, facts, assessment, pending, target)
    sets = search.sets()
    if sets:
        return WayOut(target, True, sets, (), f"it would be {target} if: {', '.join(c.change for c in sets[0])}")
    stuck = tuple(_change(row, target, {}) for row in search.stuck.values()) or tuple(_change(hit, target, {}) for hit in above)
    return WayOut(target, False, (), stuck, f"none, because {', '.join(c.says for c in stuck)}; nobody can change this")


def _change(hit: Checked, target: Track, values: Values) -> Change:
    rule = hit.rule
    words = rule.change.fill(hit.facts.value, _limit_to_keep(rule, target))
    if hit.status is RuleStatus.UNKNOWN:
        if rule.change.text.startswith("nothing"):
            words = f"find out and say: {rule.title}"
        else:
            words = f"find out and say: {rule.title} ({words})"
    return Change(rule.id, words, hit.editable_by, hit.says, tuple(sorted(values.items())))


def _limit_to_keep(rule: Rule, target: Track) -> str:
    """The limit that must not be reached for `target`, without its sign where the sentence says "below"."""
    band = _band_above(rule, target)
    return limit_of(band, rule).lstrip("<>= ") if band is not None else ""


def _band_above(rule: Rule, target: Track) -> Band | None:
    """The band to stay out of: red for yellow, the first one for green."""
    if rule.bands is None:
        return None
    return rule.bands.red if target is Track.YELLOW else rule.bands.yellow or rule.bands.red


@dataclass(frozen=True)
class _State:
    """The facts as they would be, the rules' outcomes then, and what was changed so far."""

    statements: Mapping[str, tuple[Fact, ...]]
    outcomes: Mapping[int, Outcome]
    done: tuple[tuple[Checked, Values], ...] = ()


class _Search:
    """Depth first over the rules in the way, the least disturbing value first, with a cap on tries: a page waits for it."""

    def __init__(self, pack: Pack, facts: FactSet, assessment: Assessment, pending: Collection[str], target: Track) -> None:
        self.pack, self.facts, self.pending, self.target = pack, facts, pending, target
        self.checked = assessment.checked
        self.allowed = {None, Track.GREEN, target}
        self.tries = 0
        self.at_first = sum(row.track not in self.allowed for row in assessment.checked)
        self.found: list[_State] = []
        self.stuck: dict[str, Checked] = {}

    def sets(self) -> tuple[tuple[Change, ...], ...]:
        """The smallest sets found, at most `MOST_SETS`, each of other rules (two values for one rule are one way in words)."""
        self._go(_State(self.facts.by_name, {i: (row.status, row.track) for i, row in enumerate(self.checked)}))
        least = min((len(state.done) for state in self.found), default=0)
        smallest = {tuple(row.rule.id for row, _ in s.done): s for s in reversed(self.found) if len(s.done) == least}
        chosen = list(reversed(smallest.values()))[:MOST_SETS]
        return tuple(tuple(_change(row, self.target, way) for row, way in state.done) for state in chosen)

    def _go(self, state: _State) -> None:
        position = next((i for i, (_, track) in state.outcomes.items() if track not in self.allowed), None)
        if position is None:
            self.found.append(state)
            # one change for each rule that stood in the way, and none for new ones: no need to look further
            self.tries += MOST_TRIES if len(state.done) <= self.at_first else 0
            return
        blocking = self._row(position, state)
        if blocking.editable_by == "nobody":
            self.stuck[blocking.rule.id] = blocking
            return
        if any(row.rule is blocking.rule for row, _ in state.done):
            return
        later: list[_State] = []
        before = self._above(state)
        for way in self._ways(blocking):
            after = self._after(state, blocking, way)
            if after.outcomes[position][1] in self.allowed:
                # first the values that raise nothing else
                if self._above(after) < before:
                    self._try(after)
                else:
                    later.append(after)
            if self.tries >= MOST_TRIES:
                return
        for after in sorted(later, key=self._above):
            self._try(after)

    def _try(self, state: _State) -> None:
        if self.tries < MOST_TRIES:
            self.tries += 1
            self._go(state)

    def _row(self, position: int, state: _State) -> Checked:
        """The rule as it stands now: as assessed where nothing it reads was changed."""
        row = self.checked[position]
        outcome = state.outcomes[position]
        if outcome == (row.status, row.track):
            return row
        facts = FactSet(state.statements)
        return Checked(row.rule, *outcome, facts.best(row.rule.about), facts)

    def _above(self, state: _State) -> int:
        """How many rules are in the way still."""
        return sum(track not in self.allowed for _, track in state.outcomes.values())

    def _after(self, state: _State, row: Checked, way: Values) -> _State:
        """The state if every source said the new values. Only rules that read them are evaluated again."""
        changed = {name: (Fact(name, value, Assurance.MEASURED, "what if"),) for name, value in way.items()}
        statements = {**state.statements, **changed}
        touched = {position for name in way for position in self.pack.readers.get(name, ())}
        outcomes = {i: self.pack.compiled[i].outcome(statements, self.pending) for i in touched}
        return _State(statements, {**state.outcomes, **outcomes}, (*state.done, (row, way)))

    def _ways(self, hit: Checked) -> Iterator[Values]:
        """Values under which the rule stays out of the way."""
        rule = hit.rule
        if rule.bands is not None:
            return iter(_outside_bands(rule, hit, self.target))
        return islice(_turn(rule.condition, False, self._choices), MOST_WAYS)

    def _choices(self, name: str) -> Sequence[Any]:
        """What a fact may be, as the questionnaire says."""
        questionnaire = self.pack.questionnaire
        question = questionnaire.by_id.get(name) if questionnaire is not None else None
        if question is None:
            return ()
        if question.type == "bool":
            return (False, True)
        return [choice.value for choice in question.choices]


def _outside_bands(rule: Rule, hit: Checked, target: Track) -> list[Values]:
    band = _band_above(rule, target)
    if band is None:
        # no red band: the red can only come from not knowing, and any value outside the yellow one will do
        assert rule.bands is not None
        band = rule.bands.yellow
    assert band is not None
    old = hit.value
    sign = -1.0 if isinstance(old, int | float) and old < 0 and band.upward and rule.direction == "both" else 1.0
    beside = band.limit if band.sign in (">", "<") else math.nextafter(band.limit, -math.inf if band.upward else math.inf)
    return [{rule.about: sign * beside}]


def _turn(condition: Condition, wanted: bool, choices: Choices) -> Iterator[Values]:
    """Sets of values under which the condition is surely `wanted`, the smallest first where that is cheap to know."""
    if isinstance(condition, Negated):
        yield from _turn(condition.part, not wanted, choices)
    elif isinstance(condition, Joined):
        if (condition.word == "any") is wanted:
            for part in condition.parts:
                yield from _turn(part, wanted, choices)
        else:
            ways = [list(islice(_turn(part, wanted, choices), MOST_WAYS)) for part in condition.parts]
            for chosen in product(*ways):
                merged: dict[str, Any] = {}
                for values in chosen:
                    merged.update(values)
                yield merged
    else:
        for value in _values(condition, wanted, choices):
            yield {condition.fact: value}


_OPPOSITE = {"not_in": "in", "ne": "eq", "is_known": "is_unknown", "is_false": "is_true", "lt": "ge", "le": "gt"}


def _values(atom: Atom, wanted: bool, choices: Choices) -> Iterator[Any]:
    """Values that make one atom `wanted`. Nobody is ever advised to make something unknown."""
    operator = atom.operator
    if operator in _OPPOSITE:
        operator, wanted = _OPPOSITE[operator], not wanted
    possible: Sequence[Any] = choices(atom.fact)
    limits = atom.limit if isinstance(atom.limit, tuple) else (atom.limit,)
    if operator == "is_unknown":
        if not wanted:
            yield from possible or ("to be named",)
    elif operator in ("in", "eq"):
        if wanted:
            yield from limits
        else:
            rest = [value for value in possible if value not in limits]
            yield from rest or (() if possible else ("to be named",))
    elif operator == "contains_any":
        yield [limits[0]] if wanted else []
    elif operator == "non_empty":
        yield ["something"] if wanted else []
    elif operator == "is_true":
        yield wanted
    else:
        yield _beside(operator, float(atom.limit), wanted)


def _beside(operator: str, limit: float, wanted: bool) -> float:
    """The number nearest to the limit on the wanted side of `ge` or `gt`."""
    if operator == "ge":
        return limit if wanted else math.nextafter(limit, -math.inf)
    return math.nextafter(limit, math.inf) if wanted else limit
