"""How a derived fact is made: worth its weakest input, and with words that say what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance

ORIGIN = "derived"
REGISTER = "register"


def derived(name: str, value: Any, inputs: Sequence[Fact], because: str) -> Fact:
    """A fact that follows from `inputs`; registers and the champion's facts set no limit of their own below REGISTRY."""
    assurance = min((fact.assurance for fact in inputs), default=Assurance.REGISTRY)
    digests = {fact.digest for fact in inputs}
    return Fact(
        name=name,
        value=value,
        assurance=min(assurance, Assurance.REGISTRY),
        origin=ORIGIN,
        locator=f"{because} [{sources_of(inputs)}]" if inputs else because,
        digest=digests.pop() if len(digests) == 1 else "",
    )


def looked_up(name: str, value: Any, inputs: Sequence[Fact], because: str) -> Fact:
    """A fact that a register states about what `inputs` name: worth its weakest input, like anything derived."""
    return replace(derived(name, value, inputs, because), origin=REGISTER)


def registered(name: str, value: Any, because: str) -> Fact:
    """A fact the platform's own records state."""
    return Fact(name=name, value=value, assurance=Assurance.REGISTRY, origin=REGISTER, locator=because)


def sources_of(inputs: Iterable[Fact]) -> str:
    """`model.intended_use in MLmodel, data.sources in run.json`."""
    return ", ".join(dict.fromkeys(f"{fact.name} in {fact.origin}" for fact in inputs))


def known(facts: FactSet, name: str) -> tuple[Fact, ...]:
    """Every statement about `name` that has a value."""
    return tuple(fact for fact in facts.all(name) if fact.known)


def union(statements: Iterable[Fact]) -> list[str]:
    """All entries of list facts in order, each once."""
    return list(
        dict.fromkeys(str(item) for fact in statements for item in (fact.value if isinstance(fact.value, list) else [fact.value]))
    )
