"""Closed conditions: a fact, an operator and a limit, joined by all, any and not. No expression is ever evaluated.

A condition is answered with a *mask* of everything the statements about its facts allow, not with one truth value:
two sources that disagree give TRUE and FALSE at once, an interval across a limit does too, and nothing known gives
UNKNOWN (PENDING when it is still to be measured). The rule then takes the strictest of them, so that no further
statement can lower a track that another raises.

Masks of different atoms are joined as if independent. Where one rule asks twice about a fact on which sources
disagree this may be stricter than necessary, never laxer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance

TRUE, FALSE, UNKNOWN, PENDING = 1, 2, 4, 8

Statements = Mapping[str, tuple[Fact, ...]]
Check = Callable[[Statements, Collection[str]], int]
"""(statements by fact name, names still to be measured) -> mask."""

LISTS = frozenset({"in", "not_in", "contains_any"})
NUMBERS = frozenset({"lt", "le", "gt", "ge"})
VALUES = frozenset({"eq", "ne"})
FLAGS = frozenset({"is_unknown", "is_known", "non_empty", "is_true", "is_false"})
OPERATORS = LISTS | NUMBERS | VALUES | FLAGS
MOST_NESTED = 8

_LEAST = {"file": Assurance.FILE, "registry": Assurance.REGISTRY, "measured": Assurance.MEASURED}


@dataclass(frozen=True)
class Atom:
    """One fact against one limit. `at_least`: statements less assured than this are not heard."""

    fact: str
    operator: str
    limit: Any
    at_least: str = ""

    def to_json(self) -> dict[str, Any]:
        limit = list(self.limit) if isinstance(self.limit, tuple) else self.limit
        row = {"fact": self.fact, self.operator: limit}
        return {**row, "at_least": self.at_least} if self.at_least else row


@dataclass(frozen=True)
class Joined:
    """`all` or `any` of several conditions."""

    word: str
    parts: tuple[Condition, ...]

    def to_json(self) -> dict[str, Any]:
        return {self.word: [part.to_json() for part in self.parts]}


@dataclass(frozen=True)
class Negated:
    """`not` a condition."""

    part: Condition

    def to_json(self) -> dict[str, Any]:
        return {"not": self.part.to_json()}


Condition = Atom | Joined | Negated


def parse_condition(raw: Any, depth: int = 0) -> Condition:
    """Read a condition from what YAML gave. Raises `ValueError` that names what was expected and how to mend it."""
    if isinstance(raw, Atom | Joined | Negated):
        return raw
    if depth > MOST_NESTED:
        raise ValueError(f"Conditions are nested more than {MOST_NESTED} deep. Split the rule in two.")
    if not isinstance(raw, Mapping):
        raise ValueError(f"Expected a condition such as {{fact: decision.domain, in: [credit]}}, found {_shown(raw)}.")
    words = set(raw)
    for word in ("all", "any"):
        if words == {word}:
            parts = raw[word]
            if not isinstance(parts, list) or not parts:
                raise ValueError(f"“{word}” takes a list with at least one condition, found {_shown(parts)}.")
            return Joined(word, tuple(parse_condition(part, depth + 1) for part in parts))
    if words == {"not"}:
        return Negated(parse_condition(raw["not"], depth + 1))
    return _atom(raw)


def _atom(raw: Mapping[Any, Any]) -> Atom:
    operators = [word for word in raw if word not in ("fact", "at_least")]
    if "fact" not in raw or len(operators) != 1 or operators[0] not in OPERATORS:
        raise ValueError(
            f"Expected “fact” and exactly one of {', '.join(sorted(OPERATORS))}, or one of all, any, not; "
            f"found {_shown(sorted(map(str, raw)))}."
        )
    fact, operator, limit = raw["fact"], operators[0], raw[operators[0]]
    if not is_fact_name(fact):
        raise ValueError(f"“fact” takes a dotted name such as decision.domain, found {_shown(fact)}.")
    at_least = raw.get("at_least", "")
    if at_least and at_least not in _LEAST:
        raise ValueError(f"“at_least” takes file, registry or measured, found {_shown(at_least)}.")
    if operator in LISTS:
        if not isinstance(limit, list) or not limit or not all(_is_scalar(item) for item in limit):
            raise ValueError(f"“{operator}” takes a list of words or numbers with at least one entry, found {_shown(limit)}.")
        limit = tuple(limit)
    elif operator in NUMBERS and as_number(limit) is None:
        raise ValueError(f"“{operator}” takes a number, found {_shown(limit)}.")
    elif operator in VALUES and not _is_scalar(limit):
        raise ValueError(f"“{operator}” takes a word, a number, true or false, found {_shown(limit)}.")
    elif operator in FLAGS and limit is not True:
        raise ValueError(f"“{operator}” is written “{operator}: true”, found {_shown(limit)}. For the opposite use “not”.")
    return Atom(fact, operator, limit, at_least)


def is_fact_name(name: Any) -> bool:
    """Whether `name` is a dotted fact name in small letters."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 80
        and all(part.isidentifier() and part.isascii() and part == part.lower() and part[0] != "_" for part in name.split("."))
    )


