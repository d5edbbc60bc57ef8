"""What would change the track: closed conditions turned round, and every answer tried before it is given.

For each lighter track the rules that stand in the way are taken one after the other; a rule is turned off by giving its
facts values under which its condition fails. A set of changes counts only when the rules that read the changed facts,
evaluated again, leave no rule above the track.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.policy.assessment import Assessment, Checked, RuleStatus, limit_of
from governance.policy.bands import Band
from governance.policy.conditions import Atom, Condition, Joined, Negated
from governance.policy.evaluating import Outcome, Pack
from governance.policy.pack import Rule

MOST_SETS = 3
MOST_TRIES = 60
MOST_WAYS = 6

Values = Mapping[str, Any]


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
    """How a lighter track would be reached: `sets` are the smallest sets of changes, each tried; `in_the_way` what nobody can change."""

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
    return tuple(_way_out(pack, facts, assessment, pending, target) for target in lighter)


def _way_out(pack: Pack, facts: FactSet, assessment: Assessment, pending: Collection[str], target: Track) -> WayOut:
    above = [hit for hit in assessment.hits if hit.track is not None and hit.track.rank > target.rank]
    fixed = tuple(_change(hit, target, {}) for hit in above if hit.editable_by == "nobody")
    if fixed:
        return WayOut(target, False, (), fixed, f"none, because {', '.join(c.says for c in fixed)}; nobody can change this")
    search = _Search(pack, facts, assessment, pending, target)
    sets = search.sets()
    if not sets:
        stuck = tuple(_change(hit, target, {}) for hit in above)
        return WayOut(target, False, (), stuck, f"none was found, because {', '.join(c.says for c in stuck)}")
    return WayOut(target, True, sets, (), f"it would be {target} if: {', '.join(c.change for c in sets[0])}")


def _change(hit: Checked, target: Track, values: Values) -> Change:
    rule = hit.rule
    words = rule.change.fill(hit.facts.value, _limit_to_keep(rule, target))
    if hit.status is RuleStatus.UNKNOWN:
        if rule.change.text.startswith("nothing"):
            words = f"say it, where it is not so: {rule.title}"
        else:
            words = f"say or show that it is so: {words}"
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


class _Search:
    """Depth first over the rules in the way, cheapest sets first, with a cap on tries: a page waits for it."""

    def __init__(self, pack: Pack, facts: FactSet, assessment: Assessment, pending: Collection[str], target: Track) -> None:
        self.pack, self.facts, self.assessment, self.pending, self.target = pack, facts, assessment, pending, target
        self.tries = 0
        self.found: list[tuple[Change, ...]] = []

    def sets(self) -> tuple[tuple[Change, ...], ...]:
        """The smallest sets found, at most `MOST_SETS`."""
        self._go({}, ())
        if not self.found:
            return ()
        least = min(map(len, self.found))
        return tuple(changes for changes in self.found if len(changes) == least)[:MOST_SETS]

    def _go(self, values: Values, changes: tuple[Change, ...]) -> None:
        if len(self.found) >= MOST_SETS:
            return
        blocking = self._first_above(values)
        if blocking is None:
            self.found.append(changes)
            return
        done = {change.rule for change in changes}
        if blocking.rule.id in done or blocking.editable_by == "nobody":
            return
        for way in self._ways(blocking):
            if self.tries >= MOST_TRIES:
                return
            self.tries += 1
            together = {**values, **way}
            if self._outcome_of(self.pack.rules.index(blocking.rule), together)[1] not in self._allowed:
                continue
            self._go(together, (*changes, _change(blocking, self.target, way)))

    @property
    def _allowed(self) -> tuple[Track | None, ...]:
        return (None, Track.GREEN) if self.target is Track.GREEN else (None, Track.GREEN, Track.YELLOW)

    def _outcome_of(self, position: int, values: Values) -> Outcome:
        return self.pack.compiled[position].outcome(self._statements(values), self.pending)

    def _statements(self, values: Values) -> Mapping[str, tuple[Fact, ...]]:
        """The facts as they would be if every source said the new value."""
        changed = {name: (Fact(name, value, Assurance.MEASURED, "what if"),) for name, value in values.items()}
        return {**self.facts.by_name, **changed}

    def _first_above(self, values: Values) -> Checked | None:
        """The first rule above the target. Only rules that read a changed fact are evaluated again."""
        touched = {position for name in values for position in self.pack.readers.get(name, ())}
        statements = self._statements(values) if touched else self.facts.by_name
        for position, row in enumerate(self.assessment.checked):
            if position not in touched:
                if row.track not in self._allowed:
                    return row
                continue
            status, track = self.pack.compiled[position].outcome(statements, self.pending)
            if track not in self._allowed:
                new = FactSet(statements)
                return Checked(row.rule, status, track, new.best(row.rule.about), new)
        return None

    def _ways(self, hit: Checked) -> Iterator[Values]:
        """Values under which the rule stays out of the way."""
        rule = hit.rule
        if rule.bands is not None:
            return iter(_outside_bands(rule, hit, self.target))
        return islice(_turn(rule.condition, False, self.facts, self._choices), MOST_WAYS)

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


def _turn(condition: Condition, wanted: bool, facts: FactSet, choices: Any) -> Iterator[Values]:
    """Sets of values under which the condition is surely `wanted`, the smallest first where that is cheap to know."""
    if isinstance(condition, Negated):
        yield from _turn(condition.part, not wanted, facts, choices)
    elif isinstance(condition, Joined):
        if (condition.word == "any") is wanted:
            for part in condition.parts:
                yield from _turn(part, wanted, facts, choices)
        else:
            ways = [list(islice(_turn(part, wanted, facts, choices), MOST_WAYS)) for part in condition.parts]
            for chosen in product(*ways):
                merged: dict[str, Any] = {}
                for values in chosen:
                    merged.update(values)
                yield merged
    else:
        for value in _values(condition, wanted, facts, choices):
            yield {condition.fact: value}


_OPPOSITE = {"not_in": "in", "ne": "eq", "is_known": "is_unknown", "is_false": "is_true", "lt": "ge", "le": "gt"}


def _values(atom: Atom, wanted: bool, facts: FactSet, choices: Any) -> Iterator[Any]:
    """Values that make one atom `wanted`. Nobody is ever advised to make something unknown."""
    operator = atom.operator
    if operator in _OPPOSITE:
        operator, wanted = _OPPOSITE[operator], not wanted
    possible: Sequence[Any] = choices(atom.fact)
    limits = atom.limit if isinstance(atom.limit, tuple) else (atom.limit,)
    if operator == "is_unknown":
        if not wanted:
            yield from possible or ("a person or a value",)
    elif operator in ("in", "eq"):
        if wanted:
            yield from limits
        else:
            rest = [value for value in possible if value not in limits]
            yield from rest or (() if possible else ("something else",))
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
