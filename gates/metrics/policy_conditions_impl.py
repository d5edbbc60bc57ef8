"""Evaluates conditions written in CEL; where sources disagree, on each of their statements: the stricter answer counts.

Bounded: nesting and steps by the library, memory and processor time here. An expression can double a text thirty times over and
ask for gigabytes; it gets half a gigabyte and then has no answer. After `SECONDS` of processor time the
conditions still to come have none, and one that goes on by itself for longer takes the child down.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import resource
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gates.collecting import Collected, Inputs
from gates.spec import Measure
from governance.policy.cel import compiled, facts_read

SECONDS = 5
MEMORY = 512 * 1024**2
MOST_CASES = 64
_KINDS = {bool: "yes or no", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}


def measure(inputs: Inputs) -> Collected:
    """Every condition in the order of the policy."""
    asked = inputs.settings.get("cel_conditions") or []
    if not asked:
        return Collected(not_measured="This policy has no conditions in CEL. A policy author adds some, or takes the gate out.")
    until = time.process_time() + SECONDS
    with _bounded():
        return Collected(measures=tuple(_one(each, until) for each in asked))


def _one(each: Mapping[str, Any], until: float) -> Measure:
    also: Mapping[str, list[Any]] = each.get("also") or {}
    found: list[tuple[float | None, str]]
    if time.process_time() > until:
        found = [(None, f"The conditions before it took all of the {SECONDS} seconds of processor time there are.")]
    elif math.prod(len(values) + 1 for values in also.values()) > MOST_CASES:
        found = [(None, f"Sources disagree too much about {', '.join(also)}. Correct what is wrong.")]
    else:
        found = [answer(each["holds"], case) for case in _cases(each["facts"], also)]
    value, reason = min(found, key=lambda one: {0.0: 0, None: 1, 1.0: 2}[one[0]])
    disagree = sorted(also) if len({one[0] for one in found}) > 1 else []
    return Measure(
        "condition.holds",
        value,
        f"condition={each['id']}",
        text=each["says"],
        reason=reason,
        detail={
            "expression": each["holds"],
            "otherwise": each["otherwise"],
            "known": sorted(each["facts"]),
            **({"disagree": disagree} if disagree else {}),
        },
    )


def _cases(facts: Mapping[str, Any], also: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """The facts as the most assured sources say, then with every other statement in its place."""
    for values in itertools.product(*([facts[name], *others] for name, others in also.items())):
        yield {**facts, **dict(zip(also, values, strict=True))}


def answer(expression: str, facts: Mapping[str, Any]) -> tuple[float | None, str]:
    """1.0 or 0.0; or None and why it cannot be told. A condition without an answer is never held."""
    try:
        read = facts_read(expression)
        found = compiled(expression).eval(data={"facts": {name: facts[name] for name in read if name in facts}})
        kind, value = found.type().name(), found.value()
    except MemoryError:
        return None, "It needs more memory than a condition may have. Make it shorter."
    except (ValueError, RuntimeError, OverflowError, TypeError) as exc:
        return None, _broke_off(str(exc))
    if isinstance(value, bool):
        return float(value), ""
    if kind == "ERROR":
        return None, _cannot_tell(str(value), read, facts)
    return None, f"It gives {_kind(value)} and not true or false."


def _broke_off(said: str) -> str:
    if "budget" in said:
        return "It goes through more entries than a condition may. Ask about fewer."
    return f"It cannot be evaluated: {_short(said)}"


def _cannot_tell(said: str, read: tuple[str, ...], facts: Mapping[str, Any]) -> str:
    missing = [name for name in read if name not in facts]
    if "Key not found" in said and missing:
        return f"Nobody has said {' or '.join(missing)}."
    if "overload" in said:
        kinds = ", ".join(f"{name} is {_kind(facts[name])}" for name in read if name in facts)
        return f"It compares what does not go together: {kinds or 'see the expression'}."
    return f"It cannot be evaluated: {_short(said)}"


def _kind(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "no finite number"
    return _KINDS.get(type(value), "something")


def _short(said: str) -> str:
    """The first line without the library's codes."""
    return re.sub(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$", "", said.strip().partition("\n")[0])[:200]


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Tighter soft limits while conditions run. The hard ones of the child stay as they are, so the soft ones can be put back."""
    memory, processor = resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    spent = math.ceil(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    resource.setrlimit(resource.RLIMIT_AS, (_least(used + MEMORY, memory), memory[1]))
    resource.setrlimit(resource.RLIMIT_CPU, (_least(spent + 2 * SECONDS, processor), processor[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, memory)
        resource.setrlimit(resource.RLIMIT_CPU, processor)


def _least(wanted: int, now: tuple[int, int]) -> int:
    return min([wanted, *(limit for limit in now if limit != resource.RLIM_INFINITY)])