def facts_of(condition: Condition) -> tuple[str, ...]:
    """Names the condition reads, in the order written, each once."""
    return tuple(dict.fromkeys(atom.fact for atom in atoms_of(condition)))


def atoms_of(condition: Condition) -> tuple[Atom, ...]:
    """The atoms of a condition in the order written."""
    if isinstance(condition, Atom):
        return (condition,)
    if isinstance(condition, Negated):
        return atoms_of(condition.part)
    return tuple(atom for part in condition.parts for atom in atoms_of(part))


_SAYS = {
    "in": "one of {}",
    "not_in": "none of {}",
    "contains_any": "contains any of {}",
    "eq": "= {}",
    "ne": "other than {}",
    "lt": "< {}",
    "le": "<= {}",
    "gt": "> {}",
    "ge": ">= {}",
    "is_unknown": "unknown",
    "is_known": "known",
    "non_empty": "at least one",
    "is_true": "yes",
    "is_false": "no",
}


def in_words(condition: Condition) -> str:
    """The condition as people read it: `decision.domain: one of credit, fraud`."""
    if isinstance(condition, Atom):
        return f"{condition.fact}: {limit_in_words(condition)}"
    if isinstance(condition, Negated):
        return f"not ({in_words(condition.part)})"
    joint = " and " if condition.word == "all" else " or "
    return joint.join(f"({in_words(p)})" if isinstance(p, Joined) else in_words(p) for p in condition.parts)


def limit_in_words(atom: Atom) -> str:
    """Only the limit of an atom: `one of credit, fraud`."""
    limit = ", ".join(map(_word, atom.limit)) if isinstance(atom.limit, tuple) else _word(atom.limit)
    return _SAYS[atom.operator].format(limit)


def compile_condition(condition: Condition, aliases: Mapping[str, str] | None = None) -> Check:
    """Turn a condition into a closure. `aliases`: fact name -> a second name (its collector) that also makes it pending."""
    if isinstance(condition, Atom):
        return _compile_atom(condition, (aliases or {}).get(condition.fact, condition.fact))
    if isinstance(condition, Negated):
        return _compile_not(compile_condition(condition.part, aliases))
    checks = tuple(compile_condition(part, aliases) for part in condition.parts)
    # "any" is "all" with true and false exchanged
    return _compile_joined(checks, TRUE, FALSE) if condition.word == "all" else _compile_joined(checks, FALSE, TRUE)


def _compile_not(check: Check) -> Check:
    def negated(statements: Statements, pending: Collection[str]) -> int:
        mask = check(statements, pending)
        return (mask & (UNKNOWN | PENDING)) | (FALSE if mask & TRUE else 0) | (TRUE if mask & FALSE else 0)

    return negated


def _compile_joined(checks: tuple[Check, ...], neutral: int, decisive: int) -> Check:
    """One decisive part decides; else unknown outweighs pending; only when every part is neutral is the whole."""

    not_decided = neutral | PENDING | UNKNOWN
    not_unknown = neutral | PENDING

    def joined(statements: Statements, pending: Collection[str]) -> int:
        seen = 0
        settled = may_be_pending = may_be_unknown = True
        for check in checks:
            mask = check(statements, pending)
            seen |= mask
            settled = settled and bool(mask & neutral)
            may_be_pending = may_be_pending and bool(mask & not_unknown)
            may_be_unknown = may_be_unknown and bool(mask & not_decided)
        result = seen & decisive
        if settled:
            result |= neutral
        if may_be_unknown:
            result |= seen & UNKNOWN
        if may_be_pending:
            result |= seen & PENDING
        return result

    return joined


