"""Facts that follow from other facts, from the champion and from the registers.

Rule of the module: the absence of a hint is no fact. A value that could make a submission less strict (False, an empty list, a
small
change) is given only where the inputs are complete on both sides; otherwise nothing is said and the unknown keeps its strictness.
Each derived fact is worth as much as its weakest input.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from governance.domain.facts import Fact, FactSet
from governance.prefill.against_champion import champion_facts
from governance.prefill.fact_types import FACT_TYPES, check_value
from governance.prefill.from_entries import entry_facts
from governance.prefill.from_purpose import purpose_facts
from governance.prefill.from_registers import register_facts
from governance.prefill.from_technical import technical_facts
from governance.prefill.register_entries import RegisterEntries
from governance.prefill.way_back import way_back


def derive(
    facts: FactSet,
    *,
    champion: FactSet | None,
    champion_version: str | None,
    approved_sources: Collection[str],
    approved_features: Collection[str],
    approvals: Mapping[str, str],
    nothing_before: bool = False,
    entries: RegisterEntries | None = None,
) -> tuple[Fact, ...]:
    """What follows from `facts` (readers, answers, measurements; not what was derived before), without the facts themselves.

    `champion`: facts of the version in production, None when there is none (or when its facts are not kept: then give
    `champion_version`). `approved_sources`, `approved_features`: entries of the registers; a source ending in `/` stands for
    everything
    below it. `approvals`: data source -> reference of the data-governance approval for personal data in force.
    `nothing_before`: the register knows that no version was ever approved where this one goes.
    `entries`: what else the unit's registers hold. A fact whose value is not of its type says nothing here.
    """
    facts, champion = _well_formed(facts), None if champion is None else _well_formed(champion)
    own = (*purpose_facts(facts), *technical_facts(facts))
    known = facts.with_facts(own)
    compared = champion_facts(known, champion, champion_version, nothing_before)
    known = known.with_facts(compared)
    looked_up = register_facts(known, approved_sources, approved_features, approvals)
    return (*own, *compared, *way_back(known), *looked_up, *entry_facts(known, entries or RegisterEntries()))


def _well_formed(facts: FactSet) -> FactSet:
    return FactSet.of(
        fact for fact in facts if fact.name not in FACT_TYPES or (fact.known and not check_value(fact.name, fact.value)[1])
    )