def _compile_atom(atom: Atom, alias: str) -> Check:
    name = atom.fact
    least = _LEAST.get(atom.at_least, Assurance.DECLARED)
    measured = Assurance.MEASURED
    if atom.operator in ("is_unknown", "is_known"):
        when_known, when_unknown = (FALSE, TRUE) if atom.operator == "is_unknown" else (TRUE, FALSE)

        def known(statements: Statements, pending: Collection[str]) -> int:
            for fact in statements.get(name, ()):
                if fact.value is not None and fact.assurance >= least:
                    return when_known
            return PENDING if name in pending or alias in pending else when_unknown

        return known

    judge = judge_of(atom)

    def check(statements: Statements, pending: Collection[str]) -> int:
        mask = 0
        for fact in statements.get(name, ()):
            if fact.value is not None:
                if fact.assurance >= least:
                    mask |= judge(fact)
            elif fact.assurance is measured:
                # looked, and could not tell: what others say about it does not make it known
                mask |= UNKNOWN
        if mask:
            return mask
        return PENDING if name in pending or alias in pending else UNKNOWN

    return check


def judge_of(atom: Atom) -> Callable[[Fact], int]:
    """What one known statement makes of the atom. A value of the wrong kind counts as unknown."""
    operator, limit = atom.operator, atom.limit
    if operator in NUMBERS:
        return _judge_number(operator, float(limit))
    if operator in ("is_true", "is_false"):
        return _judge_flag(operator == "is_true")
    if operator == "non_empty":
        return lambda fact: _fullness(fact.value)
    if operator == "contains_any":
        return _judge_members(limit)
    allowed = frozenset(limit) if isinstance(limit, tuple) else frozenset({limit})
    negative = operator in ("not_in", "ne")
    return _judge_choice(allowed, negative)


def _judge_choice(allowed: frozenset[Any], negative: bool) -> Callable[[Fact], int]:
    inside, outside = (FALSE, TRUE) if negative else (TRUE, FALSE)
    # True == 1 in Python, not in a policy
    kinds = frozenset((type(item) is bool, item) for item in allowed)

    def choice(fact: Fact) -> int:
        value = fact.value
        if isinstance(value, list):
            # several values: whichever is the worst for somebody counts, so both sides are kept
            masks = [inside if _is_scalar(v) and (type(v) is bool, v) in kinds else outside for v in value]
            return UNKNOWN if not masks else (inside if inside in masks else 0) | (outside if outside in masks else 0)
        if not _is_scalar(value):
            return UNKNOWN
        return inside if (type(value) is bool, value) in kinds else outside

    return choice


def _judge_flag(wanted: bool) -> Callable[[Fact], int]:
    def flag(fact: Fact) -> int:
        value = fact.value
        return TRUE if value is wanted else FALSE if value is (not wanted) else UNKNOWN

    return flag


def _judge_members(limit: tuple[Any, ...]) -> Callable[[Fact], int]:
    wanted = frozenset(limit)

    def members(fact: Fact) -> int:
        value = fact.value
        items = value if isinstance(value, list) else [value]
        if not all(_is_scalar(item) for item in items):
            return UNKNOWN
        return FALSE if wanted.isdisjoint(items) else TRUE

    return members


def _fullness(value: Any) -> int:
    if isinstance(value, list | Mapping):
        if not value:
            return FALSE
        return UNKNOWN if all(isinstance(item, str) and not item.strip() for item in value) else TRUE
    if isinstance(value, str):
        return TRUE if value.strip() else UNKNOWN
    return UNKNOWN


def _judge_number(operator: str, limit: float) -> Callable[[Fact], int]:
    def number(fact: Fact) -> int:
        spread = spread_of(fact)
        if spread is None:
            return UNKNOWN
        low, high = spread
        if operator == "ge":
            above, below = high >= limit, low < limit
        elif operator == "gt":
            above, below = high > limit, low <= limit
        elif operator == "lt":
            above, below = low < limit, high >= limit
        else:
            above, below = low <= limit, high > limit
        return (TRUE if above else 0) | (FALSE if below else 0)

    return number


def spread_of(fact: Fact) -> tuple[float, float] | None:
    """The lowest and highest number a statement allows: value and interval together; None when it is no number."""
    value = as_number(fact.value)
    if value is None:
        return None
    low, high = as_number(fact.low), as_number(fact.high)
    return (value if low is None else min(value, low)), (value if high is None else max(value, high))


def as_number(value: Any) -> float | None:
    """A finite number, or None. True and False are no numbers."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is int and abs(value) <= 2**53:
        return float(value)
    return None


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | bool) or as_number(value) is not None


def _word(value: Any) -> str:
    return (
        {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "…"
